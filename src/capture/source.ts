/**
 * The contract of all media sources, and of one run of them.
 *
 * A source is started once and stopped once; in between it keeps itself alive: what fails is tried again with back-off
 * (supervised-source.ts), and a source that never works is a state that is reported, not an end of the stage. What a
 * source gives goes straight into the ring through the writer it was made with (video-track-writer.ts,
 * audio-track-writer.ts). Capture thread only.
 */
import type { CameraError } from '../base/errors.ts';

/** `starting`: no frame yet; `running`: frames come; `waiting`: it failed and waits for the next try. */
export type SourceState = 'stopped' | 'starting' | 'running' | 'waiting' | 'given-up';

export interface Source {
  /** Begins; never throws, for a source that cannot begin is tried again. */
  start(): void;
  /** Ends for good; resolves when nothing of it is left: no timer, no child process, no open file. */
  stop(): Promise<void>;
  /**
   * Asks for a random access point soon. A recorded source has them where they are and does nothing; a child process
   * has no common way to be asked (rpicam-vid takes none, ffmpeg none), so it does nothing either: its command should
   * make one a second or so. Cameras of the kernel (V4L2) are asked where they have the control.
   */
  requestKeyframe(): void;
  readonly state: SourceState;
  /** How often it was started again. */
  readonly restarts: number;
}

/** What a run tells the source it belongs to. Nothing is told after its `stop`. */
export interface RunEvents {
  /** A frame came: a sign of life. */
  frame(): void;
  /** The run is over, by itself. At most once; the run has let go of everything by then. */
  ended(error: CameraError): void;
}

/** One life of a source. */
export interface SourceRun {
  requestKeyframe(): void;
  /** Lets go of everything; `ended` is not called any more. */
  stop(): Promise<void>;
}

/** Begins a run. Throws CameraError `source-failed` when it cannot; `ended` is then not called. */
export type StartRun = (events: RunEvents) => SourceRun;
