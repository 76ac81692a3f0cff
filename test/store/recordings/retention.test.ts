/** What is deleted, and what never is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SegmentRecord } from '../../../src/isobmff/recorded-segment.ts';
import { type RetentionState, segmentsToDelete } from '../../../src/store/recordings/retention.ts';
import { emptySegment, startUnixMs } from './index-fixture.ts';

const hour = 3_600_000;
const day = 24 * hour;
const noRules = { keepFreeBytes: 0, maxAgeMs: 0, maxBytes: 0 };

/** Segments of an hour and 100 bytes whose bases are given in hours. */
function segmentsAt(hours: readonly number[], stream: 0 | 1 = 0): SegmentRecord[] {
  return hours.map((at, i) =>
    emptySegment(stream, i + 1, {
      ...{
        baseWallUnixMs: startUnixMs + at * hour,
        duration90k: 3600 * 90_000,
        endOffset: 100,
        isClosed: true,
      },
    }),
  );
}

function chosen(state: Partial<RetentionState>): string[] {
  const all = {
    freeBytes: 1e9,
    nowUnixMs: startUnixMs,
    rules: noRules,
    isHeld: () => false,
    segments: [],
    ...state,
  };
  return segmentsToDelete(all).map(({ stream, number }) => `${stream}/${number}`);
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i);
const numbers = (first: number, last: number): string[] =>
  upTo(last)
    .slice(first - 1)
    .map(i => `0/${i + 1}`);

test('without a rule, and with room, nothing is deleted', () => {
  assert.deepEqual(chosen({ segments: segmentsAt(upTo(50)), nowUnixMs: startUnixMs + 90 * day }), []);
});

test('for room as many as are needed go, the oldest of both streams first', () => {
  const segments = [...segmentsAt([0, 2, 4]), ...segmentsAt([1, 3, 5], 1)];
  const rules = { ...noRules, keepFreeBytes: 1000 };
  assert.deepEqual(chosen({ segments, rules, freeBytes: 701 }), ['0/1', '1/1', '0/2']);
  assert.deepEqual(chosen({ segments, rules, freeBytes: 1000 }), []);
});

test('above the bytes that are allowed, the oldest go', () => {
  assert.deepEqual(chosen({ segments: segmentsAt(upTo(10)), rules: { ...noRules, maxBytes: 750 } }), [
    '0/1',
    '0/2',
    '0/3',
  ]);
});

test('what is being read, and what is being written, stays; the next older goes in its place', () => {
  const segments = segmentsAt([0, 1, 2]);
  segments[2] = { ...segments[2]!, isClosed: false };
  const rules = { ...noRules, maxBytes: 1 };
  assert.deepEqual(chosen({ segments, rules }), ['0/1', '0/2']);
  assert.deepEqual(chosen({ segments, rules, isHeld: ({ number }) => number === 1 }), ['0/2']);
});

test('what ended longer ago than the age that is allowed goes', () => {
  const rules = { ...noRules, maxAgeMs: 2 * day };
  const segments = segmentsAt(upTo(72));
  const nowUnixMs = startUnixMs + 72 * hour;
  // The 24th ended exactly two days ago.
  assert.deepEqual(chosen({ segments, rules, nowUnixMs }), numbers(1, 23));
});

test('a clock that leaps 56 years ahead deletes nothing, and nothing when it comes back', () => {
  const rules = { ...noRules, maxAgeMs: 7 * day };
  const lie = 56 * 365 * 24;
  const honest = upTo(48);
  const lying = segmentsAt([...honest, 48 + lie, 49 + lie]);
  assert.deepEqual(chosen({ segments: lying, rules, nowUnixMs: startUnixMs + (50 + lie) * hour }), []);
  // Before anything was recorded under it.
  assert.deepEqual(
    chosen({ segments: segmentsAt(honest), rules, nowUnixMs: startUnixMs + (48 + lie) * hour }),
    [],
  );
  // Days after it was taken back, what was recorded before is as old as it is.
  const after = segmentsAt([...honest, 48 + lie, 49 + lie, ...upTo(72).map(i => 50 + i)]);
  assert.deepEqual(chosen({ segments: after, rules, nowUnixMs: startUnixMs + 122 * hour }), []);
  const later = segmentsAt([...honest, 48 + lie, 49 + lie, ...upTo(150).map(i => 50 + i)]);
  const gone = chosen({ segments: later, rules, nowUnixMs: startUnixMs + 200 * hour });
  assert.deepEqual(gone, numbers(1, 31));
});

test('a clock that began in 1970 and was then set does not make all before it old', () => {
  const rules = { ...noRules, maxAgeMs: 7 * day };
  const back = -Math.round(startUnixMs / hour);
  const segments = segmentsAt([...upTo(48), back, ...upTo(48).map(i => 49 + i)]);
  assert.deepEqual(chosen({ segments, rules, nowUnixMs: startUnixMs + 97 * hour }), []);
});

test('after a long time without power the old goes once a day was recorded', () => {
  const rules = { ...noRules, maxAgeMs: 7 * day };
  const off = 40 * 24;
  const soon = segmentsAt([...upTo(10), ...upTo(5).map(i => 10 + off + i)]);
  assert.deepEqual(chosen({ segments: soon, rules, nowUnixMs: startUnixMs + (15 + off) * hour }), []);
  const later = segmentsAt([...upTo(10), ...upTo(30).map(i => 10 + off + i)]);
  assert.deepEqual(
    chosen({ segments: later, rules, nowUnixMs: startUnixMs + (40 + off) * hour }),
    numbers(1, 10),
  );
});

test('a camera that does not record lets the old go as far as it saw the time pass', () => {
  const rules = { ...noRules, maxAgeMs: 7 * day };
  const state = { segments: segmentsAt(upTo(10)), rules, nowUnixMs: startUnixMs + 20 * day };
  assert.deepEqual(chosen(state), []);
  assert.deepEqual(chosen({ ...state, uptimeMs: 20 * day }), numbers(1, 10));
});
