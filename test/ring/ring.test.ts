import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Codec, Track } from '../../src/base/tracks.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { wordHead, wordTail } from '../../src/ring/ring-layout.ts';
import { RingProducer } from '../../src/ring/ring-producer.ts';
import { RingWait } from '../../src/ring/ring-wait.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import { makeRing, publish, publishUnits } from './ring-fixture.ts';

const description = {
  track: Track.main,
  codec: Codec.h264,
  flags: 0,
  captureMonoUs: 1,
  wallUnixMs: 2,
  nalCount: 1,
} as const;

test('a reader gets what was published, in order, with everything the slot says', () => {
  const { ring, clock, producer } = makeRing();
  const reader = new RingConsumer(ring);
  clock.nowMonoUs = 77;
  const claim = producer.claim(5);
  claim.bytes.set([1, 2, 3, 4, 5]);
  const flags = RecordFlag.randomAccess | RecordFlag.discontinuity;
  claim.commit({
    ...description,
    track: Track.sub,
    codec: Codec.h265,
    flags,
    captureMonoUs: 33.5,
    wallUnixMs: 44.25,
    lengthBytes: 5,
  });
  const record = reader.next();
  assert.ok(record);
  assert.deepEqual([...record.bytes], [1, 2, 3, 4, 5]);
  assert.deepEqual(
    [
      record.sequence,
      record.track,
      record.codec,
      record.flags,
      record.captureMonoUs,
      record.wallUnixMs,
      record.commitMonoUs,
    ],
    [0, Track.sub, Codec.h265, flags, 33.5, 44.25, 77],
  );
  assert.ok(reader.validate(record));
  assert.equal(reader.next(), undefined);
});

test('a record is one contiguous view of the shared memory, also at the end of the data area', () => {
  const { ring, producer } = makeRing(4096, 16);
  const reader = new RingConsumer(ring);
  for (let i = 0; i < 40; i++) {
    publish(producer, 1500, i);
    const record = reader.next();
    assert.ok(record);
    assert.equal(record.bytes.buffer, ring);
    assert.equal(record.bytes.length, 1500);
    assert.ok(record.bytes.every(byte => byte === i));
    assert.ok(reader.validate(record));
  }
});

test('a claim is filled straight by a file read', () => {
  const { ring, producer } = makeRing();
  const reader = new RingConsumer(ring);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'ring-'));
  const file = path.join(folder, 'frame');
  writeFileSync(file, 'an encoded picture');
  const descriptor = openSync(file, 'r');
  const claim = producer.claim(18);
  assert.equal(readSync(descriptor, claim.bytes), 18);
  claim.commit({ ...description, lengthBytes: 18 });
  closeSync(descriptor);
  rmSync(folder, { recursive: true });
  assert.equal(Buffer.from(reader.next()!.bytes).toString(), 'an encoded picture');
});

test('NAL units are found by the table, and beyond it by their lengths', () => {
  const { ring, producer } = makeRing(65536, 8);
  const reader = new RingConsumer(ring);
  const units = Array.from({ length: 200 }, (_, i) => new Uint8Array((i % 7) + 1).fill(i));
  publishUnits(producer, units);
  const record = reader.next();
  assert.ok(record);
  assert.equal(record.nalCount, 200);
  for (const i of [...units.keys(), 199, 3, 100, 47, 48, 150]) {
    const unit = record.bytes.subarray(record.nalStart(i), record.nalEnd(i));
    assert.deepEqual([...unit], [...units[i]!], `unit ${i}`);
  }
});

test('lying lengths beyond the NAL table never lead out of the record', () => {
  const { ring, producer } = makeRing(65536, 8);
  const reader = new RingConsumer(ring);
  publishUnits(
    producer,
    Array.from({ length: 100 }, () => new Uint8Array(3)),
  );
  const record = reader.next()!;
  record.bytes.fill(0xff);
  for (let i = 0; i < record.nalCount; i++) {
    assert.ok(record.nalStart(i) <= record.bytes.length && record.nalEnd(i) <= record.bytes.length);
    assert.ok(record.nalStart(i) <= record.nalEnd(i));
  }
});

test('a claim grows in place, keeping what was filled', () => {
  const { ring, producer } = makeRing();
  const reader = new RingConsumer(ring);
  const claim = producer.claim(4);
  claim.bytes.set([9, 8, 7, 6]);
  const grown = claim.grow(1000);
  assert.equal(grown.length, 1000);
  assert.equal(claim.bytes, grown);
  grown[999] = 5;
  claim.commit({ ...description, lengthBytes: 1000 });
  const record = reader.next()!;
  assert.deepEqual([...record.bytes.subarray(0, 4), record.bytes[999]], [9, 8, 7, 6, 5]);
});

test('a claim that grows beyond the end of the data area moves to its beginning, keeping what was filled', () => {
  const { ring, producer } = makeRing(4096, 16);
  const reader = new RingConsumer(ring);
  publish(producer, 2000, 1);
  publish(producer, 1500, 2);
  const claim = producer.claim(500);
  claim.bytes.fill(3);
  claim.grow(2000).fill(4, 500);
  claim.commit({ ...description, lengthBytes: 2000 });
  reader.seek(2);
  const record = reader.next()!;
  assert.ok(record.bytes.subarray(0, 500).every(byte => byte === 3));
  assert.ok(record.bytes.subarray(500).every(byte => byte === 4));
  assert.ok(reader.validate(record));
  assert.equal(reader.read(0), undefined, 'the record it moved over is revoked');
});

test('an abandoned claim publishes nothing and the next claim takes its place', () => {
  const { ring, producer } = makeRing();
  const reader = new RingConsumer(ring);
  producer.claim(100).abandon();
  assert.equal(reader.next(), undefined);
  publish(producer, 10, 1);
  assert.equal(reader.next()!.sequence, 0);
});

test('a record larger than half the ring is refused and the ring goes on', () => {
  const { ring, producer } = makeRing(4096);
  const reader = new RingConsumer(ring);
  assert.equal(producer.recordBytesMax, 2048);
  assert.throws(() => producer.claim(2049), { code: 'record-too-large' });
  const claim = producer.claim(10);
  assert.throws(() => claim.grow(2049), { code: 'record-too-large' });
  claim.abandon();
  publish(producer, 2048, 1);
  assert.equal(reader.next()!.bytes.length, 2048);
});

test('a record of length zero is refused, at the claim and at the commit', () => {
  const { ring, producer } = makeRing();
  assert.throws(() => producer.claim(0), { code: 'ring-misused' });
  assert.throws(() => producer.claim(10).commit({ ...description, lengthBytes: 0 }), {
    code: 'ring-misused',
  });
  publish(producer, 10, 1);
  assert.equal(new RingConsumer(ring).read(0)!.bytes.length, 10, 'the ring went on');
});

test('a description that does not fit its claim is refused and nothing is published', () => {
  const { ring, producer } = makeRing();
  const reader = new RingConsumer(ring);
  const wrong = [
    { lengthBytes: 11 },
    { lengthBytes: 10, track: 8 as Track },
    { lengthBytes: 10, nalCount: 0 },
    { lengthBytes: 10, nalCount: 2 },
    { lengthBytes: 10, nalCount: 1, nalTable: new Int32Array([5, 10]) },
    { lengthBytes: 10, nalCount: 1, nalTable: new Int32Array([4, 9]) },
    { lengthBytes: 10, nalCount: 2, nalTable: new Int32Array([4, 5, 8, 10]) },
  ];
  for (const change of wrong)
    assert.throws(() => producer.claim(10).commit({ ...description, ...change }), { code: 'ring-misused' });
  assert.equal(reader.next(), undefined);
});

test('a second claim while one is open is refused, as is the use of a claim that is not', () => {
  const { producer } = makeRing();
  const claim = producer.claim(10);
  assert.throws(() => producer.claim(10), { code: 'ring-misused' });
  claim.abandon();
  assert.throws(() => claim.abandon(), { code: 'ring-misused' });
  assert.throws(() => claim.commit({ ...description, lengthBytes: 1 }), { code: 'ring-misused' });
});

test('a lapped reader is counted and resumes at the newest random access point', () => {
  const { ring, producer } = makeRing(4096, 8);
  const reader = new RingConsumer(ring);
  for (let i = 0; i < 20; i++) publish(producer, 10, i, { randomAccess: i % 6 === 0 });
  const record = reader.next();
  assert.equal(record!.sequence, 18);
  assert.deepEqual([reader.lostRecords, reader.laps], [18, 1]);
  assert.equal(reader.next()!.sequence, 19);
});

test('a lapped reader resumes at the live edge when no random access point is left', () => {
  const { ring, producer } = makeRing(4096, 8);
  const reader = new RingConsumer(ring);
  for (let i = 0; i < 20; i++) publish(producer, 10, i);
  assert.equal(reader.next(), undefined);
  assert.equal(reader.lostRecords, 20);
  publish(producer, 10, 20);
  assert.equal(reader.next()!.sequence, 20);
});

test('a record that is overwritten while in use fails its validation and is counted as lost once', () => {
  const { ring, producer } = makeRing(4096, 8);
  const reader = new RingConsumer(ring);
  publish(producer, 1000, 1);
  const record = reader.next()!;
  for (let i = 0; i < 3; i++) publish(producer, 1000, 2);
  assert.ok(reader.validate(record), 'the data area holds four of them');
  producer.claim(1000).abandon();
  assert.equal(reader.validate(record), false, 'a claim alone revokes');
  assert.equal(reader.validate(record), false);
  assert.equal(reader.lostRecords, 1);
});

test('the failed validation of a record that was read again does not hide the loss of the current one', () => {
  const { ring, producer } = makeRing(4096, 8);
  const reader = new RingConsumer(ring);
  publish(producer, 1000, 1);
  publish(producer, 1000, 2);
  const current = reader.next()!;
  const again = reader.read(1)!;
  for (let i = 0; i < 4; i++) publish(producer, 1000, 3);
  assert.equal(reader.validate(again), false);
  assert.equal(reader.validate(current), false);
  assert.equal(reader.lostRecords, 1);
});

test('every loss is counted: read and lost records together are all that were published', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 0, max: 3 })), {
        maxLength: 200,
      }),
      steps => {
        const { ring, producer } = makeRing(4096, 8);
        const reader = new RingConsumer(ring);
        let seen = 0;
        for (const [lengthBytes, reads] of steps) {
          const sequence = publish(producer, lengthBytes, lengthBytes & 255, {
            randomAccess: lengthBytes % 3 === 0,
          });
          for (let i = 0; i < reads; i++) {
            const record = reader.next();
            if (!record) break;
            assert.ok(record.bytes.every(byte => byte === (record.bytes.length & 255)));
            assert.ok(record.sequence <= sequence);
            seen++;
          }
        }
        while (reader.next()) seen++;
        assert.equal(seen + reader.lostRecords, steps.length);
      },
    ),
  );
});

test('a track mask hides the other tracks', () => {
  const { ring, producer } = makeRing();
  const reader = new RingConsumer(ring, { tracks: 1 << Track.audio });
  publish(producer, 10, 1, { track: Track.main });
  publish(producer, 10, 2, { track: Track.audio });
  publish(producer, 10, 3, { track: Track.sub });
  assert.equal(reader.next()!.bytes[0], 2);
  assert.equal(reader.next(), undefined);
});

test('the newest random access point is kept for each track, until it is overwritten', () => {
  const { ring, producer } = makeRing(4096, 8);
  const reader = new RingConsumer(ring);
  assert.equal(reader.newestRandomAccess(Track.main), undefined);
  publish(producer, 10, 1, { track: Track.main, randomAccess: true });
  publish(producer, 10, 2, { track: Track.sub, randomAccess: true });
  publish(producer, 10, 3, { track: Track.main });
  assert.equal(reader.newestRandomAccess(Track.main), 0);
  assert.equal(reader.newestRandomAccess(Track.sub), 1);
  assert.equal(reader.newestRandomAccess(Track.audio), undefined);
  for (let i = 0; i < 7; i++) publish(producer, 10, 4);
  assert.equal(reader.newestRandomAccess(Track.main), undefined);
  assert.equal(reader.newestRandomAccess(Track.sub), undefined);
});

test('a late reader joins at the newest random access point', () => {
  const { ring, producer } = makeRing(4096, 8);
  for (let i = 0; i < 6; i++) publish(producer, 10, i, { randomAccess: i === 3 });
  const reader = new RingConsumer(ring);
  reader.seek(reader.newestRandomAccess(Track.main)!);
  assert.deepEqual(
    [reader.next()!.bytes[0], reader.next()!.bytes[0], reader.next()!.bytes[0], reader.next()],
    [3, 4, 5, undefined],
  );
  reader.seek(3);
  reader.seekLive();
  assert.equal(reader.next(), undefined);
});

test('any record in the ring can be read again by its sequence, without moving the reader', () => {
  const { ring, producer } = makeRing(4096, 8);
  const reader = new RingConsumer(ring);
  for (let i = 0; i < 10; i++) publish(producer, 10, i);
  assert.equal(reader.read(1), undefined, 'overwritten');
  assert.equal(reader.read(10), undefined, 'not yet published');
  assert.equal(reader.read(5)!.bytes[0], 5);
  assert.equal(reader.position, 0);
});

test('sequences wrap at 2^32 and nothing is lost', () => {
  const { ring } = makeRing(4096, 8);
  const words = new Int32Array(ring);
  words[wordHead] = -3;
  words[wordTail] = -3;
  const producer = new RingProducer(ring, { monoUs: () => 0, wallUnixMs: () => 0 });
  const reader = new RingConsumer(ring);
  const sequences = [];
  for (let i = 0; i < 8; i++) {
    publish(producer, 600, i, { randomAccess: i === 6 });
    const record = reader.next()!;
    sequences.push(record.sequence);
    assert.equal(record.bytes[0], i);
    assert.ok(reader.validate(record));
  }
  assert.deepEqual(sequences, [4294967293, 4294967294, 4294967295, 0, 1, 2, 3, 4]);
  assert.equal(reader.newestRandomAccess(Track.main), 3);
  assert.equal(reader.lostRecords, 0);
  const late = new RingConsumer(ring);
  late.seek(4294967293);
  assert.equal(late.next()!.sequence, 3, 'a reader left behind the wrap resumes beyond it');
  assert.equal(late.lostRecords, 6);
});

test('a clock that goes backwards changes neither order nor content', () => {
  const { ring, clock, producer } = makeRing();
  const reader = new RingConsumer(ring);
  clock.nowMonoUs = 2000;
  publish(producer, 10, 1, { captureMonoUs: 2000 });
  clock.nowMonoUs = 1000;
  publish(producer, 10, 2, { captureMonoUs: 1000 });
  const first = reader.next()!;
  assert.deepEqual([first.bytes[0], first.captureMonoUs, first.commitMonoUs], [1, 2000, 2000]);
  const second = reader.next()!;
  assert.deepEqual([second.bytes[0], second.captureMonoUs, second.commitMonoUs], [2, 1000, 1000]);
});

test('another producer goes on where a dead one stopped in the middle of a claim', () => {
  const { ring, producer } = makeRing(4096, 8);
  const reader = new RingConsumer(ring);
  for (let i = 0; i < 5; i++) publish(producer, 700, i, { randomAccess: i === 4 });
  producer.claim(700).bytes.fill(0xee);
  const successor = new RingProducer(ring, { monoUs: () => 0, wallUnixMs: () => 0 });
  publish(successor, 700, 5);
  const seen = [];
  for (let record = reader.next(); record; record = reader.next()) {
    seen.push(record.bytes[0]);
    assert.ok(record.bytes.every(byte => byte === record.bytes[0]));
  }
  assert.deepEqual(seen, [4, 5]);
});

test('a keyframe request reaches the producer once, for its track alone', () => {
  const { ring, producer } = makeRing();
  const reader = new RingConsumer(ring);
  reader.requestKeyframe(Track.sub);
  reader.requestKeyframe(Track.sub);
  assert.equal(producer.takeKeyframeWanted(Track.main), false);
  assert.equal(producer.takeKeyframeWanted(Track.sub), true);
  assert.equal(producer.takeKeyframeWanted(Track.sub), false);
});

test('waiting ends at once when the record is there, at the commit, or at the time limit', async t => {
  const { ring, producer } = makeRing();
  const wait = new RingWait(ring);
  // A pending asynchronous wait keeps no process alive; the test must.
  const alive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(alive));
  assert.equal(wait.forRecord(0, 1), false);
  assert.equal(await wait.forRecordAsync(0, 1), false);
  const waiting = wait.forRecordAsync(0, 10_000);
  assert.ok(waiting instanceof Promise);
  publish(producer, 10, 1);
  assert.equal(await waiting, true);
  assert.equal(wait.forRecord(0, 1), true);
  assert.equal(wait.forRecordAsync(0, 1), true);
});

test('a wait for a keyframe request ends when one comes', async t => {
  const { ring, producer } = makeRing();
  const alive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(alive));
  const waiting = new RingWait(ring).forKeyframeWantedAsync(10_000);
  new RingConsumer(ring).requestKeyframe(Track.main);
  await waiting;
  assert.ok(producer.takeKeyframeWanted(Track.main));
});
