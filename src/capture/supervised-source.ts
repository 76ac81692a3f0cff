/**
 * Keeps a source alive: starts a run, watches that frames come, and starts the next one when it is over.
 *
 * A run that fails, ends or gives no frame for `stallMs` is replaced after a delay (retry-delay.ts). An error that time
 * cannot heal (`details.permanent`) is logged once and nothing is tried again. Nothing here is about video or audio;
 * capture thread only.
 */
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { RetryDelay } from './retry-delay.ts';
import type { Source, SourceRun, SourceState, StartRun } from './source.ts';
import { systemTimers, type Timers } from './timers.ts';

export interface SupervisedSourceOptions {
  /** Name in the log: main, sub, audio. */
  readonly name: string;
  readonly startRun: StartRun;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A run without a frame for so many milliseconds is replaced; undefined: such a run cannot stall. */
  readonly stallMs?: number;
  readonly timers?: Timers;
}

export class SupervisedSource implements Source {
  private readonly options: SupervisedSourceOptions;
  private readonly timers: Timers;
  private readonly delay = new RetryDelay();
  private run: SourceRun | undefined;
  /** The runs are numbered, so that what an earlier one still says is not taken for the present one's. */
  private runNumber = 0;
  private startedMonoUs = 0;
  private firstFrameMonoUs: number | undefined;
  private lastFrameMonoUs = 0;
  private retryTimer: unknown;
  private stallTimer: unknown;
  private currentState: SourceState = 'stopped';
  private restartCount = 0;
  /** Runs that were replaced and have not let go of everything yet. */
  private readonly leaving = new Set<Promise<void>>();

  constructor(options: SupervisedSourceOptions) {
    this.options = options;
    this.timers = options.timers ?? systemTimers;
  }

  get state(): SourceState {
    return this.currentState;
  }

  get restarts(): number {
    return this.restartCount;
  }

  start(): void {
    if (this.currentState === 'stopped') this.begin();
  }

  async stop(): Promise<void> {
    this.currentState = 'stopped';
    this.runNumber++;
    this.timers.clear(this.retryTimer);
    this.timers.clear(this.stallTimer);
    const run = this.run;
    this.run = undefined;
    await Promise.all([run?.stop(), ...this.leaving]);
  }

  requestKeyframe(): void {
    this.run?.requestKeyframe();
  }

  private begin(): void {
    const runNumber = ++this.runNumber;
    this.currentState = 'starting';
    this.startedMonoUs = this.options.clock.monoUs();
    this.firstFrameMonoUs = undefined;
    const isCurrent = () => runNumber === this.runNumber;
    let run: SourceRun;
    try {
      run = this.options.startRun({
        frame: () => {
          if (isCurrent()) this.onFrame();
        },
        ended: error => {
          if (isCurrent()) this.onEnd(error);
        },
      });
    } catch (error) {
      this.onEnd(asCameraError(error));
      return;
    }
    if (!isCurrent()) {
      // It ended before it was even handed over.
      void run.stop();
      return;
    }
    this.run = run;
    this.watch(this.options.stallMs);
  }

  private onFrame(): void {
    this.lastFrameMonoUs = this.options.clock.monoUs();
    if (this.firstFrameMonoUs !== undefined) return;
    this.firstFrameMonoUs = this.lastFrameMonoUs;
    this.currentState = 'running';
    this.options.logger.info('source running', { source: this.options.name });
  }

  private watch(afterMs: number | undefined): void {
    if (afterMs === undefined) return;
    this.stallTimer = this.timers.set(() => this.checkStall(), afterMs);
  }

  private checkStall(): void {
    const { stallMs = 0, clock } = this.options;
    const since = this.firstFrameMonoUs === undefined ? this.startedMonoUs : this.lastFrameMonoUs;
    const idleMs = (clock.monoUs() - since) / 1000;
    if (idleMs < stallMs) {
      this.watch(Math.ceil(stallMs - idleMs));
      return;
    }
    this.onEnd(
      new CameraError('source-failed', `no frame came for ${stallMs / 1000} s`, {
        idleMs: Math.round(idleMs),
      }),
    );
  }

  private onEnd(error: CameraError): void {
    const { name, logger } = this.options;
    this.timers.clear(this.stallTimer);
    this.runNumber++;
    const run = this.run;
    this.run = undefined;
    // The next run waits for this one to be gone: two programs cannot hold one camera.
    const gone = run?.stop().catch(() => undefined) ?? Promise.resolve();
    this.leaving.add(gone);
    const framesUs = this.firstFrameMonoUs === undefined ? 0 : this.lastFrameMonoUs - this.firstFrameMonoUs;
    const permanent = error.details.permanent === true;
    this.currentState = permanent ? 'given-up' : 'waiting';
    if (permanent) {
      logger.error('source failed', { source: name, error: error.message });
      this.leaving.delete(gone);
      return;
    }
    const delayMs = this.delay.after(framesUs);
    const { permanent: _, ...details } = error.details;
    logger.error('source failed, starting it again', {
      source: name,
      error: error.message,
      delayMs,
      ...details,
    });
    const next = this.runNumber;
    void gone.then(() => {
      this.leaving.delete(gone);
      if (next !== this.runNumber) return;
      this.retryTimer = this.timers.set(() => {
        this.restartCount++;
        this.begin();
      }, delayMs);
    });
  }
}

function asCameraError(error: unknown): CameraError {
  if (error instanceof CameraError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CameraError('source-failed', message, {}, { cause: error });
}
