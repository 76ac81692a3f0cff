import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Codec } from '../../src/base/tracks.ts';
import { G711Stream } from '../../src/capture/command-audio-run.ts';
import { makeCapture } from './capture-fixture.ts';

test('cuts a stream of G.711 into frames of 160 bytes, however the reads cut it', () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 700 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(pieces, reads => {
      const { audioWriter, reader, clock } = makeCapture();
      audioWriter.begin(Codec.pcmu);
      const stream = new G711Stream(audioWriter, clock);
      let frames = 0;
      for (const read of reads) frames += stream.push(read);
      const all = Buffer.concat(reads);
      const records = reader.take();
      assert.equal(frames, Math.floor(all.length / 160));
      assert.equal(
        records.map(record => record.units[0]).join(''),
        all.subarray(0, frames * 160).toString('hex'),
      );
      for (let i = 1; i < records.length; i++)
        assert.ok(records[i]!.captureMonoUs > records[i - 1]!.captureMonoUs);
    }),
  );
});

test('gives the frames of one block times 20 ms apart, the last of them its arrival', () => {
  const { audioWriter, reader, clock, manualClock } = makeCapture();
  audioWriter.begin(Codec.pcmu);
  new G711Stream(audioWriter, clock).push(new Uint8Array(480));
  assert.deepEqual(
    reader.take().map(record => Math.round(record.captureMonoUs - manualClock.nowMonoUs)),
    [-60_000, -40_000, -20_000],
  );
});

test('marks the frame after a gap', () => {
  const { audioWriter, reader, clock, manualClock } = makeCapture();
  audioWriter.begin(Codec.pcmu);
  const stream = new G711Stream(audioWriter, clock);
  for (const waitMs of [0, 20, 5000, 20]) {
    manualClock.advanceUs(waitMs * 1000);
    stream.push(new Uint8Array(160));
  }
  assert.deepEqual(
    reader.take().map(record => record.discontinuity),
    [true, false, true, false],
  );
});
