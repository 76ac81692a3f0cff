/**
 * A worker that is kept running: each death is followed by a new life after the back-off, on the same ring, while the other workers go on.
 *
 * Only the very first readiness may fail: a worker that dies several times before it, or says that its configuration
 * cannot be used, fails the start of the camera, because starting it for ever would hide a broken installation. Later
 * nothing gives up. Main thread only.
 */
import type { ResourceLimits } from 'node:worker_threads';
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import type { WorkerHealth, WorkerState } from '../ipc/health.ts';
import type { WorkerReport } from '../ipc/messages.ts';
import type { WorkerData } from '../ipc/worker-data.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Backoff } from './backoff.ts';
import type { Part } from './supervisor.ts';
import { defaultTiming, type SupervisorTiming } from './timing.ts';
import { WorkerHandle } from './worker-handle.ts';

export interface SupervisedWorkerOptions<Report extends { readonly type: string }> {
  /** Short and stable: it is part of metric names. */
  readonly name: string;
  readonly entry: URL;
  /** A function is asked anew for each life of the worker. */
  readonly workerData: WorkerData | (() => WorkerData);
  readonly resourceLimits?: ResourceLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly timing?: Partial<SupervisorTiming>;
  /** The worker is ready, for the first time or again: it knows nothing but its worker data. */
  onUp?(): void;
  /** The worker died or was stopped; what it held is gone. */
  onDown?(): void;
  /** Reports of this worker's own kind, and replies. */
  onReport?(report: Report): void;
}

/** See the head of the file. */
export class SupervisedWorker<
  Command extends { readonly type: string },
  Report extends { readonly type: string } = WorkerReport,
> implements Part
{
  readonly name: string;
  private readonly options: SupervisedWorkerOptions<Report>;
  private readonly timing: SupervisorTiming;
  private readonly backoff: Backoff;
  private handle: WorkerHandle | undefined;
  private restartTimer: NodeJS.Timeout | undefined;
  private firstStart: { resolve(): void; reject(error: CameraError): void } | undefined;
  private state: WorkerState = 'stopped';
  private sinceUnixMs: number;
  private readyMonoUs: number | undefined;
  private restarts = 0;
  private lastError: string | null = null;
  private stopping = false;

  constructor(options: SupervisedWorkerOptions<Report>) {
    this.name = options.name;
    this.options = options;
    this.timing = { ...defaultTiming, ...options.timing };
    this.backoff = new Backoff(this.timing.backoff);
    this.sinceUnixMs = options.clock.wallUnixMs();
  }

  /** Starts the worker; resolves with its first readiness, rejects when there is no hope of it or on `stop`. */
  start(): Promise<void> {
    this.enter('starting');
    return new Promise((resolve, reject) => {
      this.firstStart = { resolve, reject };
      this.launch();
    });
  }

  /** Posts a command if the worker is ready; false when it is not: `onUp` is the moment to say it again. */
  post(command: Command): boolean {
    if (this.state !== 'running') return false;
    this.handle?.post(command);
    return true;
  }

  /** Stops for good within the time; resolves to whether the thread is gone. */
  async stop(withinMs: number): Promise<boolean> {
    this.stopping = true;
    clearTimeout(this.restartTimer);
    this.settleFirstStart(new CameraError('worker-unavailable', `the ${this.name} worker was stopped`));
    const gone = this.handle ? await this.handle.stop(withinMs) : true;
    if (gone) this.enter('stopped');
    return gone;
  }

  health(): WorkerHealth {
    return {
      name: this.name,
      state: this.state,
      restarts: this.restarts,
      lastError: this.lastError,
      sinceUnixMs: this.sinceUnixMs,
    };
  }

  private launch(): void {
    const { name, entry, workerData, resourceLimits, logger } = this.options;
    try {
      this.handle = new WorkerHandle({
        name,
        entry,
        workerData: {
          ...(typeof workerData === 'function' ? workerData() : workerData),
          beatIntervalMs: this.timing.beatIntervalMs,
        },
        resourceLimits,
        timing: this.timing,
        logger,
        onReady: () => this.onReady(),
        onReport: report => this.onReport(report),
        onEnd: cause => this.onEnd(cause),
      });
    } catch (cause) {
      // No thread to be had (process limits): a death like any other.
      this.onEnd(
        new CameraError('internal', `the thread cannot be started: ${String(cause)}`, {}, { cause }),
      );
    }
  }

  private onReady(): void {
    this.readyMonoUs = this.options.clock.monoUs();
    this.enter('running');
    this.options.logger.info('worker ready', { worker: this.name, restarts: this.restarts });
    this.options.onUp?.();
    this.settleFirstStart(undefined);
  }

  private onReport(report: WorkerReport): void {
    if (report.type === 'log')
      this.options.logger[report.level](report.message, { ...report.fields, worker: this.name });
    else if (report.type === 'stats') this.options.metrics.update(this.name, report.stats);
    else if (report.type !== 'failed') this.options.onReport?.(report as unknown as Report);
  }

  private onEnd(cause: CameraError | undefined): void {
    const { clock, logger, metrics, onDown } = this.options;
    const ranMs = this.readyMonoUs === undefined ? 0 : (clock.monoUs() - this.readyMonoUs) / 1000;
    this.handle = undefined;
    this.readyMonoUs = undefined;
    metrics.forget(this.name);
    if (cause) this.lastError = cause.message;
    if (this.stopping) {
      this.enter('stopped');
      onDown?.();
      return;
    }
    const hopeless = cause?.code === 'config-invalid' || this.restarts + 1 >= this.timing.startAttemptsMax;
    if (this.firstStart && hopeless) {
      this.enter('stopped');
      this.settleFirstStart(cause ?? new CameraError('internal', `the ${this.name} worker ended`));
      return;
    }
    const delayMs = this.backoff.delayAfter(ranMs);
    this.restarts += 1;
    this.enter('restarting');
    logger.error('worker died, restarting it', {
      worker: this.name,
      error: cause?.message,
      code: cause?.code,
      stack: cause?.cause instanceof Error ? cause.cause.stack : undefined,
      restarts: this.restarts,
      delayMs,
    });
    onDown?.();
    // Even the restart at once goes through a timer, so that a loop of deaths always lets the main thread breathe.
    this.restartTimer = setTimeout(() => this.launch(), delayMs);
  }

  private settleFirstStart(error: CameraError | undefined): void {
    const first = this.firstStart;
    this.firstStart = undefined;
    if (error) first?.reject(error);
    else first?.resolve();
  }

  private enter(state: WorkerState): void {
    if (state === this.state) return;
    this.state = state;
    this.sinceUnixMs = this.options.clock.wallUnixMs();
  }
}
