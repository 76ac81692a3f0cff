/**
 * The machine's clocks behind the `Clock` interface of base/clock.ts.
 *
 * `process.hrtime` reads CLOCK_MONOTONIC, whose zero is that of the machine's start and thus the same in every worker
 * thread; `performance.now` counts from each thread's own start and would make times of two threads incomparable.
 * Any thread may call; the bigint form is left out because it allocates more than the pair does.
 */
import type { Clock } from '../base/clock.ts';

/** The clock that everything but tests is given. `monoUs` gives whole microseconds. */
export const systemClock: Clock = {
  monoUs() {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1_000_000 + Math.trunc(nanoseconds / 1000);
  },
  wallUnixMs() {
    return Date.now();
  },
};
