/** Which clip the player opens for a moment, and where in it the moment lies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  behindGap,
  clipSeconds,
  isWithin,
  momentAt,
  rangeFor,
  windowMs,
  windowOf,
} from '../../src/web/timeline/clip-window.ts';

const newest = Date.UTC(2026, 10, 23, 12, 3, 4, 567);

test('a window holds its moment, is no longer than it may be, and does not reach into what is not recorded', () => {
  fc.assert(
    fc.property(fc.integer({ min: newest - 7 * 86_400_000, max: newest - 2000 }), unixMs => {
      const range = rangeFor(unixMs, newest);
      assert.ok(range.startUnixMs <= unixMs && unixMs < range.endUnixMs);
      assert.ok(range.endUnixMs - range.startUnixMs <= windowMs);
      assert.ok(range.endUnixMs <= newest);
      // Neighbours share a window, so that the browser and the camera have it already.
      assert.equal(range.startUnixMs % windowMs, 0);
    }),
  );
});

test('moments and seconds of a clip are each the other one’s, from where the camera says that it begins', () => {
  const range = rangeFor(newest - 100_000, newest);
  const start = new Date(range.startUnixMs + 1234).toISOString();
  const window = windowOf(range, { start, duration: 100, gaps: [] });
  assert.equal(clipSeconds(window, range.startUnixMs + 1234 + 5678), 5.678);
  assert.equal(momentAt(window, 5.678), range.startUnixMs + 1234 + 5678);
  assert.equal(clipSeconds(window, range.startUnixMs), 0);
  assert.ok(isWithin(window, range.startUnixMs) && !isWithin(window, range.endUnixMs));
});

test('in a gap one goes on behind it', () => {
  const range = rangeFor(newest - 100_000, newest);
  const iso = (ms: number): string => new Date(range.startUnixMs + ms).toISOString();
  const gaps = [{ start: iso(10_000), end: iso(20_000) }];
  const window = windowOf(range, { start: iso(0), duration: 100, gaps });
  assert.equal(behindGap(window, range.startUnixMs + 9999), undefined);
  assert.equal(behindGap(window, range.startUnixMs + 10_000), range.startUnixMs + 20_000);
  assert.equal(behindGap(window, range.startUnixMs + 20_000), undefined);
});
