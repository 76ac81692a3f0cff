/** From the ring to files: fragments, segments, and everything that can go wrong on the way. */
import assert from 'node:assert/strict';
import { readFileSync, renameSync } from 'node:fs';
import { test } from 'node:test';
import type { SegmentRecord } from '../../src/isobmff/recorded-segment.ts';
import { mendSegment } from '../../src/recorder/segment-repair.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import { demo, deviceUuid, other, Recording } from './recorder-fixture.ts';

/** What lies in a closed file, by its own table. */
async function contentsOf(recording: Recording, segment: SegmentRecord) {
  const mended = await mendSegment(recording.folder, { deviceUuid, ...segment });
  assert.ok(mended && !mended.wasTorn);
  assert.deepEqual(mended.segment, segment);
  return mended.fragments;
}

test('a fragment holds four fifths of the loss that is allowed at most, and is told of when it can be read back', async t => {
  const recording = new Recording(t);
  await recording.play(demo.pictures, 150);
  assert.equal(recording.opened.length, 1);
  assert.ok(recording.fragments.length >= 6);
  for (const { fragment } of recording.fragments) assert.ok(fragment.videoDuration90k <= 0.8 * 90_000 + 3000);
  const bytes = readFileSync(recording.fileOf(recording.opened[0]!));
  const { fragment } = recording.fragments.at(-1)!;
  assert.equal(bytes.length, fragment.offset + fragment.lengthBytes);
  await recording.recorder.finish();
  const [segment] = recording.closed;
  assert.deepEqual(
    await contentsOf(recording, segment!),
    recording.fragments.map(each => each.fragment),
  );
  assert.equal(segment!.counts.videoSamples, 150);
  assert.equal(segment!.gaps, 0);
  assert.ok(Math.abs(segment!.duration90k - 150 * 3000) <= 2);
});

test('fragments follow one another without a gap, each from where the one before ends', async t => {
  const recording = new Recording(t);
  await recording.play(demo.pictures, 200);
  let end = 0;
  for (const [i, { fragment }] of recording.fragments.entries()) {
    assert.equal(fragment.number, i);
    assert.equal(fragment.videoStart90k, end);
    end += fragment.videoDuration90k;
  }
});

test('the sound lies beside the pictures, and its first block is known before the first segment begins', async t => {
  const recording = new Recording(t);
  for (let i = 0; i < 90; i++) {
    recording.publish(demo.pictures[i % demo.pictures.length]!);
    if (i % 3 < 2) recording.publishSound();
    await recording.recorder.step();
  }
  await recording.recorder.finish();
  // Sound came with the first picture: a segment without it would have been a second one.
  const withSound = recording.closed.filter(({ format }) => format.audioCodec !== undefined);
  assert.ok(withSound.at(-1)!.counts.audioSamples > 8000);
  assert.ok(recording.closed.length <= 2);
});

test('a segment ends on the grid of the wall clock, at the next random access point', async t => {
  const recording = new Recording(t, { segmentMs: 2000 });
  await recording.play(demo.pictures, 240);
  await recording.recorder.finish();
  assert.ok(recording.closed.length >= 4);
  for (const { number, baseWallUnixMs } of recording.closed.slice(1))
    assert.ok(baseWallUnixMs % 2000 < 1000 + 34, `segment ${number} begins at ${baseWallUnixMs % 2000} ms`);
  const total = recording.closed.reduce((sum, { counts }) => sum + counts.videoSamples, 0);
  assert.equal(total, 240);
});

test('other parameter sets begin another segment', async t => {
  const recording = new Recording(t);
  await recording.play(demo.pictures, 45);
  await recording.play(other.pictures, other.pictures.length);
  await recording.recorder.finish();
  assert.deepEqual(
    recording.closed.map(({ format }) => format.width),
    [1280, 128],
  );
  assert.equal(recording.closed[0]!.counts.videoSamples, 45);
});

for (const stepMs of [3_600_000, -7_200_000, 56 * 365 * 86_400_000])
  test(`a step of the wall clock by ${stepMs} ms begins another segment, and no picture is lost`, async t => {
    const recording = new Recording(t);
    await recording.play(demo.pictures, 60);
    recording.wallStepMs = stepMs;
    await recording.play(demo.pictures, 60, 60);
    await recording.recorder.finish();
    assert.equal(recording.closed.length, 2);
    const [before, after] = recording.closed;
    assert.ok(Math.abs(after!.baseWallUnixMs - before!.baseWallUnixMs - stepMs - 2000) <= 40);
    assert.ok(after!.number > before!.number);
    assert.equal(before!.counts.videoSamples + after!.counts.videoSamples, 120);
  });

test('what the ring overwrote is not recorded; it goes on at a random access point, with a gap', async t => {
  const recording = new Recording(t, { dataBytes: 1024 * 1024 });
  await recording.play(demo.pictures, 60);
  // The card hangs, and the ring goes round several times.
  for (let i = 60; i < 1000; i++) recording.publish(demo.pictures[i % demo.pictures.length]!);
  await recording.recorder.step();
  await recording.play(demo.pictures, 90, 1000);
  await recording.recorder.finish();
  const total = recording.closed.reduce((sum, { gaps }) => sum + gaps, 0);
  assert.ok(total > 0 || recording.closed.length > 1, 'the gap is not told');
  assert.ok(recording.recorder.counters.lostRecords > 0);
  for (const segment of recording.closed)
    for (const { startsWithSync, number } of await contentsOf(recording, segment))
      if (number === 0) assert.ok(startsWithSync);
});

test('a source that falls silent has what it gave on the card, and the time until it comes back is a gap', async t => {
  const recording = new Recording(t);
  await recording.play(demo.pictures, 40);
  recording.clock.advanceUs(3e6);
  await recording.recorder.step();
  const written = recording.fragments.reduce((sum, { fragment }) => sum + fragment.videoSamples, 0);
  assert.equal(written, 40);
  recording.clock.advanceUs(30e6);
  await recording.play(demo.pictures, 60, 60);
  await recording.recorder.finish();
  assert.equal(
    recording.closed.reduce((sum, { gaps }) => sum + gaps, 0),
    1,
  );
});

test('a flush writes all but the newest picture, whose duration nobody knows yet', async t => {
  const recording = new Recording(t);
  await recording.play(demo.pictures, 10);
  assert.equal(recording.fragments.length, 0);
  await recording.recorder.flush();
  assert.equal(recording.fragments[0]!.fragment.videoSamples, 9);
  await recording.play(demo.pictures, 20, 10);
  await recording.recorder.finish();
  assert.equal(recording.closed[0]!.counts.videoSamples, 30);
});

test('pictures that are shown in another order are left out and counted', async t => {
  const recording = new Recording(t);
  for (let i = 0; i < 60; i++) {
    const isBidirectional = i % 3 === 1;
    const flags = isBidirectional ? RecordFlag.bidirectional | RecordFlag.nonReference : 0;
    const picture = demo.pictures[i % demo.pictures.length]!;
    recording.publish(picture, picture.isSync ? 0 : flags);
    await recording.recorder.step();
  }
  await recording.recorder.finish();
  const { bidirectional } = recording.recorder.counters;
  assert.ok(bidirectional > 10, String(bidirectional));
  assert.equal(recording.closed[0]!.counts.videoSamples, 60 - bidirectional);
});

test('a folder that is moved away under the file that is written is noticed within a second or so', async t => {
  const recording = new Recording(t);
  await recording.play(demo.pictures, 60);
  const aside = `${recording.folder}.moved`;
  renameSync(recording.folder, aside);
  t.after(() => renameSync(aside, recording.folder));
  const gone = await recording.play(demo.pictures, 90, 60).catch((error: unknown) => error);
  assert.equal((gone as NodeJS.ErrnoException).code, 'ENOENT');
  await recording.recorder.afterFailure(gone);
  assert.equal(recording.abandoned.length, 1);
});

test('after a refusal it goes on in a new file at a random access point, and what was abandoned can be mended', async t => {
  const recording = new Recording(t, { segmentMs: 2000 });
  await recording.play(demo.pictures, 45);
  recording.refusal = Object.assign(new Error('the card is full'), { code: 'ENOSPC' });
  await assert.rejects(recording.play(demo.pictures, 120, 45), { code: 'ENOSPC' });
  await recording.recorder.afterFailure(recording.refusal);
  recording.refusal = undefined;
  await recording.play(demo.pictures, 90, 165);
  await recording.recorder.finish();
  for (const segment of recording.closed) await contentsOf(recording, segment);
  assert.ok(recording.closed.length >= 2);
});
