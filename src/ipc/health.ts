/**
 * The health of the camera as /healthz shows it: the supervisor writes it, http reads it, neither knows the other.
 *
 * Plain values only, made anew for every reader.
 */
import type { CardState } from './messages.ts';

/**
 * `starting` before the first readiness, `running` from then on, `restarting` from a worker's death to its next
 * readiness, `stopped` after an orderly stop or before the start.
 */
export type WorkerState = 'starting' | 'running' | 'restarting' | 'stopped';

/** One worker thread. */
export interface WorkerHealth {
  readonly name: string;
  readonly state: WorkerState;
  /** How often the worker was started again since the daemon's start. */
  readonly restarts: number;
  /** Why it died the last time, one sentence; null when it never did. */
  readonly lastError: string | null;
  /** Since when it is in its state. */
  readonly sinceUnixMs: number;
}

/** One media source of the capture worker: `main`, `sub`, `audio`. */
export interface SourceHealth {
  readonly name: string;
  /** Whether it gives pictures or sound; false while it is being started again. */
  readonly isUp: boolean;
}

/** The recorder and what it records to. */
export interface RecorderHealth {
  readonly state: CardState;
  /** Since when it is in its state. */
  readonly sinceUnixMs: number;
  /** `failing`: nothing is lost while it fails, the files have all that is in it. */
  readonly index: 'ok' | 'failing' | 'rebuilding';
}

/** The whole camera. */
export interface HealthReport {
  /** `ok` when every worker runs and every source gives; `degraded` when one does not, while the others go on. */
  readonly status: 'ok' | 'degraded';
  readonly workers: readonly WorkerHealth[];
  /** Those that the capture worker told of; none in the first second. */
  readonly sources: readonly SourceHealth[];
  /** Undefined when the camera does not record. */
  readonly recorder: RecorderHealth | undefined;
}
