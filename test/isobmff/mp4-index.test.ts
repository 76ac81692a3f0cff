import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { CameraError } from '../../src/base/errors.ts';
import { Codec } from '../../src/base/tracks.ts';
import { Mp4Index, type Mp4VideoSamples } from '../../src/isobmff/mp4-index.ts';

const demo = readFileSync(new URL('../../assets/demo/demo-720p30.mp4', import.meta.url));

function indexOf(bytes: Uint8Array, pieceBytes: number): Mp4VideoSamples {
  const index = new Mp4Index();
  let reads = 0;
  for (let offset = 0; offset < bytes.length && reads < 100_000; reads++)
    offset = index.append(bytes.subarray(offset, offset + pieceBytes), offset);
  return index.finish(bytes.length);
}

for (const pieceBytes of [100, 4096, 1 << 21])
  test(`finds the samples of a file that is read ${pieceBytes} bytes at a time`, () => {
    const samples = indexOf(demo, pieceBytes);
    assert.deepEqual(
      [samples.codec, samples.lengthSize, samples.count, samples.durationUs],
      [Codec.h264, 4, 300, 10_000_000],
    );
    assert.deepEqual(
      samples.parameterSets.map(set => set[0]! & 0x1f),
      [7, 8],
    );
    for (let i = 0; i < samples.count; i++) {
      // Each sample is a run of length-prefixed NAL units that ends exactly at its end.
      const end = samples.offsets[i]! + samples.sizes[i]!;
      let at = samples.offsets[i]!;
      while (at < end) at += 4 + demo.readUInt32BE(at);
      assert.equal(at, end);
      assert.equal(samples.decodeTimesUs[i], Math.round((i * 1e6) / 30));
    }
  });

test('refuses damaged files with a stream error and nothing else', () => {
  const tables = demo.indexOf('mdat');
  const damage = fc.array(fc.tuple(fc.integer({ min: 0, max: tables }), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(damage, changes => {
      const bytes = new Uint8Array(demo.subarray(0, 60_000));
      for (const [at, value] of changes) bytes[at] = value;
      try {
        indexOf(bytes, 65_536);
      } catch (error) {
        assert.ok(error instanceof CameraError, String(error));
        assert.equal(error.code, 'stream-invalid');
      }
    }),
    { numRuns: 300 },
  );
});
