/**
 * Limits how often somebody may do something: a bucket of tokens for each key, as the generic cell rate algorithm keeps
 * it (one number a key: when the bucket will be full again; ITU-T I.371 §A.2).
 *
 * The table is bounded. A key that has been quiet for as long as an empty bucket takes to fill is the same as one never
 * seen, so keys lie in two generations and the older one is dropped when that time has passed: every step is O(1), and
 * nobody gets a fresh bucket by pushing others out. When the table is full of keys that are not yet quiet, all further
 * ones share one bucket; whoever then gets an own one begins with what the shared one held. Monotonic time, handed in;
 * main thread.
 */
import type { Clock } from '../base/clock.ts';
import { rateKeysMax } from './limits.ts';

/** One limiter; what a key is, its owner decides. */
export class KeyedRateLimiter {
  private readonly clock: Clock;
  private readonly intervalUs: number;
  /** How long an empty bucket takes to fill. */
  private readonly windowUs: number;
  private readonly keysMax: number;
  /** When the bucket of a key will be full, by key. */
  private young = new Map<string, number>();
  private old = new Map<string, number>();
  private youngSinceUs: number;
  /** The bucket of all keys that the table has no place for. */
  private overflowFullUs = 0;

  /** @param options tokens a second over time, and how many at once; both above 0. */
  constructor(options: {
    readonly perSecond: number;
    readonly burst: number;
    readonly clock: Clock;
    readonly keysMax?: number;
  }) {
    this.clock = options.clock;
    this.intervalUs = 1e6 / options.perSecond;
    this.windowUs = options.burst * this.intervalUs;
    this.keysMax = options.keysMax ?? rateKeysMax;
    this.youngSinceUs = this.clock.monoUs();
  }

  /** Takes a token of the key: 0, or the whole seconds (at least 1) until there is one again. */
  take(key: string): number {
    const nowUs = this.clock.monoUs();
    this.age(nowUs);
    const known = this.young.get(key) ?? this.old.get(key);
    const overflows = known === undefined && this.young.size >= this.keysMax;
    const fullUs = Math.max(known ?? this.overflowFullUs, nowUs) + this.intervalUs;
    const excessUs = fullUs - nowUs - this.windowUs;
    // A thousandth of a token is what adding up fractions may be wrong by.
    if (excessUs > this.intervalUs / 1000) return Math.max(1, Math.ceil(excessUs / 1e6));
    if (overflows) this.overflowFullUs = fullUs;
    else this.young.set(key, fullUs);
    return 0;
  }

  /** Gives back the token that the key took last: what it was for has cost nothing. */
  giveBack(key: string): void {
    const generation = this.young.has(key) ? this.young : this.old;
    const fullUs = generation.get(key);
    // A key without an entry shares the bucket of those that found no place.
    if (fullUs === undefined) this.overflowFullUs -= this.intervalUs;
    else generation.set(key, fullUs - this.intervalUs);
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.young.size + this.old.size;
  }

  private age(nowUs: number): void {
    if (nowUs - this.youngSinceUs < this.windowUs) return;
    // What was last touched before the younger generation began has a full bucket by now.
    this.old = nowUs - this.youngSinceUs < 2 * this.windowUs ? this.young : new Map();
    this.young = new Map();
    this.youngSinceUs = nowUs;
  }
}
