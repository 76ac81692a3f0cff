/**
 * Coarse timers as an interface, so that back-off and watchdogs are tested without waiting.
 *
 * The default is Node's; times below some milliseconds need precise-timer.ts.
 */
export interface Timers {
  /** Calls once after `ms` milliseconds; returns what `clear` takes. */
  set(callback: () => void, ms: number): unknown;
  /** Forgets a timer; undefined and timers that have fired are fine. */
  clear(timer: unknown): void;
}

export const systemTimers: Timers = {
  set: (callback, ms) => setTimeout(callback, ms),
  clear: timer => clearTimeout(timer as NodeJS.Timeout | undefined),
};
