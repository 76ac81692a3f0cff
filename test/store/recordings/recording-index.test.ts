/** The answers of the index, with the tail and without. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withFragment } from '../../../src/store/recordings/index-file.ts';
import {
  emptySegment,
  indexFolder,
  nextFragment,
  openIndex,
  record,
  startUnixMs,
  wholeSegment,
} from './index-fixture.ts';

test('what was reported is in every answer before it is on the disk, after it, and after another start', async t => {
  const folder = indexFolder(t);
  const index = await openIndex(folder);
  const first = record(index, 0, 1, 20);
  const second = record(index, 0, 2, 7, { isClosed: false });
  const sub = record(index, 1, 1, 3);
  const check = (of: typeof index): void => {
    assert.deepEqual(of.segments(0)[0], first.segment);
    assert.deepEqual(of.segments(0)[1], { ...second.segment, trailerOffset: 0, isClosed: false });
    assert.deepEqual(of.segments(1), [sub.segment]);
    assert.deepEqual(of.fragments(0, 1), first.fragments);
    assert.deepEqual(of.fragments(0, 1, 3, 5), first.fragments.slice(3, 6));
    assert.deepEqual(of.fragments(0, 2, 5), second.fragments.slice(5));
    assert.deepEqual(of.fragments(1, 1, 0, 0), sub.fragments.slice(0, 1));
    assert.deepEqual(of.fragments(0, 3), []);
    for (const time of [0, 89_999, 90_000, 1_000_000, 20 * 90_000, 2 ** 31])
      assert.deepEqual(
        of.fragmentAt(0, 1, time),
        first.fragments.findLast(({ videoStart90k }) => videoStart90k <= time),
      );
    assert.equal(of.fragmentAt(0, 1, -1), undefined);
    assert.deepEqual(of.syncFragmentAt(0, 1, 5 * 90_000), first.fragments[4]);
    assert.deepEqual(of.syncFragmentAt(0, 2, 6 * 90_000), second.fragments[6]);
    assert.deepEqual(
      of.known().map(({ stream, number, isClosed }) => [stream, number, isClosed]),
      [
        [0, 1, true],
        [0, 2, false],
        [1, 1, true],
      ],
    );
  };
  check(index);
  await index.flush();
  assert.equal(index.stats().fragmentsWaiting, 0);
  check(index);
  await index.close();
  const again = await openIndex(folder);
  check(again);
  assert.equal(again.state(), 'ok');
  await again.close();
});

test('a segment is read across the database and the tail as one', async t => {
  const index = await openIndex(indexFolder(t));
  index.segmentOpened(emptySegment(0, 1));
  let segment = emptySegment(0, 1);
  const all = [];
  for (let i = 0; i < 30; i++) {
    const fragment = nextFragment(segment, { skip: i >= 10 ? 3 : 0, gop: 7 });
    index.fragmentWritten(0, 1, fragment);
    segment = withFragment(segment, fragment);
    all.push(fragment);
    if (i === 14) await index.flush();
  }
  assert.deepEqual(index.fragments(0, 1), all);
  assert.deepEqual(index.fragments(0, 1, 9, 13), all.slice(9, 11));
  for (let i = 0; i < 30; i++) {
    assert.deepEqual(index.fragmentAt(0, 1, i * 90_000 + 1), all[i]);
    assert.deepEqual(index.syncFragmentAt(0, 1, i * 90_000 + 1), all[i - (i % 7)]);
  }
  await index.close();
});

test('gaps in an open segment are counted, also after another start', async t => {
  const folder = indexFolder(t);
  const index = await openIndex(folder);
  index.segmentOpened(emptySegment(0, 1));
  let segment = emptySegment(0, 1);
  for (const gap90k of [0, 0, 90_000, 22_500, 22_501]) {
    const fragment = nextFragment(segment, { gap90k });
    index.fragmentWritten(0, 1, fragment);
    segment = withFragment(segment, fragment);
  }
  assert.equal(index.segments(0)[0]!.gaps, 2);
  await index.close();
  const again = await openIndex(folder);
  assert.deepEqual(again.segments(0), [segment]);
  await again.close();
});

test('a range of wall time finds each segment once, in recording order, whatever the clock did', async t => {
  const index = await openIndex(indexFolder(t));
  const hour = 3_600_000;
  // An hour, the clock goes back by two, two hours more, and a lie of 56 years in between.
  const bases = [0, 1, -1, 0, 56 * 365 * 24, 1, 2];
  for (const [i, base] of bases.entries())
    record(index, 0, i + 1, 3600, { changes: { baseWallUnixMs: startUnixMs + base * hour } });
  const numbers = (from: number, to: number): number[] =>
    index.segmentsIn(0, startUnixMs + from * hour, startUnixMs + to * hour).map(({ number }) => number);
  assert.deepEqual(numbers(0, 1), [1, 4]);
  assert.deepEqual(numbers(-1, 3), [1, 2, 3, 4, 6, 7]);
  assert.deepEqual(numbers(1.5, 1.6), [2, 6]);
  assert.deepEqual(numbers(3, 3), []);
  assert.deepEqual(numbers(-9, -1), []);
  await index.close();
});

test('a segment that recovery found takes the place of what was known of it', async t => {
  const folder = indexFolder(t);
  const index = await openIndex(folder);
  record(index, 0, 1, 9, { isClosed: false });
  record(index, 0, 3, 2);
  await index.flush();
  const found = wholeSegment(0, 1, 5);
  index.segmentFound(found.segment, found.fragments);
  const older = wholeSegment(0, 2, 4);
  index.segmentFound(older.segment, older.fragments);
  const check = (of: typeof index): void => {
    assert.deepEqual(
      of.segments(0).map(({ number }) => number),
      [1, 2, 3],
    );
    assert.deepEqual(of.segments(0)[0], found.segment);
    assert.deepEqual(of.fragments(0, 1), found.fragments);
    assert.deepEqual(of.fragments(0, 2), older.fragments);
  };
  check(index);
  await index.flush();
  check(index);
  await index.close();
  const again = await openIndex(folder);
  check(again);
  await again.close();
});

test('a report that does not fit what is known is refused and counted', async t => {
  const index = await openIndex(indexFolder(t));
  const { fragments, segment } = record(index, 0, 1, 3);
  index.fragmentWritten(0, 1, nextFragment(segment));
  index.fragmentWritten(0, 2, fragments[0]!);
  index.segmentClosed(emptySegment(1, 9));
  index.segmentOpened(emptySegment(0, 2));
  index.fragmentWritten(0, 2, { ...fragments[0]!, videoSamples: 70_000 });
  assert.equal(index.stats().reportsRefused, 4);
  assert.deepEqual(index.fragments(0, 1), fragments);
  assert.deepEqual(index.fragments(0, 2), []);
  await index.close();
});
