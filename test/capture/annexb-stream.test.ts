import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Codec } from '../../src/base/tracks.ts';
import { AnnexBStream } from '../../src/capture/annexb-stream.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';
import { annexB, hex, idr, inter, makeCapture, pps, sps } from './capture-fixture.ts';

function makeStream(options: Parameters<typeof makeCapture>[0] = {}) {
  const capture = makeCapture(options);
  let onPicture: () => void = () => undefined;
  const stream = new AnnexBStream({
    writer: capture.writer,
    clock: capture.clock,
    configuredPerSecond: 0,
    onPicture: () => onPicture(),
  });
  return {
    ...capture,
    stream,
    nextPicture: () =>
      new Promise<void>(resolve => {
        onPicture = resolve;
      }),
  };
}

/** Pushes in pieces of these lengths, over and over. */
function pushPieces(stream: AnnexBStream, bytes: Uint8Array, lengths: readonly number[]): void {
  let i = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = lengths[i++ % lengths.length]!;
    stream.push(bytes.subarray(at, at + length), false);
    at += length;
  }
}

test('what is in the ring equals what went in, however the reads cut the stream', () => {
  const picture = fc.record({ length: fc.integer({ min: 1, max: 400 }), seed: fc.nat(255) });
  const groups = fc.array(fc.array(picture, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 });
  const lengths = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(groups, lengths, (gops, pieces) => {
      const { stream, reader, statistics } = makeStream();
      const expected: string[][] = [];
      const units: Uint8Array[] = [];
      for (const gop of gops)
        for (const [i, { length, seed }] of gop.entries()) {
          const picture = i === 0 ? [sps, pps, idr(length, seed)] : [inter(length, seed)];
          units.push(...picture);
          expected.push(picture.map(hex));
        }
      pushPieces(stream, annexB(...units), pieces);
      stream.end();
      assert.deepEqual(
        reader.take().map(record => record.units),
        expected,
      );
      assert.deepEqual([statistics.dropped, statistics.garbageBytes, statistics.losses], [0, 0, 0]);
    }),
    { numRuns: 200 },
  );
});

test('gives a picture without waiting for the next one when the source pauses', async () => {
  const { stream, reader, nextPicture } = makeStream({ clock: systemClock });
  const first = nextPicture();
  stream.push(annexB(sps, pps, idr(300)), true);
  await first;
  assert.equal(reader.take().length, 1);
  const second = nextPicture();
  stream.push(annexB(inter(200)), true);
  await second;
  assert.deepEqual(reader.take()[0]!.units, [hex(inter(200))]);
  stream.close();
});

test('takes the arrival of its first byte as the capture time of a picture', () => {
  const { stream, reader, manualClock } = makeStream();
  const picture = annexB(sps, pps, idr(300));
  manualClock.nowMonoUs = 1000;
  stream.push(picture.subarray(0, 50), false);
  manualClock.nowMonoUs = 2000;
  stream.push(picture.subarray(50), false);
  manualClock.nowMonoUs = 3000;
  stream.push(annexB(inter(80)), false);
  manualClock.nowMonoUs = 4000;
  stream.push(annexB(inter(81)), false);
  stream.end();
  assert.deepEqual(
    reader.take().map(record => record.captureMonoUs),
    [1000, 3000, 4000],
  );
});

test('counts a picture that was ended too early, becomes more patient and goes on at the next random access point', async () => {
  const { stream, reader, statistics, nextPicture } = makeStream({ clock: systemClock });
  stream.push(annexB(sps, pps, idr(30)), false);
  stream.push(annexB(inter(100)), true);
  const patience = stream.quietUs;
  await nextPicture();
  stream.push(Uint8Array.of(7, 7, 7, ...annexB(inter(20), sps, pps, idr(40), inter(9))), false);
  stream.end();
  assert.equal(statistics.earlyFlushes, 1);
  assert.equal(stream.quietUs, 2 * patience);
  const records = reader.take();
  assert.deepEqual(
    records.map(record => record.discontinuity),
    [true, false, true, false],
  );
  assert.deepEqual(records[2]!.units.at(-1), hex(idr(40)));
});

test('counts and logs garbage, and goes on at the next random access point', () => {
  const { stream, reader, statistics, logger } = makeStream();
  stream.push(annexB(sps, pps, idr(30), inter(9)), false);
  // A NAL unit with the forbidden bit set, as noise on the pipe makes it.
  stream.push(annexB(Uint8Array.of(0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9)), false);
  stream.push(annexB(inter(10), inter(11), sps, pps, idr(31), inter(12)), false);
  stream.end();
  assert.ok(statistics.garbageBytes >= 10);
  assert.equal(statistics.losses, 1);
  const records = reader.take();
  assert.deepEqual(records.at(-2)!.units.at(-1), hex(idr(31)));
  assert.equal(records.at(-2)!.discontinuity, true);
  assert.equal(logger.lines.filter(line => line.level === 'warn').length, 1);
});

test('finds the codec out, in whatever is in front of it', () => {
  const { stream, reader, statistics } = makeStream();
  stream.push(Uint8Array.of(1, 2, 3, 4, 5), false);
  pushPieces(stream, annexB(inter(9), sps, pps, idr(12)), [3]);
  stream.end();
  assert.equal(reader.take()[0]!.codec, Codec.h264);
  assert.equal(statistics.garbageBytes, 5);
});

test('gives up what holds no parameter sets, in bounded memory', () => {
  const { stream, statistics, reader } = makeStream();
  const noise = new Uint8Array(64 * 1024).fill(0xa5);
  for (let i = 0; i < 40; i++) stream.push(noise, false);
  assert.ok(statistics.garbageBytes > 2 ** 20);
  stream.push(annexB(sps, pps, idr(12)), false);
  stream.end();
  assert.equal(reader.take().length, 1);
});

test('drops a picture of 20 MiB and goes on at the next random access point', () => {
  const { stream, reader, statistics } = makeStream();
  stream.push(annexB(sps, pps, idr(30)), false);
  const slice = annexB(inter(3));
  stream.push(slice, false);
  const piece = new Uint8Array(64 * 1024).fill(0x55);
  for (let i = 0; i < 320; i++) stream.push(piece, false);
  stream.push(annexB(inter(5), sps, pps, idr(31)), false);
  stream.end();
  assert.equal(statistics.tooLarge, 1);
  assert.deepEqual(
    reader.take().map(record => record.units.at(-1)),
    [hex(idr(30)), hex(idr(31))],
  );
});
