/**
 * Counts what happened in the last minute, in a fixed number of buckets: the memory does not depend on the count.
 *
 * What happened leaves the count between 60 and 65 s later, never earlier. Monotonic time, handed in. Pure.
 */

const bucketUs = 5_000_000;
/** A minute, and the bucket that is being filled. */
const bucketCount = 13;

export class MinuteWindow {
  private readonly counts = new Uint32Array(bucketCount);
  /** Number of the newest bucket: its time divided by its length. */
  private newest = Number.NEGATIVE_INFINITY;
  private total = 0;

  /** What happened within the last minute. */
  count(nowUs: number): number {
    this.advance(nowUs);
    return this.total;
  }

  /** One more. */
  add(nowUs: number): void {
    this.advance(nowUs);
    this.counts[slotOf(this.newest)]! += 1;
    this.total += 1;
  }

  /** One less: the latest that is still counted. */
  takeBack(nowUs: number): void {
    this.advance(nowUs);
    for (let age = 0; age < bucketCount && this.total > 0; age++) {
      const slot = slotOf(this.newest - age);
      if (this.counts[slot] === 0) continue;
      this.counts[slot]! -= 1;
      this.total -= 1;
      return;
    }
  }

  /** Whole seconds until the count falls below the limit (at least 1); 0 when it is below. */
  secondsUntilBelow(limit: number, nowUs: number): number {
    this.advance(nowUs);
    let left = this.total;
    for (let age = bucketCount - 1; left >= limit && age >= 0; age--) {
      const number = this.newest - age;
      left -= this.counts[slotOf(number)]!;
      if (left < limit) return Math.max(1, Math.ceil(((number + bucketCount) * bucketUs - nowUs) / 1e6));
    }
    return 0;
  }

  private advance(nowUs: number): void {
    const bucket = Math.floor(nowUs / bucketUs);
    if (bucket <= this.newest) return;
    const steps = Math.min(bucket - this.newest, bucketCount);
    for (let i = 0; i < steps; i++) {
      const slot = slotOf(bucket - i);
      this.total -= this.counts[slot]!;
      this.counts[slot] = 0;
    }
    this.newest = bucket;
  }
}

function slotOf(bucket: number): number {
  return ((bucket % bucketCount) + bucketCount) % bucketCount;
}
