/** What is recorded, on one line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  coverageOf,
  daysOf,
  mergedSpans,
  nearestRecorded,
  neighbourStart,
} from '../../src/web/timeline/spans.ts';

const at = (seconds: number): number => Date.UTC(2026, 10, 23, 12) + seconds * 1000;
const listed = (start: number, end: number, bytes = 1) => ({
  start: new Date(at(start)).toISOString(),
  end: new Date(at(end)).toISOString(),
  bytes,
});

test('spans that touch or overlap, as after a step of the clock, are one', () => {
  const spans = mergedSpans([
    listed(100, 200, 5),
    listed(0, 50, 2),
    listed(150, 170, 1),
    listed(200.05, 300, 4),
  ]);
  assert.deepEqual(spans, [
    { startUnixMs: at(0), endUnixMs: at(50), bytes: 2 },
    { startUnixMs: at(100), endUnixMs: at(300), bytes: 10 },
  ]);
});

test('a moment that is not recorded leads to the next one that is, and behind the last to the last', () => {
  const spans = mergedSpans([listed(0, 50), listed(100, 200)]);
  assert.equal(nearestRecorded(spans, at(-5)), at(0));
  assert.equal(nearestRecorded(spans, at(20)), at(20));
  assert.equal(nearestRecorded(spans, at(50)), at(100));
  assert.equal(nearestRecorded(spans, at(500)), at(199));
  assert.equal(nearestRecorded([], at(0)), undefined);
});

test('one jumps to the beginning of a span, to the one before it and to the one after it', () => {
  const spans = mergedSpans([listed(0, 50), listed(100, 200), listed(300, 400)]);
  assert.equal(neighbourStart(spans, at(150), -1), at(100));
  assert.equal(neighbourStart(spans, at(101), -1), at(0));
  assert.equal(neighbourStart(spans, at(1), -1), undefined);
  assert.equal(neighbourStart(spans, at(150), 1), at(300));
  assert.equal(neighbourStart(spans, at(60), 1), at(100));
  assert.equal(neighbourStart(spans, at(350), 1), undefined);
});

test('what is recorded of a range and its gaps make up the range', () => {
  const spansOf = fc.array(fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 1, max: 90 })), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(spansOf, fc.nat(900), fc.integer({ min: 1, max: 300 }), (parts, from, length) => {
      const spans = mergedSpans(parts.map(([start, seconds]) => listed(start, start + seconds)));
      const { recordedMs, gaps } = coverageOf(spans, at(from), at(from + length));
      const gapsMs = gaps.reduce((sum, { startUnixMs, endUnixMs }) => sum + endUnixMs - startUnixMs, 0);
      assert.equal(recordedMs + gapsMs, length * 1000);
      for (const { startUnixMs } of gaps) assert.notEqual(nearestRecorded(spans, startUnixMs), startUnixMs);
    }),
  );
});

test('days without recordings are left out, and the hours of the others are told', () => {
  const day = 86_400;
  const spans = mergedSpans([listed(0, 1800), listed(2 * day, 2 * day + 3600)]);
  const days = daysOf(spans);
  assert.equal(days.length, 2);
  for (const { hours } of days) assert.equal(hours.length, 24);
  const recorded = days.map(({ hours }) => hours.reduce((a, b) => a + b, 0));
  assert.deepEqual(
    recorded.map(hours => Math.round(hours * 10) / 10),
    [0.5, 1],
  );
  assert.equal(daysOf(spans, 1).length, 1);
});
