/**
 * A histogram of durations in microseconds with fixed buckets, for latencies that are recorded per frame or packet.
 *
 * The bounds grow by a quarter from 50 µs to 10 s, so that a quantile read from it is at most 25 % off, in 56 buckets;
 * what is smaller or larger than all of them is counted too. Recording is a binary search and two additions and
 * allocates nothing; a snapshot has the cumulative form of Prometheus. One thread owns a histogram; only snapshots
 * cross threads. Exact order statistics are left out: they would have to keep every value.
 */
import type { HistogramSnapshot } from '../ipc/messages.ts';

const smallestBoundUs = 50;
const largestBoundUs = 10_000_000;
const boundRatio = 1.25;

/** Upper bounds in microseconds, ascending: 50, 63, 78 … 10 000 000. */
export const defaultBoundsUs: readonly number[] = makeBounds();

function makeBounds(): number[] {
  const bounds: number[] = [];
  for (let bound = smallestBoundUs; bound < largestBoundUs; bound *= boundRatio)
    bounds.push(Math.round(bound));
  bounds.push(largestBoundUs);
  return bounds;
}

/** Upper bounds in microseconds for steps that take less than that: 0.1, 0.15, 0.225 … 77 000; at most a third off. */
export const shortBoundsUs: readonly number[] = Array.from({ length: 34 }, (_, i) =>
  Number((0.1 * 1.5 ** i).toPrecision(3)),
);

/** Counts durations; see the head of the file. */
export class Histogram {
  private readonly bounds: readonly number[];
  /** Values per bucket, not cumulative; the last one counts what lies above every bound. */
  private readonly buckets: Float64Array;
  private recorded = 0;
  private sum = 0;

  /** @param boundsUs ascending upper bounds; they are not copied and must not change. */
  constructor(boundsUs: readonly number[] = defaultBoundsUs) {
    this.bounds = boundsUs;
    this.buckets = new Float64Array(boundsUs.length + 1);
  }

  /** Counts one duration. A negative one (a clock that stepped) counts as 0; NaN is not counted at all. */
  record(us: number): void {
    if (Number.isNaN(us)) return;
    const value = Math.max(us, 0);
    let low = 0;
    let high = this.bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= this.bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    this.buckets[low]! += 1;
    this.recorded += 1;
    this.sum += value;
  }

  /** How many durations were recorded. */
  get count(): number {
    return this.recorded;
  }

  /** A copy of the counts that may cross threads. */
  snapshot(): HistogramSnapshot {
    const counts = new Array<number>(this.bounds.length);
    let below = 0;
    for (let i = 0; i < counts.length; i++) {
      below += this.buckets[i]!;
      counts[i] = below;
    }
    return { bounds: this.bounds, counts, count: this.recorded, sum: this.sum };
  }

  /** Forgets everything, for measurements by interval. */
  reset(): void {
    this.buckets.fill(0);
    this.recorded = 0;
    this.sum = 0;
  }
}

/**
 * The value in microseconds below which the share `q` (0…1) of what was recorded lies, interpolated in its bucket.
 * NaN for an empty histogram; the largest bound where the value lies above all bounds.
 */
export function quantile(snapshot: HistogramSnapshot, q: number): number {
  if (snapshot.count === 0) return Number.NaN;
  const rank = Math.min(Math.max(q, 0), 1) * snapshot.count;
  const index = snapshot.counts.findIndex(count => count > 0 && count >= rank);
  if (index < 0) return snapshot.bounds.at(-1) ?? Number.NaN;
  const lower = index === 0 ? 0 : snapshot.bounds[index - 1]!;
  const before = index === 0 ? 0 : snapshot.counts[index - 1]!;
  const inside = snapshot.counts[index]! - before;
  return lower + (snapshot.bounds[index]! - lower) * (inside === 0 ? 1 : (rank - before) / inside);
}
