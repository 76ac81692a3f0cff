/** A clock that stands still until a test moves it. */
import type { Clock } from '../../src/base/clock.ts';

export class ManualClock implements Clock {
  nowMonoUs = 1_000_000;
  nowWallUnixMs = 1_700_000_000_000;

  monoUs(): number {
    return this.nowMonoUs;
  }

  wallUnixMs(): number {
    return this.nowWallUnixMs;
  }

  /** Moves both clocks forward. */
  advanceUs(us: number): void {
    this.nowMonoUs += us;
    this.nowWallUnixMs += us / 1000;
  }
}
