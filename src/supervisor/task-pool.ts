/**
 * The task pool: piscina threads for work that would stall the main thread, typed by ipc/tasks.ts.
 *
 * One task a thread, one or two threads by the machine's memory, a short queue, and `hashing-busy` at once beyond it: who
 * waits longer than a log-in is worth had better hear so. Threads start with the first task and end when they idled for
 * a while, so a camera that nobody logs in to pays nothing. A task has a time limit, its wait included. One that runs into
 * it loses its thread, unless native code computes for it (ipc/native-section.ts): then its caller is told, and the thread
 * stays taken until that is over. A thread that dies fails its task, the next task gets a new one, nobody else notices.
 *
 * The queue is here and not in piscina, because with a limit on tasks that can be aborted piscina 5.3 has none: it bounds
 * only those without a signal. Nor does it start a thread for what waits when one died. So it is handed as many tasks as
 * there are threads, and each settles here. Main thread only.
 */
import { totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ResourceLimits } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { CameraError, type ErrorCode, errorOf } from '../base/errors.ts';
import type { Stats } from '../ipc/messages.ts';
import { condemn, newNativeSection } from '../ipc/native-section.ts';
import type {
  TaskKind,
  TaskMessage,
  TaskOutcome,
  TaskReplies,
  TaskRequests,
  TaskRunner,
} from '../ipc/tasks.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import { LogThrottle } from '../telemetry/log-throttle.ts';
import { systemClock } from '../telemetry/system-clock.ts';
import type { Part } from './supervisor.ts';
import { workerEntry } from './worker-entry.ts';

/** Tasks that may wait for a thread. */
export const tasksWaitingMax = 8;
/** Milliseconds from the call to the end of a task; below the HTTP front end's own limit of 10 s. */
export const taskTimeoutMs = 8000;
/** How long a thread waits for its next task before it ends. */
export const threadIdleMs = 30_000;
/** Machines with less memory hash one password at a time: two at 19 MiB would be felt on a board of 128 MB. */
const twoThreadsFromBytes = 512_000_000;
/** A thread's JavaScript heap; what argon2 fills lies outside of it. */
const taskThreadLimits: ResourceLimits = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 8 };

/** How many threads a machine with so much memory gets. */
export function taskThreadsFor(memoryBytes: number): number {
  return memoryBytes < twoThreadsFromBytes ? 1 : 2;
}

export interface TaskPoolOptions {
  /** Short and stable; `tasks` when left out. */
  readonly name?: string;
  readonly logger: Logger;
  /** Code of the refusal of a task when too many wait; `hashing-busy` when left out. */
  readonly busyCode?: ErrorCode;
  /** The entry of a thread; workers/tasks unless a test has another. */
  readonly entry?: URL;
  readonly threads?: number;
  readonly waitingMax?: number;
  readonly timeoutMs?: number;
  readonly idleMs?: number;
  readonly resourceLimits?: ResourceLimits;
}

interface Job {
  readonly message: TaskMessage;
  readonly abort: AbortController;
  readonly timer: NodeJS.Timeout;
  resolve(reply: TaskReplies[TaskKind]): void;
  reject(error: CameraError): void;
}

/** See the head of the file. */
export class TaskPool implements Part, TaskRunner {
  readonly name: string;
  private readonly busyCode: ErrorCode;
  private readonly pool: Piscina<TaskMessage, TaskOutcome>;
  private readonly threads: number;
  private readonly waitingMax: number;
  private readonly timeoutMs: number;
  private readonly faultLog: LogThrottle;
  private readonly waiting: Job[] = [];
  private readonly running = new Set<Job>();
  private readonly counts = { done: 0, failed: 0, refused: 0 };
  private stopped: Promise<boolean> | undefined;
  private onIdle: (() => void) | undefined;

  constructor(options: TaskPoolOptions) {
    this.name = options.name ?? 'tasks';
    this.busyCode = options.busyCode ?? 'hashing-busy';
    this.threads = options.threads ?? taskThreadsFor(totalmem());
    this.waitingMax = options.waitingMax ?? tasksWaitingMax;
    this.timeoutMs = options.timeoutMs ?? taskTimeoutMs;
    this.faultLog = new LogThrottle(options.logger, systemClock);
    this.pool = new Piscina({
      filename: fileURLToPath(options.entry ?? workerEntry('tasks')),
      minThreads: 0,
      maxThreads: this.threads,
      idleTimeout: options.idleMs ?? threadIdleMs,
      // Its threads would wait for tasks without turning their event loop, which a library's own clean-up may need.
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: options.resourceLimits ?? taskThreadLimits,
    });
    // A thread that fails while it has no task: without a listener that would be an uncaught error.
    this.pool.on('error', error => this.tellFault(error));
    // Later, since the task that died with its thread is told of it after this event.
    this.pool.on('workerDestroy', () => setImmediate(() => this.failOrphans()));
  }

  /** Nothing to wait for: a thread starts with its first task. */
  async start(): Promise<void> {}

  run<Kind extends TaskKind>(kind: Kind, request: TaskRequests[Kind]): Promise<TaskReplies[Kind]> {
    if (this.stopped) return Promise.reject(unavailable('the camera is stopping'));
    if (this.running.size >= this.threads && this.waiting.length >= this.waitingMax) {
      this.counts.refused += 1;
      return Promise.reject(
        new CameraError(this.busyCode, 'too many tasks wait already', { waiting: this.waiting.length }),
      );
    }
    return new Promise((resolve, reject) => {
      const job: Job = {
        message: { kind, request, section: newNativeSection() },
        abort: new AbortController(),
        timer: setTimeout(() => this.onTimeout(job), this.timeoutMs),
        resolve: resolve as Job['resolve'],
        reject,
      };
      this.waiting.push(job);
      this.dispatch();
    });
  }

  /**
   * Lets running tasks end for three quarters of the time, then ends their threads; what waits is refused at once. False
   * when native code still computes: to end the process meanwhile would be an abort, not an exit.
   */
  stop(withinMs: number): Promise<boolean> {
    this.stopped ??= this.end(withinMs);
    return this.stopped;
  }

  /** For the metrics. */
  stats(): Stats {
    return {
      values: {
        threads: this.pool.threads.length,
        running: this.running.size,
        waiting: this.waiting.length,
        done_total: this.counts.done,
        failed_total: this.counts.failed,
        refused_total: this.counts.refused,
      },
    };
  }

  private dispatch(): void {
    while (this.running.size < this.threads) {
      const job = this.waiting.shift();
      if (!job) break;
      this.running.add(job);
      void this.perform(job);
    }
    if (this.running.size === 0) this.onIdle?.();
  }

  private async perform(job: Job): Promise<void> {
    try {
      const outcome = await this.pool.run(job.message, { signal: job.abort.signal });
      if ('error' in outcome) this.settle(job, () => job.reject(errorOf(outcome.error)));
      else this.settle(job, () => job.resolve(outcome.reply));
      this.counts.done += 1;
    } catch (error) {
      this.counts.failed += 1;
      const reason: unknown = job.abort.signal.reason;
      const cause = reason instanceof CameraError ? reason : unavailable('its thread died', error);
      if (cause !== reason) this.tellFault(error);
      this.settle(job, () => job.reject(cause));
    }
  }

  private settle(job: Job, tell: () => void): void {
    clearTimeout(job.timer);
    this.running.delete(job);
    tell();
    this.dispatch();
  }

  private onTimeout(job: Job): void {
    const { timeoutMs } = this;
    const index = this.waiting.indexOf(job);
    if (index >= 0) {
      this.waiting.splice(index, 1);
      this.counts.refused += 1;
      job.reject(new CameraError(this.busyCode, 'the task waited too long', { timeoutMs }));
      return;
    }
    const { kind, section } = job.message;
    const error = new CameraError('request-timeout', 'a task took too long', { kind, timeoutMs });
    this.faultLog.log('warn', 'timeout', error.message, error.details);
    if (condemn(section)) job.abort.abort(error);
    else job.reject(error);
  }

  /** A thread ended: a task that it should have taken when it was up would wait for ever. */
  private failOrphans(): void {
    if (this.pool.threads.length > 0) return;
    for (const job of [...this.running]) job.abort.abort(unavailable('its thread did not start'));
  }

  private async end(withinMs: number): Promise<boolean> {
    for (const job of this.waiting.splice(0)) {
      clearTimeout(job.timer);
      job.reject(unavailable('the camera is stopping'));
    }
    if (!(await within(this.idle(), withinMs * 0.75)))
      for (const job of [...this.running])
        if (condemn(job.message.section)) job.abort.abort(unavailable('the camera is stopping'));
    return within(
      this.idle().then(() => this.pool.destroy()),
      withinMs * 0.25,
    );
  }

  /** Resolves when no task runs. */
  private idle(): Promise<void> {
    if (this.running.size === 0) return Promise.resolve();
    return new Promise(resolve => {
      this.onIdle = resolve;
    });
  }

  private tellFault(error: unknown): void {
    this.faultLog.log('warn', 'thread', 'a thread of the task pool failed', errorFields(error));
  }
}

function unavailable(why: string, cause?: unknown): CameraError {
  return new CameraError('worker-unavailable', `the task was not done: ${why}`, {}, { cause });
}

/** Whether the promise settled within the time. */
async function within(promise: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>(resolve => {
    timer = setTimeout(resolve, ms, false);
  });
  const isInTime = await Promise.race([promise.then(() => true), timeout]);
  clearTimeout(timer);
  return isInTime;
}
