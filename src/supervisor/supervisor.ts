/**
 * Starts the parts of the camera in the order of the flow of frames, stops them in reverse, and reports their health.
 *
 * Each part waits for the one before it to be ready, so that a reader never finds its source missing. The stop has one
 * time limit for all: a part that is quick leaves its time to the others, one that is slow is ended by force. What a
 * part does when it dies is its own affair (supervised-worker.ts). Main thread only.
 */
import type { Clock } from '../base/clock.ts';
import type { WorkerHealth } from '../ipc/health.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import { stopTotalMs } from './timing.ts';

/** Something that is started and stopped: a supervised worker, or the HTTP front end. */
export interface Part {
  readonly name: string;
  /** Resolves when the part serves. */
  start(): Promise<void>;
  /** Ends the part within the time; resolves to whether it is really gone. Also called while it starts. */
  stop(withinMs: number): Promise<boolean>;
  /** Its health, if it is a worker. */
  health?(): WorkerHealth;
}

export class Supervisor {
  private readonly parts: readonly Part[];
  private readonly logger: Logger;
  private readonly clock: Clock;
  /** Those that were asked to start, in order. */
  private readonly started: Part[] = [];
  private stopped: Promise<readonly string[]> | undefined;

  /** @param parts in the order of their start. */
  constructor(parts: readonly Part[], options: { logger: Logger; clock: Clock }) {
    this.parts = parts;
    this.logger = options.logger;
    this.clock = options.clock;
  }

  /** Starts all parts, one after the other. Rejects with the first failure; `stop` is the caller's to call then. */
  async start(): Promise<void> {
    for (const part of this.parts) {
      if (this.stopped) return;
      this.started.push(part);
      await part.start();
    }
  }

  /**
   * Stops all parts in reverse order. Resolves to the names of those that could not be ended, normally none.
   * @param totalMs milliseconds for all of them together.
   */
  stop(totalMs: number = stopTotalMs): Promise<readonly string[]> {
    this.stopped ??= this.stopAll(totalMs);
    return this.stopped;
  }

  /** The state of every worker, in the order of the flow. */
  health(): WorkerHealth[] {
    return this.parts.flatMap(part => (part.health ? [part.health()] : []));
  }

  private async stopAll(totalMs: number): Promise<readonly string[]> {
    const deadlineUs = this.clock.monoUs() + totalMs * 1000;
    const stuck: string[] = [];
    const parts = this.started.toReversed();
    for (const [i, part] of parts.entries()) {
      const leftMs = Math.max(deadlineUs - this.clock.monoUs(), 0) / 1000;
      try {
        if (!(await part.stop(leftMs / (parts.length - i)))) stuck.push(part.name);
      } catch (error) {
        this.logger.error('a part failed while it was stopped', { part: part.name, ...errorFields(error) });
      }
    }
    return stuck;
  }
}
