import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultBoundsUs, Histogram, quantile } from '../../src/telemetry/histogram.ts';

test('bounds ascend from 50 µs to 10 s by at most a quarter', () => {
  assert.equal(defaultBoundsUs[0], 50);
  assert.equal(defaultBoundsUs.at(-1), 10_000_000);
  for (let i = 1; i < defaultBoundsUs.length; i++) {
    assert.ok(defaultBoundsUs[i]! > defaultBoundsUs[i - 1]!);
    assert.ok(defaultBoundsUs[i]! / defaultBoundsUs[i - 1]! < 1.27);
  }
});

test('counts a value at a bound in that bucket and one above it in the next, cumulatively', () => {
  const histogram = new Histogram([10, 20, 30]);
  for (const value of [10, 10.5, 20, 31, 1000]) histogram.record(value);
  assert.deepEqual(histogram.snapshot(), { bounds: [10, 20, 30], counts: [1, 3, 3], count: 5, sum: 1071.5 });
});

test('counts a negative duration as 0 and NaN not at all', () => {
  const histogram = new Histogram([10]);
  histogram.record(-5);
  histogram.record(Number.NaN);
  assert.deepEqual(histogram.snapshot(), { bounds: [10], counts: [1], count: 1, sum: 0 });
});

test('a snapshot does not change with what is recorded after it', () => {
  const histogram = new Histogram([10]);
  const before = histogram.snapshot();
  histogram.record(1);
  assert.equal(before.counts[0], 0);
  assert.equal(before.count, 0);
});

test('forgets everything on reset', () => {
  const histogram = new Histogram([10]);
  histogram.record(1);
  histogram.reset();
  assert.deepEqual(histogram.snapshot(), new Histogram([10]).snapshot());
});

test('a quantile lies within a bucket of the exact order statistic', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 50, max: 10_000_000 }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.01, 0.5, 0.9, 0.99, 1),
      (values, q) => {
        const histogram = new Histogram();
        for (const value of values) histogram.record(value);
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(Math.ceil(q * sorted.length) - 1, 0)]!;
        const estimate = quantile(histogram.snapshot(), q);
        const bucket = defaultBoundsUs.findIndex(bound => exact <= bound);
        assert.ok(estimate <= defaultBoundsUs[bucket]!, `${estimate} above the bucket of ${exact}`);
        assert.ok(estimate >= (defaultBoundsUs[bucket - 1] ?? 0), `${estimate} below the bucket of ${exact}`);
      },
    ),
  );
});

test('the quantile of nothing is NaN and that of values beyond all bounds is the largest bound', () => {
  assert.ok(Number.isNaN(quantile(new Histogram().snapshot(), 0.5)));
  const histogram = new Histogram([10, 20]);
  histogram.record(500);
  assert.equal(quantile(histogram.snapshot(), 0.5), 20);
});
