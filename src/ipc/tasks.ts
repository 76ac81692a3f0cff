/**
 * The tasks of the task pool, as one closed table from kind to request and reply: work that would stall the main thread.
 *
 * The pool (supervisor/task-pool.ts) posts a {@link TaskMessage} to one of its threads (workers/tasks.ts) and gets a
 * {@link TaskOutcome} back. Requests and replies are structured-cloned. A task keeps no state between two calls: any
 * thread may take it, and a thread that died takes nothing with it but the task it had.
 */
import type { ErrorReport } from '../base/errors.ts';
import type { AccountsConfiguration } from '../config/configuration.ts';
import type { FragmentRecord, SegmentRecord, SegmentSamples } from '../isobmff/recorded-segment.ts';
import type { NativeSection } from './native-section.ts';

/** Cost of a password hash (RFC 9106 §3.1), by the names of the configuration. */
export type PasswordCost = Pick<
  AccountsConfiguration,
  'argon2MemoryKib' | 'argon2Iterations' | 'argon2Parallelism'
>;

/** Makes the hash of a new password. */
export interface HashPasswordRequest {
  /** At most some hundred characters; normalised by the task. */
  readonly password: string;
  readonly cost: PasswordCost;
}

/** Compares candidates with a stored hash; all of them, whatever came before. */
export interface VerifyPasswordRequest {
  /** PHC string; refused without computing when its cost is beyond every bound. */
  readonly phc: string;
  readonly passwords: readonly string[];
}

/** Reads the samples of a recording's file. */
export interface ReadSamplesRequest {
  /** Absolute path. */
  readonly file: string;
  readonly segment: SegmentRecord;
  /** The fragments that are wanted, in their order; undefined: all of a closed segment, from its table. */
  readonly fragments?: readonly FragmentRecord[];
}

/** What each kind of task is asked. */
export interface TaskRequests {
  'hash-password': HashPasswordRequest;
  'verify-password': VerifyPasswordRequest;
  'read-samples': ReadSamplesRequest;
}

/** What each kind of task answers. */
export interface TaskReplies {
  /** `hashMs` is the time of the hash alone, without the start of a thread. */
  'hash-password': { readonly phc: string; readonly hashMs: number };
  /** Index of the first candidate that matches, or -1. */
  'verify-password': { readonly index: number };
  'read-samples': SegmentSamples;
}

export type TaskKind = keyof TaskRequests;

/** Whatever runs tasks; what code below the supervisor knows of the pool. */
export interface TaskRunner {
  /**
   * Runs one task. Rejects with a CameraError: the task's own, `hashing-busy` at once when too many wait,
   * `request-timeout`, or `worker-unavailable` when its thread died.
   */
  run<Kind extends TaskKind>(kind: Kind, request: TaskRequests[Kind]): Promise<TaskReplies[Kind]>;
}

/** A task on its way to a thread. */
export interface TaskMessage {
  readonly kind: TaskKind;
  readonly request: TaskRequests[TaskKind];
  /** Whether the thread may be ended; see native-section.ts. */
  readonly section: NativeSection;
}

/** What comes back: class identity is lost between threads, so an error travels as a report. */
export type TaskOutcome = { readonly reply: TaskReplies[TaskKind] } | { readonly error: ErrorReport };
