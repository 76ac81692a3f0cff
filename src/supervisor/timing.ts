/**
 * The supervisor's patience, in one table; tests pass shorter times.
 */
import { beatIntervalMs } from '../ipc/worker-data.ts';
import { type BackoffOptions, defaultBackoff } from './backoff.ts';

export interface SupervisorTiming {
  /** Between two beats that a worker owes. */
  readonly beatIntervalMs: number;
  /**
   * Beats that a ready worker may miss in a row before it counts as hung. The time is more than any garbage collection
   * takes, and short enough for a hung worker to be back within 2 s.
   */
  readonly missedBeatsMax: number;
  /** From the thread's start to its readiness; slow boards load modules for seconds. */
  readonly startMs: number;
  /** Deaths before the very first readiness after which the start of the camera has failed. */
  readonly startAttemptsMax: number;
  /** How long a terminated thread may take before it is said that it does not end. */
  readonly terminateMs: number;
  readonly backoff: BackoffOptions;
}

export const defaultTiming: SupervisorTiming = {
  beatIntervalMs,
  missedBeatsMax: 4,
  startMs: 20_000,
  startAttemptsMax: 3,
  terminateMs: 2000,
  backoff: defaultBackoff,
};

/** Milliseconds for the whole orderly stop; below the 2 s that a user is promised. */
export const stopTotalMs = 1800;
