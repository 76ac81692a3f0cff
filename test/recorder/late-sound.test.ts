/** Sound that comes to the ring later than the pictures it belongs to, where segments change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FragmentRecord, SegmentRecord } from '../../src/isobmff/recorded-segment.ts';
import { demo, Recording } from './recorder-fixture.ts';

/** Where the sound of a segment begins and ends on the wall clock, ms, and how many samples it is. */
function soundOf(recording: Recording, { number, baseWallUnixMs }: SegmentRecord) {
  const fragments = recording.fragments
    .filter(({ segmentNumber, fragment }) => segmentNumber === number && fragment.audioBlocks > 0)
    .map(({ fragment }): FragmentRecord => fragment);
  const [first, last] = [fragments[0]!, fragments.at(-1)!];
  const samples = fragments.reduce((sum, { audioSamples }) => sum + audioSamples, 0);
  return {
    beginsMs: baseWallUnixMs + first.audioStart8k / 8,
    // Within a fragment there are no interruptions here, so its samples tell its length.
    endsMs: baseWallUnixMs + (last.audioStart8k + last.audioSamples) / 8,
    samples,
  };
}

for (const lateMs of [0, 130, 220])
  test(`sound that is ${lateMs} ms late goes through two changes of segments without a hole or an overlap`, async t => {
    const recording = new Recording(t, { segmentMs: 2000 });
    await recording.run(demo.pictures, 6, lateMs * 1000);
    await recording.recorder.finish();
    assert.deepEqual(recording.failures, []);
    const segments = recording.closed.filter(({ counts }) => counts.audioBlocks > 0);
    assert.ok(segments.length >= 3, `${segments.length} segments`);
    const sounds = segments.map(segment => soundOf(recording, segment));
    for (const [i, { beginsMs }] of sounds.slice(1).entries())
      assert.ok(Math.abs(beginsMs - sounds[i]!.endsMs) < 1.5, `${beginsMs - sounds[i]!.endsMs} ms`);
    const samples = sounds.reduce((sum, sound) => sum + sound.samples, 0);
    assert.ok(Math.abs(samples / 8 - (sounds.at(-1)!.endsMs - sounds[0]!.beginsMs)) < 1.5);
    const pictures = recording.closed.reduce((sum, { counts }) => sum + counts.videoSamples, 0);
    assert.equal(pictures, 180, 'no picture is lost by the wait');
    for (const { baseWallUnixMs } of segments.slice(1)) assert.ok(baseWallUnixMs % 2000 < 1034);
  });

test('what waits for late sound is on the card already, but for the newest picture', async t => {
  const recording = new Recording(t, { segmentMs: 2000 });
  let mostPending = 0;
  let published = 0;
  for (let i = 0; i < 30; i++) {
    await recording.run(demo.pictures, 0.1, 130_000);
    published += 3;
    const written = recording.fragments.reduce((sum, { fragment }) => sum + fragment.videoSamples, 0);
    mostPending = Math.max(mostPending, published - written);
  }
  assert.ok(recording.opened.length >= 2);
  assert.ok(mostPending <= 27, `${mostPending} pictures were pending, more than 0.9 s`);
});

test('sound that ended is not waited for', async t => {
  const recording = new Recording(t, { segmentMs: 2000 });
  await recording.run(demo.pictures, 1, 0);
  for (let i = 30; i < 120; i++) {
    recording.publish(demo.pictures[i % demo.pictures.length]!);
    await recording.recorder.step();
    const written = recording.fragments.reduce((sum, { fragment }) => sum + fragment.videoSamples, 0);
    assert.ok(i - written <= 27, `${i - written} pictures wait`);
  }
  assert.ok(recording.closed.length >= 1);
});
