/**
 * The worker's side of its port: takes a stage from its start through commands and requests to its stop.
 *
 * A worker entry (workers/*.ts) is one call of `runWorker`. It says `ready` once the stage has started, beats and posts
 * statistics at a fixed rate, answers every request exactly once, and turns anything uncaught into a `failed` report and
 * exit status 1: half a stage is worse than none, and the supervisor starts a whole one. Call it once, in a worker
 * thread. The thread is ended at the stop even if the stage left a handle open: a leak must not cost the orderly stop.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Clock } from '../base/clock.ts';
import { CameraError, reportOf } from '../base/errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { systemClock } from '../telemetry/system-clock.ts';
import { createWorkerLogger } from '../telemetry/worker-log.ts';
import type { Stats, WorkerCommand, WorkerReport } from './messages.ts';
import { beatIntervalMs, type WorkerData } from './worker-data.ts';

/** A request as it comes over the port; at most one reply goes back under its id. */
interface RequestCommand {
  readonly type: 'request';
  readonly id: number;
  readonly request: unknown;
}

/** The commands that a stage sees: `stop` and requests have their own methods. */
export type StageCommand<Command extends { readonly type: string }> = Exclude<
  Command,
  { readonly type: 'stop' | 'request' }
>;

/** The requests among the commands. */
export type StageRequest<Command extends { readonly type: string }> =
  Extract<Command, { readonly type: 'request' }> extends { readonly request: infer Request }
    ? Request
    : never;

/** What a stage has at hand while it runs. */
export interface StageContext<Report> {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Posts a report of the stage's own to the main thread. */
  report(report: Report): void;
  /** Ends the worker with this error; the supervisor restarts it. Does not return to the event loop. */
  fail(error: unknown): void;
}

/** A started stage. */
export interface Stage<Command extends { readonly type: string }> {
  /** Takes a command; what it throws ends the worker. */
  command?(command: StageCommand<Command>): void;
  /** Answers a request; what it rejects with becomes the reply's error. */
  request?(request: StageRequest<Command>): Promise<unknown>;
  /** Counters, gauges and histograms, asked for at every beat. */
  stats?(): Stats;
  /** Lets go of everything within a second. */
  stop(): Promise<void> | void;
}

/** Commands that may wait while the stage starts; main sends at most a few, and none waits for a reply. */
export const commandsWhileStartingMax = 64;

/**
 * Runs a stage in this worker thread.
 *
 * @param start makes the stage from the worker data; what it throws or rejects with is reported and ends the worker.
 */
export function runWorker<
  Data extends WorkerData,
  Command extends { readonly type: string } = WorkerCommand,
  Report extends { readonly type: string } = WorkerReport,
>(start: (data: Data, context: StageContext<Report>) => Promise<Stage<Command>> | Stage<Command>): void {
  const port = parentPort;
  if (!port) throw new CameraError('internal', 'this file is the entry of a worker thread');
  const data = workerData as Data;
  const runner = new StageRunner<Command>(port, data.beatIntervalMs ?? beatIntervalMs);
  const post = (report: WorkerReport): void => port.postMessage(report);
  const context: StageContext<Report> = {
    logger: createWorkerLogger(post, data.logLevel),
    clock: systemClock,
    report: report => port.postMessage(report),
    fail: error => runner.fail(error),
  };
  process.on('uncaughtException', error => runner.fail(error));
  port.on('message', message => runner.take(message));
  void Promise.resolve()
    .then(() => start(data, context))
    .then(
      stage => runner.begin(stage),
      error => runner.fail(error),
    );
}

/** The life of one stage on its port. */
class StageRunner<Command extends { readonly type: string }> {
  private readonly port: MessagePort;
  private readonly beatIntervalMs: number;
  private stage: Stage<Command> | undefined;
  private waiting: (Command | WorkerCommand)[] = [];
  private beat: NodeJS.Timeout;
  private stopping = false;

  constructor(port: MessagePort, intervalMs: number) {
    this.port = port;
    this.beatIntervalMs = intervalMs;
    // From the beginning, so that a stage that blocks right after its start has its beats counted too.
    this.beat = setInterval(() => this.onBeat(), this.beatIntervalMs);
  }

  /** The stage has started: says so and hands it the commands that came meanwhile. */
  begin(stage: Stage<Command>): void {
    this.stage = stage;
    this.post({ type: 'ready' });
    const waiting = this.waiting;
    this.waiting = [];
    for (const command of waiting) this.take(command);
  }

  /** Takes a command from the port. */
  take(command: Command | WorkerCommand): void {
    const stage = this.stage;
    if (!stage) {
      if (this.waiting.length >= commandsWhileStartingMax)
        this.fail(new CameraError('internal', 'too many commands came while the stage was starting'));
      else this.waiting.push(command);
    } else if (command.type === 'stop') void this.stop(stage);
    else if (command.type === 'request') void this.answer(stage, command as unknown as RequestCommand);
    else stage.command?.(command as StageCommand<Command>);
  }

  /** Reports the error and ends the thread with status 1. */
  fail(error: unknown): void {
    clearInterval(this.beat);
    this.post({ type: 'failed', error: reportOf(error) });
    process.exit(1);
  }

  private async answer(stage: Stage<Command>, { id, request }: RequestCommand): Promise<void> {
    try {
      if (!stage.request) throw new CameraError('internal', 'this worker answers no requests');
      this.post({ type: 'reply', id, value: await stage.request(request as StageRequest<Command>) });
    } catch (error) {
      // A value that cannot be cloned throws in postMessage and comes here too: a request never stays unanswered.
      this.post({ type: 'reply-error', id, error: reportOf(error) });
    }
  }

  private async stop(stage: Stage<Command>): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    clearInterval(this.beat);
    try {
      await stage.stop();
    } catch (error) {
      this.fail(error);
    }
    process.exit(0);
  }

  private onBeat(): void {
    this.post({ type: 'beat' });
    if (this.stage?.stats && !this.stopping) this.post({ type: 'stats', stats: this.stage.stats() });
  }

  private post(report: WorkerReport): void {
    this.port.postMessage(report);
  }
}
