/**
 * How long a failed source waits before it is tried again: 250 ms, doubling up to 10 s, from the beginning again after
 * a run of 10 s with frames.
 *
 * Unlike the supervisor's back-off for threads there is no try at once: a program that ends as soon as it starts would
 * otherwise be started twice in a row each time. Pure: times are passed in.
 */
import { goodRunUs, retryFirstMs, retryMaxMs } from './limits.ts';

export class RetryDelay {
  private nextMs = retryFirstMs;

  /** Milliseconds to wait after a run that gave frames for `framesUs` microseconds (first to last; 0: none). */
  after(framesUs: number): number {
    if (framesUs >= goodRunUs) this.nextMs = retryFirstMs;
    const delayMs = this.nextMs;
    this.nextMs = Math.min(delayMs * 2, retryMaxMs);
    return delayMs;
  }
}
