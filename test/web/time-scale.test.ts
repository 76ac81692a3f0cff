/** The arithmetic of the time line's scale. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  boundsOf,
  daysLater,
  msPerPixelMax,
  msPerPixelMin,
  openingMsPerPixel,
  startOfDay,
  type TimeScale,
  ticksOf,
  timeAt,
  xOf,
  zoomed,
} from '../../src/web/timeline/time-scale.ts';

const noon = Date.UTC(2026, 10, 23, 12);
const scaleOf = fc.record({
  centreUnixMs: fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2040, 0) }),
  msPerPixel: fc.double({ min: msPerPixelMin, max: msPerPixelMax, noNaN: true }),
  widthPx: fc.integer({ min: 100, max: 4000 }),
});

test('a pixel and its moment are each the other one’s', () => {
  fc.assert(
    fc.property(scaleOf, fc.double({ min: 0, max: 4000, noNaN: true }), (scale, x) => {
      assert.ok(Math.abs(xOf(scale, timeAt(scale, x)) - x) < 0.01);
    }),
  );
  const scale: TimeScale = { centreUnixMs: noon, msPerPixel: 1000, widthPx: 600 };
  assert.equal(timeAt(scale, 300), noon);
  assert.deepEqual(boundsOf(scale), [noon - 300_000, noon + 300_000]);
});

test('zooming keeps the moment under the hand, and keeps to its bounds', () => {
  fc.assert(
    fc.property(
      scaleOf,
      fc.double({ min: 0.01, max: 100, noNaN: true }),
      fc.nat(4000),
      (scale, factor, x) => {
        const next = zoomed(scale, factor, x);
        assert.ok(next.msPerPixel >= msPerPixelMin && next.msPerPixel <= msPerPixelMax);
        assert.ok(Math.abs(timeAt(next, x) - timeAt(scale, x)) < 1);
      },
    ),
  );
});

test('there are marks at any zoom, neither crowded nor rare, and their labels do not touch', () => {
  fc.assert(
    fc.property(scaleOf, scale => {
      const ticks = ticksOf(scale, () => 3_600_000);
      const [from, to] = boundsOf(scale);
      const labels = ticks.filter(({ label }) => label !== undefined).map(({ unixMs }) => xOf(scale, unixMs));
      for (let i = 1; i < labels.length; i++) assert.ok(labels[i]! - labels[i - 1]! >= 76);
      for (let i = 1; i < ticks.length; i++)
        assert.ok(ticks[i]!.unixMs - ticks[i - 1]!.unixMs >= 9 * scale.msPerPixel - 1);
      assert.ok(ticks[0]!.unixMs <= from && ticks.at(-1)!.unixMs >= to - 7 * 86_400_000);
    }),
  );
});

test('marks stand at whole moments of the local time, and midnight says the day', () => {
  const scale: TimeScale = { centreUnixMs: noon, msPerPixel: 60_000, widthPx: 1600 };
  // Half an hour off, as in Adelaide.
  const ticks = ticksOf(scale, () => 10.5 * 3_600_000).filter(({ label }) => label);
  const midnight = ticks.find(({ label }) => label === '24 Nov');
  assert.equal(midnight?.unixMs, Date.UTC(2026, 10, 23, 13, 30));
  assert.ok(ticks.every(({ label }) => /^\d\d:00$|^\d+ Nov$/.test(label!)));
});

test('a day with another length is a day all the same', () => {
  const day = startOfDay(noon);
  assert.ok(day <= noon && noon - day < 86_400_000);
  assert.equal(startOfDay(daysLater(day, 1)), daysLater(day, 1));
  assert.equal(daysLater(daysLater(day, 100), -100), day);
});

test('a time line opens with all of a short recording before its playhead, and with an hour of a long one', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 20_000, max: 600_000 }),
      fc.integer({ min: 320, max: 2000 }),
      (ms, widthPx) => {
        const msPerPixel = openingMsPerPixel(ms, widthPx);
        const share = ms / msPerPixel / (widthPx / 2);
        assert.ok(share <= 1.001 || msPerPixel > 3999, `${share}`);
        assert.ok(share > 0.7 || msPerPixel < msPerPixelMin + 1, `${share}`);
      },
    ),
  );
  assert.equal(openingMsPerPixel(30 * 86_400_000, 1280), 4000);
});
