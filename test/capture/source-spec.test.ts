import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Codec } from '../../src/base/tracks.ts';
import { detectVideoCodec } from '../../src/capture/codec-detection.ts';
import { parseAudioSource, parseVideoSource } from '../../src/capture/source-spec.ts';
import { annexB, bytesOf, idr, pps, sps } from './capture-fixture.ts';

test('reads the video source strings of the configuration', () => {
  assert.equal(parseVideoSource(''), undefined);
  assert.deepEqual(parseVideoSource('demo'), { kind: 'demo' });
  assert.deepEqual(parseVideoSource('file:/a b:c.mp4'), { kind: 'file', path: '/a b:c.mp4' });
  assert.deepEqual(parseVideoSource('v4l2:/dev/video0'), {
    kind: 'v4l2',
    options: { device: '/dev/video0', keyframeSeconds: 2 },
  });
  assert.deepEqual(parseVideoSource('command:a | b:c'), {
    kind: 'command',
    command: 'a | b:c',
    codec: undefined,
  });
  assert.deepEqual(parseVideoSource('command+h265:x'), { kind: 'command', command: 'x', codec: Codec.h265 });
});

test('reads the audio source strings, auto as the demo where the video is the demo', () => {
  assert.equal(parseAudioSource('', 'demo'), undefined);
  assert.equal(parseAudioSource('auto', 'file:x'), undefined);
  assert.deepEqual(parseAudioSource('auto', 'demo'), { kind: 'demo' });
  assert.deepEqual(parseAudioSource('command:x', ''), { kind: 'command', command: 'x', codec: Codec.pcmu });
  assert.deepEqual(parseAudioSource('command+pcma:x', ''), {
    kind: 'command',
    command: 'x',
    codec: Codec.pcma,
  });
});

for (const text of [
  'nonsense',
  'file:',
  'file: ',
  'command+vp8:x',
  'file+h264:x',
  'toString:x',
  'command+toString:x',
])
  test(`refuses the source ${JSON.stringify(text)} as a configuration error`, () => {
    assert.throws(() => parseVideoSource(text), { code: 'config-invalid' });
    assert.throws(() => parseAudioSource(text, ''), { code: 'config-invalid' });
  });

test('tells the codec by the first sequence parameter set', () => {
  assert.equal(detectVideoCodec(annexB(idr(9), sps, pps)), Codec.h264);
  assert.equal(detectVideoCodec(annexB(bytesOf('46 0150'), bytesOf('40 010c01ff'), sps)), Codec.h265);
  assert.equal(detectVideoCodec(annexB(bytesOf('28 01af0912'))), undefined, 'an IDR_N_LP of H.265 is no PPS');
  assert.equal(detectVideoCodec(new Uint8Array(1000)), undefined);
});
