/**
 * One life of one worker thread: from its start over its readiness to its end, whatever the cause.
 *
 * Watches for an uncaught error, an exit, a start that takes too long and a thread that no longer turns (missed beats:
 * counted in ticks of our own timer, not read from a clock, so that a suspended process does not find all its workers
 * hung when it wakes). A thread that is hung is terminated; `onEnd` is called once and only after the thread is really
 * gone, because two producers on one ring would be worse than none. What the thread prints goes to the log: standard
 * output belongs to the ready line. Main thread only; restarting is supervised-worker.ts.
 */
import { type ResourceLimits, Worker } from 'node:worker_threads';
import { CameraError, errorOf } from '../base/errors.ts';
import type { WorkerReport } from '../ipc/messages.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import { LogThrottle } from '../telemetry/log-throttle.ts';
import { systemClock } from '../telemetry/system-clock.ts';
import type { SupervisorTiming } from './timing.ts';

/** Characters of one piece of printed text that are logged. */
const printedMax = 2000;

export interface WorkerLifeOptions {
  readonly name: string;
  readonly entry: URL;
  /** Structured-cloned into the thread. */
  readonly workerData: object;
  readonly resourceLimits?: ResourceLimits | undefined;
  readonly timing: SupervisorTiming;
  readonly logger: Logger;
  onReady(): void;
  /** Every report but `ready` and `beat`. */
  onReport(report: WorkerReport): void;
  /** The thread is gone. `cause` is undefined after an orderly stop. */
  onEnd(cause: CameraError | undefined): void;
}

/** A running thread. */
export class WorkerHandle {
  private readonly options: WorkerLifeOptions;
  private readonly worker: Worker;
  private readonly ended: Promise<void>;
  private cause: CameraError | undefined;
  private ready = false;
  private stopping = false;
  private missedBeats = 0;
  private beatTimer: NodeJS.Timeout;
  private startTimer: NodeJS.Timeout;
  private terminateTimer: NodeJS.Timeout | undefined;

  constructor(options: WorkerLifeOptions) {
    const { name, timing } = options;
    this.options = options;
    this.worker = new Worker(options.entry, {
      name,
      workerData: options.workerData,
      stdout: true,
      stderr: true,
      ...(options.resourceLimits ? { resourceLimits: options.resourceLimits } : {}),
    });
    this.logPrinted();
    this.worker.on('message', (report: WorkerReport) => this.take(report));
    this.worker.on('messageerror', error => this.kill(asCause(error)));
    this.worker.on('error', error => {
      this.cause ??= asCause(error);
    });
    this.ended = new Promise(resolve => {
      this.worker.once('exit', status => {
        this.clearTimers();
        resolve();
        if (!this.stopping)
          this.cause ??= new CameraError('internal', `the thread ended with status ${status}`, { status });
        options.onEnd(this.cause);
      });
    });
    this.startTimer = setTimeout(
      () => this.kill(new CameraError('internal', `not ready within ${timing.startMs} ms`)),
      timing.startMs,
    );
    this.beatTimer = setInterval(() => this.tick(), timing.beatIntervalMs);
  }

  /** Posts a command; lost when the thread is gone. */
  post(command: unknown): void {
    this.worker.postMessage(command);
  }

  /**
   * Stops the thread: asks first, terminates after three quarters of the time. Resolves to whether it is gone.
   * @param withinMs total milliseconds that this may take.
   */
  async stop(withinMs: number): Promise<boolean> {
    this.stopping = true;
    this.clearTimers();
    this.post({ type: 'stop' });
    if (await this.endsWithin(withinMs * 0.75)) return true;
    this.options.logger.warn('worker did not stop, terminating it', { worker: this.options.name });
    void this.worker.terminate();
    return this.endsWithin(withinMs * 0.25);
  }

  private take(report: WorkerReport): void {
    this.missedBeats = 0;
    if (report.type === 'beat') return;
    if (report.type === 'failed') this.cause ??= errorOf(report.error);
    if (report.type !== 'ready') this.options.onReport(report);
    else if (!this.ready && !this.stopping) {
      this.ready = true;
      clearTimeout(this.startTimer);
      this.options.onReady();
    }
  }

  private tick(): void {
    // A start loads modules and reads files, which blocks the thread; it has a limit of its own.
    if (!this.ready) return;
    this.missedBeats += 1;
    const { missedBeatsMax, beatIntervalMs } = this.options.timing;
    if (this.missedBeats > missedBeatsMax)
      this.kill(
        new CameraError('internal', `hung: no sign of life for ${missedBeatsMax * beatIntervalMs} ms`, {
          missedBeats: missedBeatsMax,
        }),
      );
  }

  private kill(cause: CameraError): void {
    this.cause ??= cause;
    this.clearTimers();
    void this.worker.terminate();
    // A thread that sits in a system call cannot be ended from here; it is at least said, and it is never doubled.
    this.terminateTimer = setTimeout(() => {
      this.options.logger.error('worker does not end, it is stuck in native code', {
        worker: this.options.name,
        error: cause.message,
      });
    }, this.options.timing.terminateMs);
  }

  private async endsWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<boolean>(resolve => {
      timer = setTimeout(resolve, ms, false);
    });
    const ended = await Promise.race([this.ended.then(() => true), timeout]);
    clearTimeout(timer);
    return ended;
  }

  private clearTimers(): void {
    clearInterval(this.beatTimer);
    clearTimeout(this.startTimer);
    clearTimeout(this.terminateTimer);
  }

  private logPrinted(): void {
    const { name, logger } = this.options;
    const throttle = new LogThrottle(logger, systemClock, 1_000_000);
    for (const stream of ['stdout', 'stderr'] as const)
      this.worker[stream].setEncoding('utf8').on('data', (text: string) => {
        throttle.log(
          stream === 'stderr' ? 'warn' : 'debug',
          stream,
          `worker printed: ${text.slice(0, printedMax).trimEnd()}`,
          {
            worker: name,
            stream,
          },
        );
      });
  }
}

/** What ended a thread, as the one error class; a stack stays with the cause. */
function asCause(error: unknown): CameraError {
  const fields = errorFields(error);
  const code = fields.code === undefined || fields.code === null ? '' : ` (${fields.code})`;
  return new CameraError('internal', `${fields.error}${code}`, {}, { cause: error });
}
