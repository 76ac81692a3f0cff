/**
 * Keeps a fault that repeats from filling the log: one line per key and interval, with the number of those left out.
 *
 * The number is told by the next line that passes, so nothing needs a timer. The keys are bounded; beyond the bound all
 * new keys share one. Belongs to one thread.
 */
import type { Clock } from '../base/clock.ts';
import type { LogFields, LogLevel } from '../ipc/messages.ts';
import type { Logger } from './log.ts';

/** Distinct keys that are told apart; keys are made by code, not by input, so there are few. */
export const throttleKeysMax = 256;

/** Logs at most one line per key and interval. */
export class LogThrottle {
  private readonly logger: Logger;
  private readonly clock: Clock;
  private readonly intervalUs: number;
  private readonly keys = new Map<string, { nextUs: number; suppressed: number }>();

  /** @param intervalUs microseconds between two lines of one key. */
  constructor(logger: Logger, clock: Clock, intervalUs = 10_000_000) {
    this.logger = logger;
    this.clock = clock;
    this.intervalUs = intervalUs;
  }

  /** Logs, or counts; the line that passes carries `suppressed` when some were left out before it. */
  log(level: LogLevel, key: string, message: string, fields: LogFields = {}): void {
    const nowUs = this.clock.monoUs();
    const state = this.stateOf(key);
    if (nowUs < state.nextUs) {
      state.suppressed += 1;
      return;
    }
    const suppressed = state.suppressed > 0 ? state.suppressed : undefined;
    state.nextUs = nowUs + this.intervalUs;
    state.suppressed = 0;
    this.logger[level](message, { ...fields, suppressed });
  }

  private stateOf(key: string): { nextUs: number; suppressed: number } {
    const known = this.keys.get(key);
    if (known) return known;
    const name = this.keys.size < throttleKeysMax ? key : '…';
    let state = this.keys.get(name);
    if (!state) {
      state = { nextUs: Number.NEGATIVE_INFINITY, suppressed: 0 };
      this.keys.set(name, state);
    }
    return state;
  }
}
