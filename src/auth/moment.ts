/**
 * A moment that can be compared over restarts: which start of the machine, its monotonic time, the wall clock's opinion.
 *
 * CLOCK_MONOTONIC goes on while the daemon restarts and is set to zero when the machine does; Linux names each start of
 * the machine by a random id (`/proc/sys/kernel/random/boot_id`). Two moments of one boot are compared by monotonic time
 * alone, and no step of the wall clock matters. Where the id cannot be read, every start of the daemon counts as a start
 * of the machine.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';

export interface Moment {
  readonly boot: string;
  readonly monoUs: number;
  readonly wallUnixMs: number;
}

/** Tells moments of this start of the machine. */
export class MomentClock {
  readonly boot: string;
  private readonly clock: Clock;

  /** @param boot the id of this start of the machine; for tests. */
  constructor(clock: Clock, boot: string = bootId()) {
    this.clock = clock;
    this.boot = boot;
  }

  now(): Moment {
    return { boot: this.boot, monoUs: this.clock.monoUs(), wallUnixMs: this.clock.wallUnixMs() };
  }
}

/** Whether monotonic times of both can be compared; not when time ran backwards, as in a restored virtual machine. */
export function isSameBoot(earlier: Moment, later: Moment): boolean {
  return earlier.boot === later.boot && earlier.monoUs <= later.monoUs;
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() || randomUUID();
  } catch {
    return randomUUID();
  }
}
