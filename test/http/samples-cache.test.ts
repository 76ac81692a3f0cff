/** Samples that clips share: loaded once, forgotten when there are too many, never a failure remembered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CameraError } from '../../src/base/errors.ts';
import { SamplesCache } from '../../src/http/clips/samples-cache.ts';
import type { FragmentRecord, SegmentRecord, SegmentSamples } from '../../src/isobmff/recorded-segment.ts';
import { FakeRecordings } from './fake-recordings.ts';

interface Loaded {
  readonly samples: SegmentSamples;
  readonly segment: SegmentRecord;
  readonly first: FragmentRecord;
  readonly last: FragmentRecord;
}

async function load(
  cache: SamplesCache,
  recordings: FakeRecordings,
  segment: SegmentRecord,
): Promise<Loaded> {
  const fragments = recordings.fragmentsOf(segment.stream, segment.number);
  const [first, last] = [fragments[0]!, fragments.at(-1)!];
  return { samples: await cache.load(segment, first, last, () => fragments), segment, first, last };
}

test('asks once for the same samples, also while they come', async () => {
  const recordings = new FakeRecordings();
  const segment = recordings.add({ baseWallUnixMs: 0, fragments: 5 });
  const cache = new SamplesCache(recordings);
  const [one, other] = await Promise.all([
    load(cache, recordings, segment),
    load(cache, recordings, segment),
  ]);
  assert.equal(one.samples, other.samples);
  assert.equal(cache.get(segment, one.first, one.last), one.samples);
  assert.equal(recordings.loads, 1);
  assert.equal(cache.get(segment, one.first, one.first), undefined);
});

test('forgets what was not used for longest, when all together are too large', async () => {
  const recordings = new FakeRecordings();
  const cache = new SamplesCache(recordings);
  const loaded: Loaded[] = [];
  // About a megabyte each.
  for (let i = 0; i < 12; i++) {
    loaded.push(
      await load(cache, recordings, recordings.add({ baseWallUnixMs: i * 2_000_000, fragments: 1700 })),
    );
    cache.get(loaded[0]!.segment, loaded[0]!.first, loaded[0]!.last);
  }
  const isKept = ({ segment, first, last }: Loaded): boolean => cache.get(segment, first, last) !== undefined;
  const kept = loaded.map(isKept);
  assert.equal(kept[0], true, 'it was used all the time');
  assert.equal(kept[1], false);
  assert.equal(kept.at(-1), true);
  assert.ok(kept.filter(Boolean).length < 10);
});

test('a failure is told to all who wait, and the next asks anew', async () => {
  const recordings = new FakeRecordings();
  const segment = recordings.add({ baseWallUnixMs: 0, fragments: 5 });
  const { loadSamples } = recordings;
  recordings.loadSamples = () => Promise.reject(new CameraError('card-failed', 'it is gone'));
  const cache = new SamplesCache(recordings);
  const both = [load(cache, recordings, segment), load(cache, recordings, segment)];
  for (const each of both) await assert.rejects(each, { code: 'card-failed' });
  recordings.loadSamples = loadSamples;
  assert.equal((await load(cache, recordings, segment)).samples.videoSizes.length, 125);
});
