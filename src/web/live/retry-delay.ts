/** How long the page waits before it tries to get the picture again. Pure. */

/** Pauses between tries in milliseconds; the last one repeats. */
const pausesMs: readonly number[] = [300, 1000, 2000, 4000, 8000, 10_000];

/**
 * A little chance is in it, so that the viewers of a restarted camera do not come back in step; never sooner than asked.
 *
 * @param failures tries that failed before, in a row.
 * @param retryAfterMs what the camera has asked for, or 0.
 * @param chance from 0 to 1.
 */
export function retryDelayMs(failures: number, retryAfterMs: number, chance: number): number {
  const pauseMs = pausesMs[Math.min(failures, pausesMs.length - 1)]!;
  return Math.max(retryAfterMs, 0.85 * pauseMs) + 0.3 * pauseMs * chance;
}
