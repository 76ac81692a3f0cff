import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Codec } from '../../src/base/tracks.ts';
import {
  chooseCoded,
  chooseInterval,
  chooseRaw,
  chooseSize,
  roleOf,
  type Size,
} from '../../src/capture/v4l2-choice.ts';
import { applyEncoderControls, bitrateOf, type ControlledDevice } from '../../src/capture/v4l2-controls.ts';
import { parseV4l2Options } from '../../src/capture/v4l2-options.ts';
import { SequenceWatch } from '../../src/capture/v4l2-sequence.ts';
import type { V4l2Control } from '../../src/native/v4l2.ts';
import { ControlId, fourccText, PixelFormat } from '../../src/native/v4l2-constants.ts';

const described = (...formats: readonly number[]) =>
  formats.map(pixelFormat => ({ pixelFormat, description: '' }));
const one = (width: number, height: number) => ({
  ...{ minWidth: width, maxWidth: width, stepWidth: 0 },
  ...{ minHeight: height, maxHeight: height, stepHeight: 0 },
});

test('the options of a source are read, and everything else is refused by name', () => {
  assert.deepEqual(parseV4l2Options('/dev/video0'), { device: '/dev/video0', keyframeSeconds: 2 });
  assert.deepEqual(
    parseV4l2Options(
      '/dev/video0?width=1920&height=1080&fps=29.97&bitrateKbps=4000&codec=h265&keyframeSeconds=1&encoder=/dev/video11',
    ),
    {
      ...{ device: '/dev/video0', encoder: '/dev/video11', width: 1920, height: 1080, fps: 29.97 },
      ...{ bitrateKbps: 4000, codec: Codec.h265, keyframeSeconds: 1 },
    },
  );
  for (const [text, words] of [
    ['', /no device/],
    ['?fps=30', /no device/],
    ['/dev/video0?width=640', /go together/],
    ['/dev/video0?rate=30', /"rate" is none of/],
    ['/dev/video0?toString=1', /is none of/],
    ['/dev/video0?fps=', /fps is a number/],
    ['/dev/video0?fps=NaN', /fps is a number/],
    ['/dev/video0?width=1280.5&height=720', /width is a whole number/],
    ['/dev/video0?codec=vp8', /h264 or h265/],
  ] as const)
    assert.throws(() => parseV4l2Options(text), { code: 'config-invalid', message: words }, text);
});

test('the role of a node follows from its capabilities', () => {
  assert.deepEqual([0x0420_0001, 0x0400_1000, 0x0400_4000, 0x0400_8000, 0x0005_0000].map(roleOf), [
    ...['camera', 'camera', 'encoder', 'encoder', 'other'],
  ]);
});

test('H.264 comes before H.265, and only what was asked for is taken', () => {
  const both = described(PixelFormat.yuyv, PixelFormat.hevc, PixelFormat.h264);
  assert.equal(chooseCoded(both, undefined)?.codec, Codec.h264);
  assert.equal(chooseCoded(both, Codec.h265)?.pixelFormat, PixelFormat.hevc);
  assert.equal(chooseCoded(described(PixelFormat.h264), Codec.h265), undefined);
  assert.equal(fourccText(PixelFormat.hevc), 'HEVC');
});

test('the raw format is one that both have, the smallest first', () => {
  const encoder = described(PixelFormat.yuyv, PixelFormat.nv12);
  assert.equal(chooseRaw(described(PixelFormat.yuyv, PixelFormat.nv12), encoder), PixelFormat.nv12);
  assert.equal(chooseRaw(described(PixelFormat.uyvy), encoder), undefined);
});

test('without a wish the largest size up to 1080p that is quick enough is taken', () => {
  const sizes = [one(640, 480), one(1280, 720), one(1920, 1080), one(3840, 2160)];
  const rates = (slowWidth: number) => (size: Size) => [size.width >= slowWidth ? 5 : 30];
  const chosen = (slowWidth: number, fps?: number) =>
    chooseSize(sizes, undefined, fps, rates(slowWidth)).width;
  assert.equal(chosen(9999), 1920);
  assert.equal(chosen(1920), 1280);
  assert.equal(chosen(1280), 640);
  assert.equal(chosen(1280, 5), 1920);
  assert.equal(chosen(1), 1920, 'none is quick enough');
  assert.equal(chooseSize([one(3840, 2160)], undefined, undefined, () => []).width, 3840);
  assert.deepEqual(
    chooseSize([], undefined, undefined, () => []),
    { width: 1280, height: 720 },
  );
});

test('a size that there is not becomes the nearest, in a range the nearest step', () => {
  const sizes = [one(640, 480), one(1280, 720)];
  assert.equal(chooseSize(sizes, { width: 1200, height: 700 }, undefined, () => []).width, 1280);
  const range = {
    ...{ minWidth: 32, maxWidth: 1920, stepWidth: 32, minHeight: 32, maxHeight: 1080, stepHeight: 2 },
  };
  assert.deepEqual(
    chooseSize([range], { width: 1300, height: 2000 }, undefined, () => []),
    {
      ...{ width: 1280, height: 1080 },
    },
  );
});

test('the interval is the nearest to the rate', () => {
  const intervals = [60, 30, 15].map(denominator => ({ numerator: 1, denominator }));
  assert.equal(chooseInterval(intervals, 50)?.denominator, 60);
  assert.equal(chooseInterval(intervals, undefined)?.denominator, 30);
  assert.deepEqual(chooseInterval([], 29.97), { numerator: 1000, denominator: 29_970 });
  assert.equal(chooseInterval([], undefined), undefined);
  assert.equal(chooseInterval([{ numerator: 0, denominator: 0 }], 30), undefined);
});

/** A device with these controls, that remembers what it was set to and refuses `refused`. */
function controlled(controls: ReadonlyMap<number, Partial<V4l2Control>>, refused?: number) {
  const values = new Map<number, number>();
  const device: ControlledDevice = {
    queryControl: id => {
      const control = controls.get(id);
      return control && { minimum: 0, maximum: 1e9, step: 1, flags: 0, ...control };
    },
    setControl: (id, value) => {
      if (!controls.has(id) || id === refused) throw new Error('EINVAL');
      values.set(id, value);
    },
  };
  return { device, values };
}

const settings = { codec: Codec.h264, width: 1920, height: 1080, fps: 60, keyframeSeconds: 2 } as const;

test('controls are brought into their ranges; a level is set where size and rate need more than 4.0', () => {
  const { device, values } = controlled(
    new Map<number, Partial<V4l2Control>>([
      [ControlId.bitrate, { minimum: 25_000, maximum: 5_000_000, step: 25_000 }],
      [ControlId.h264IPeriod, { maximum: 100 }],
      [ControlId.bFrames, {}],
      [ControlId.h264Level, {}],
      [ControlId.h264Profile, { flags: 4 }],
      [ControlId.forceKeyFrame, {}],
    ]),
  );
  assert.deepEqual(applyEncoderControls(device, settings), []);
  assert.deepEqual(Object.fromEntries(values), {
    [ControlId.bitrate]: 5_000_000,
    [ControlId.h264IPeriod]: 100,
    [ControlId.bFrames]: 0,
    [ControlId.h264Level]: 13,
  });
  const slower = controlled(new Map([[ControlId.h264Level, {}]]));
  applyEncoderControls(slower.device, { ...settings, fps: 30 });
  assert.equal(slower.values.size, 0);
});

test('what a device lacks or refuses is named, nothing is thrown', () => {
  const { device } = controlled(new Map([[ControlId.bitrate, {}]]), ControlId.bitrate);
  assert.deepEqual(applyEncoderControls(device, settings), [
    ...['bitrate', 'key frame interval', 'key frames on demand'],
  ]);
});

test('the bitrate is the one asked for, or follows size and rate within bounds', () => {
  assert.equal(bitrateOf({ ...settings, bitrateKbps: 3000 }), 3_000_000);
  assert.equal(bitrateOf({ ...settings, fps: 30 }), 4_354_560);
  assert.equal(bitrateOf({ ...settings, width: 128, height: 96, fps: 5 }), 256_000);
});

test('gaps in the numbers of a driver are believed after it has counted by one for a while', () => {
  const watch = new SequenceWatch();
  const missing = (numbers: readonly number[]) => numbers.map(number => watch.missingBefore(number));
  assert.deepEqual(missing([5, 8, 9]), [0, 0, 0], 'not yet');
  const upTo = (last: number) => Array.from({ length: 12 }, (_, i) => last - 11 + i);
  missing(upTo(100));
  assert.deepEqual(missing([104, 105]), [3, 0]);
  missing(upTo(200));
  assert.deepEqual(missing([0, 0, 0]), [0, 0, 0], 'a counter that began again, or does not count');
  missing(upTo(2 ** 32 - 1));
  assert.deepEqual(missing([0, 2]), [0, 1], 'over the end of 32 bits');
});
