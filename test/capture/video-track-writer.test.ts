import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Codec } from '../../src/base/tracks.ts';
import { LengthPrefixedReader } from '../../src/codec/length-prefixed.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import { accessUnit, hex, idr, inter, makeCapture, otherSps, pps, sps } from './capture-fixture.ts';

const key = (...units: Uint8Array[]) => accessUnit(units, { randomAccess: true });

test('puts each NAL unit behind its 4-byte length and marks the first record as a discontinuity', () => {
  const { writer, reader, statistics } = makeCapture();
  writer.begin({ codec: Codec.h264 });
  assert.equal(writer.write(key(sps, pps, idr(40)), 5_000), true);
  assert.equal(writer.write(accessUnit([inter(30)]), 6_000), true);
  const [first, second] = reader.take();
  assert.deepEqual(first!.units, [sps, pps, idr(40)].map(hex));
  assert.equal(first!.flags, RecordFlag.randomAccess | RecordFlag.discontinuity);
  assert.equal(second!.flags, 0);
  assert.deepEqual([first!.captureMonoUs, second!.captureMonoUs], [5_000, 6_000]);
  assert.equal(statistics.records, 2);
});

test('gives the wall clock of the capture time, not of the commit', () => {
  const { writer, reader, manualClock } = makeCapture();
  writer.begin({ codec: Codec.h264 });
  writer.write(key(sps, pps, idr(4)), manualClock.nowMonoUs - 250_000);
  assert.equal(reader.take()[0]!.wallUnixMs, manualClock.nowWallUnixMs - 250);
});

test('drops and counts pictures before the first random access point with complete parameter sets', () => {
  const { writer, reader, statistics } = makeCapture();
  writer.begin({ codec: Codec.h264 });
  assert.equal(writer.write(accessUnit([inter(9)]), 1), false);
  assert.equal(writer.write(key(sps, idr(9)), 2), false, 'the PPS is missing');
  assert.equal(writer.write(accessUnit([pps, inter(9)]), 3), false);
  assert.equal(writer.write(key(idr(9)), 4), true);
  assert.equal(reader.take().length, 1);
  assert.equal(statistics.dropped, 3);
});

test('puts the stored parameter sets in front of a random access unit that lacks them', () => {
  const { writer, reader } = makeCapture();
  writer.begin({ codec: Codec.h264, parameterSets: [sps, pps] });
  writer.write(key(idr(9)), 1);
  writer.write(key(Uint8Array.of(6, 1, 1, 0x80), pps, idr(9)), 2);
  const [first, second] = reader.take();
  assert.deepEqual(first!.units, [sps, pps, idr(9)].map(hex));
  assert.deepEqual(second!.units, [sps, pps, Uint8Array.of(6, 1, 1, 0x80), idr(9)].map(hex));
});

test('marks the next random access record and reports the track when the parameter sets change', () => {
  const { writer, reader, infos } = makeCapture();
  writer.begin({ codec: Codec.h264 });
  writer.write(key(sps, pps, idr(9)), 1);
  writer.write(key(sps, pps, idr(9)), 2);
  writer.write(key(otherSps, pps, idr(9)), 3);
  writer.write(key(otherSps, pps, idr(9)), 4);
  assert.deepEqual(
    reader.take().map(record => record.discontinuity),
    [true, false, true, false],
  );
  assert.deepEqual(
    infos.map(({ width, height, framesPerSecond }) => [width, height, framesPerSecond]),
    [
      [1280, 720, 30],
      [1920, 1080, 60],
    ],
  );
});

test('after a loss drops what refers to it and goes on at a random access point, marked', () => {
  const { writer, reader, statistics } = makeCapture();
  writer.begin({ codec: Codec.h264 });
  writer.write(key(sps, pps, idr(9)), 1);
  writer.markLoss('test');
  assert.equal(writer.write(accessUnit([inter(9)]), 2), false);
  assert.equal(writer.write(key(idr(9)), 3), true);
  assert.deepEqual(
    reader.take().map(record => record.discontinuity),
    [true, true],
  );
  assert.deepEqual([statistics.losses, statistics.dropped], [1, 1]);
});

test('drops a picture larger than the ring takes and goes on at the next random access point', () => {
  const { writer, reader, statistics, producer } = makeCapture({ dataBytes: 8192 });
  writer.begin({ codec: Codec.h264 });
  writer.write(key(sps, pps, idr(100)), 1);
  assert.equal(writer.write(accessUnit([inter(producer.recordBytesMax)]), 2), false);
  assert.equal(writer.write(accessUnit([inter(10)]), 3), false);
  assert.equal(writer.write(key(idr(10)), 4), true);
  assert.equal(statistics.tooLarge, 1);
  assert.deepEqual(
    reader.take().map(record => record.captureMonoUs),
    [1, 4],
  );
});

test('gives strictly increasing capture times, whatever the source says', () => {
  const { writer, reader } = makeCapture();
  writer.begin({ codec: Codec.h264 });
  for (const time of [100, 100, 40, 101, 500]) writer.write(key(sps, pps, idr(9)), time);
  writer.begin({ codec: Codec.h264 });
  writer.write(key(sps, pps, idr(9)), 3);
  assert.deepEqual(
    reader.take().map(record => record.captureMonoUs),
    [100, 101, 102, 103, 500, 501],
  );
});

test('begins anew with a run of another codec', () => {
  const { writer, reader, infos } = makeCapture();
  writer.begin({ codec: Codec.h264 });
  writer.write(key(sps, pps, idr(9)), 1);
  writer.begin({ codec: Codec.h264, playedPerSecond: 12 });
  assert.equal(writer.write(key(idr(9)), 2), false, 'the sets of the last run are not those of this one');
  writer.write(key(sps, pps, idr(9)), 3);
  assert.equal(reader.take()[1]!.discontinuity, true);
  assert.deepEqual(
    infos.map(info => info.framesPerSecond),
    [30, 12],
  );
});

test('flags pictures that others do not refer to, and those with B slices', () => {
  const { writer, reader } = makeCapture();
  writer.begin({ codec: Codec.h264 });
  writer.write(key(sps, pps, idr(9)), 1);
  writer.write(accessUnit([inter(9)], { nonReference: true, bidirectional: true }), 2);
  assert.equal(reader.take()[1]!.flags, RecordFlag.nonReference | RecordFlag.bidirectional);
});

function prefixed(...units: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(units.flatMap(unit => [0, 0, unit.length >> 8, unit.length & 255, ...unit]));
}

for (const [what, sample, expected] of [
  ['a sample that lies ready', prefixed(sps, pps, idr(200)), [sps, pps, idr(200)]],
  [
    'a sample with an access unit delimiter',
    prefixed(Uint8Array.of(9, 0xf0), sps, pps, idr(5)),
    [sps, pps, idr(5)],
  ],
  ['a sample without parameter sets', prefixed(idr(200)), [sps, pps, idr(200)]],
  ['a sample with its parameter sets turned round', prefixed(pps, sps, idr(7)), [sps, pps, idr(7)]],
] as const)
  test(`publishes ${what} that was read into a claim`, () => {
    const { writer, reader } = makeCapture();
    writer.begin({ codec: Codec.h264, parameterSets: [sps, pps] });
    const claim = writer.claim(sample.length)!;
    claim.bytes.set(sample);
    const unit = new LengthPrefixedReader(Codec.h264, 4).read(claim.bytes);
    assert.equal(writer.write(unit, 1, claim), true);
    assert.deepEqual(reader.take()[0]!.units, expected.map(hex));
  });
