/**
 * How long to wait before a worker is started again: not at all the first time, then 250 ms, doubling up to 10 s.
 *
 * A single crash costs viewers as little as possible; a crash loop costs the machine as little as possible. After 30 s
 * of good running the next death counts as the first one again. Pure: times are passed in.
 */

export interface BackoffOptions {
  /** Delay before the second restart, in milliseconds; doubles with each further one. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** A worker that ran this long was well. */
  readonly goodRunMs: number;
}

export const defaultBackoff: BackoffOptions = { firstMs: 250, maxMs: 10_000, goodRunMs: 30_000 };

/** The delays of one worker. */
export class Backoff {
  private readonly options: BackoffOptions;
  private deaths = 0;

  constructor(options: BackoffOptions = defaultBackoff) {
    this.options = options;
  }

  /**
   * The milliseconds to wait after a death.
   * @param ranMs how long the worker had been ready; 0 when it never was.
   */
  delayAfter(ranMs: number): number {
    const { firstMs, maxMs, goodRunMs } = this.options;
    if (ranMs >= goodRunMs) this.deaths = 0;
    const delay = this.deaths === 0 ? 0 : firstMs * 2 ** (this.deaths - 1);
    // Counting further than the limit needs would end in Infinity.
    if (delay < maxMs) this.deaths += 1;
    return Math.min(delay, maxMs);
  }
}
