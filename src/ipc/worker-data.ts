/**
 * What each worker thread is handed at its start, in one piece; everything that comes later is a command.
 *
 * The objects are structured-cloned, all but the ring's memory, which every thread then shares.
 */
import type { LiveConfiguration, RecorderConfiguration } from '../config/configuration.ts';
import type { KnownSegment, LogLevel } from './messages.ts';

/** Common to all workers. */
export interface WorkerData {
  /** The frame ring. */
  readonly ring: SharedArrayBuffer;
  /** The least important log level that is worth a message. */
  readonly logLevel: LogLevel;
  /** Milliseconds between two signs of life; {@link beatIntervalMs} unless a test wants it shorter. */
  readonly beatIntervalMs?: number;
}

/** How often a worker says that its event loop turns, and posts its statistics (some 50 µs of work). */
export const beatIntervalMs = 250;

/** For workers/capture.ts; the fields are those of Configuration. */
export interface CaptureWorkerData extends WorkerData {
  readonly source: string;
  readonly subSource: string;
  readonly audioSource: string;
  readonly sourceFps: number;
  /** Absolute path of the folder with the bundled demo. */
  readonly demoFolder: string;
}

/** For workers/live.ts. The tracks come as a command, now and whenever they change. */
export interface LiveWorkerData extends WorkerData {
  readonly live: LiveConfiguration;
}

/** For workers/recorder.ts. */
export interface RecorderWorkerData extends WorkerData {
  readonly recorder: RecorderConfiguration;
  /** Absolute path of the folder of the recordings. */
  readonly folder: string;
  /** Whether a missing folder is made: the camera's own is, one that the owner named is a card. */
  readonly makesFolder: boolean;
  readonly deviceUuid: string;
  /** Whether the folder was on another file system than `/` when it was first recorded to; undefined: not known yet. */
  readonly expectedMount: boolean | undefined;
  /** At the start of the thread. */
  readonly known: readonly KnownSegment[];
  /**
   * One word of shared memory: how many milliseconds the recorder is behind, so that others leave the card to it. An
   * Int32Array of length 1, written with Atomics by the recorder alone.
   */
  readonly pressure: SharedArrayBuffer;
}
