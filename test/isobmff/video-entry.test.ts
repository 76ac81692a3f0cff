import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CameraError } from '../../src/base/errors.ts';
import { Codec, type VideoCodec } from '../../src/base/tracks.ts';
import type { VideoFormat } from '../../src/codec/access-unit.ts';
import { ParameterSetTracker } from '../../src/codec/parameter-sets.ts';
import { syntaxOf } from '../../src/codec/syntax-of.ts';
import { segmentHeadBytesMax } from '../../src/isobmff/segment-head.ts';
import { videoSampleEntry } from '../../src/isobmff/video-entry.ts';
import { cutAll, fixture } from '../codec/streams.ts';
import { type Box, boxesOf } from './box-tree.ts';

interface Sets {
  readonly nalUnits: readonly Uint8Array[];
  readonly format: VideoFormat;
}

function setsOf(codec: VideoCodec, name: string): Sets {
  const { pictures } = cutAll(codec, fixture(name));
  const tracker = new ParameterSetTracker(codec);
  const { parameterSetKind, nalUnitType } = syntaxOf(codec);
  for (const nalUnit of pictures[0]!.nalUnits)
    if (parameterSetKind(nalUnitType(nalUnit[0]!)) !== undefined) tracker.store(nalUnit);
  return { nalUnits: tracker.nalUnits, format: tracker.format! };
}

/** avcC or hvcC: what follows the 78 bytes of a visual sample entry. */
function configurationOf(entry: Uint8Array): Box {
  const [box] = boxesOf(entry);
  return boxesOf(box!.body.subarray(78))[0]!;
}

const demo264 = setsOf(Codec.h264, 'demo-720p30.h264');
const demo265 = setsOf(Codec.h265, 'demo-720p30-hevc.h265');
const isInvalid = (error: unknown): boolean =>
  error instanceof CameraError && error.code === 'stream-invalid';

test('the sample entry carries the size of the picture and the code of the codec', () => {
  for (const [codec, sets, type] of [
    [Codec.h264, demo264, 'avc1'],
    [Codec.h265, demo265, 'hvc1'],
  ] as const) {
    const boxes = boxesOf(videoSampleEntry(codec, sets.nalUnits, sets.format));
    assert.deepEqual(
      boxes.map(box => box.type),
      [type],
    );
    const { body } = boxes[0]!;
    assert.equal(body.readUInt16BE(6), 1, 'data_reference_index');
    assert.deepEqual([body.readUInt16BE(24), body.readUInt16BE(26)], [1280, 720]);
    assert.equal(body.readInt16BE(76), -1, 'pre_defined');
  }
});

test('avcC of Baseline ends behind the parameter sets', () => {
  const [sps, pps] = demo264.nalUnits as [Uint8Array, Uint8Array];
  const { type, body } = configurationOf(videoSampleEntry(Codec.h264, demo264.nalUnits, demo264.format));
  assert.equal(type, 'avcC');
  const expected = Buffer.concat([
    Uint8Array.of(1, sps[1]!, sps[2]!, sps[3]!, 0xff, 0xe1, 0, sps.length),
    sps,
    Uint8Array.of(1, 0, pps.length),
    pps,
  ]);
  assert.deepEqual(body, expected);
});

test('avcC of High profiles ends with chroma format and bit depths', () => {
  for (const [name, profileIdc, tail] of [
    // 6 bits set and the chroma format; 5 bits set and the bits of a sample less 8, twice; no set extension.
    ['slices-b-322x242.h264', 100, 'fdf8f800'],
    ['scaling-hrd-128x96.h264', 244, 'fffafa00'],
  ] as const) {
    const { nalUnits, format } = setsOf(Codec.h264, name);
    assert.equal(format.profileIdc, profileIdc);
    const { body } = configurationOf(videoSampleEntry(Codec.h264, nalUnits, format));
    const [sps, pps] = nalUnits as [Uint8Array, Uint8Array];
    assert.equal(body.length, 6 + 2 + sps.length + 1 + 2 + pps.length + 4);
    assert.equal(body.subarray(-4).toString('hex'), tail);
  }
});

test('hvcC of Main 10 tells its bit depth', () => {
  const { nalUnits, format } = setsOf(Codec.h265, 'scaling-hrd-130x98.h265');
  const { body } = configurationOf(videoSampleEntry(Codec.h265, nalUnits, format));
  assert.equal(body[1]! & 0x1f, 2, 'general_profile_idc');
  assert.equal(body.subarray(15, 19).toString('hex'), 'fcfdfafa');
});

test('hvcC carries the profile, tier and level of the SPS without emulation prevention', () => {
  const { type, body } = configurationOf(videoSampleEntry(Codec.h265, demo265.nalUnits, demo265.format));
  assert.equal(type, 'hvcC');
  // Main profile, Main tier, compatible with Main and Main 10, progressive and frame-only, level 3.1. In the NAL unit
  // these bytes read 01 60 00 00 03 00 90 00 00 03 00 00 03 00 5d.
  assert.equal(body.subarray(0, 13).toString('hex'), '01' + '01' + '60000000' + '900000000000' + '5d');
  assert.equal(body.subarray(13, 19).toString('hex'), 'f000' + 'fc' + 'fd' + 'f8' + 'f8');
  assert.equal(body.readUInt16BE(19), 30 * 256, 'avgFrameRate');
  assert.equal(body[21], 0b00_001_1_11, 'one temporal layer, nested, lengths of 4 bytes');
  assert.equal(body[22], 3, 'arrays');
  let at = 23;
  for (const [i, nalUnit] of demo265.nalUnits.entries()) {
    assert.equal(body[at], 0x80 | (32 + i), 'a complete array');
    assert.deepEqual([body.readUInt16BE(at + 1), body.readUInt16BE(at + 3)], [1, nalUnit.length]);
    assert.deepEqual(body.subarray(at + 5, at + 5 + nalUnit.length), Buffer.from(nalUnit));
    at += 5 + nalUnit.length;
  }
  assert.equal(at, body.length);
});

test('several sequence parameter sets: the one of the format names profile and level', () => {
  const [sps, pps] = demo264.nalUnits as [Uint8Array, Uint8Array];
  const other = setsOf(Codec.h264, '1080p60.h264');
  const entry = videoSampleEntry(Codec.h264, [other.nalUnits[0]!, sps, pps], demo264.format);
  const { body } = configurationOf(entry);
  assert.notEqual(other.format.levelIdc, demo264.format.levelIdc);
  assert.equal(body[3], demo264.format.levelIdc);
  assert.equal(body[5], 0xe2, 'both sets are there');
});

test('leaves out sets beyond the bound, so that every head fits its reader', () => {
  const [sps, pps] = demo264.nalUnits as [Uint8Array, Uint8Array];
  const large = new Uint8Array(8000);
  large.set(pps);
  const entry = videoSampleEntry(Codec.h264, [sps, ...new Array(255).fill(large)], demo264.format);
  assert.ok(entry.length > 4 * 8000 && entry.length < segmentHeadBytesMax / 2 + 8192, `${entry.length}`);
  const many = videoSampleEntry(Codec.h264, [sps, ...new Array(255).fill(pps)], demo264.format);
  assert.ok(boxesOf(many).length === 1);
});

test('refuses sets that are no stream', () => {
  const [sps, pps] = demo264.nalUnits as [Uint8Array, Uint8Array];
  assert.throws(() => videoSampleEntry(Codec.h264, [sps], demo264.format), isInvalid);
  assert.throws(() => videoSampleEntry(Codec.h264, [pps], demo264.format), isInvalid);
  assert.throws(() => videoSampleEntry(Codec.h265, demo265.nalUnits.slice(1), demo265.format), isInvalid);
  for (let bytes = 0; bytes < 10; bytes++)
    assert.throws(
      () => videoSampleEntry(Codec.h264, [sps.subarray(0, bytes), pps], demo264.format),
      isInvalid,
      `${bytes} bytes`,
    );
});
