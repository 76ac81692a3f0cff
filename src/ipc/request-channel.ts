/**
 * Request and reply over a worker's port, as promises on the main thread.
 *
 * Each request gets an id and is settled exactly once: by the worker's reply, by its error, by the time limit
 * (`request-timeout`), or by the worker's death (`worker-unavailable`). Between two lives of the worker, and beyond the
 * bound on waiting requests, a request is refused at once: a caller learns early and nothing piles up. A reply that
 * comes too late finds no request and is dropped. Ids are never used twice, so a reply of a former life is harmless.
 */
import { CameraError, errorOf } from '../base/errors.ts';
import type { WorkerReport } from './messages.ts';

/** Requests that may wait at once. Only offers take long, and the live worker lets only a few be pending. */
export const requestsPendingMax = 64;

/** Milliseconds until a request is given up; below the HTTP front end's own limit of 10 s. */
export const requestTimeoutMs = 8000;

/** The command that carries a request. */
export interface RequestEnvelope<Request> {
  readonly type: 'request';
  readonly id: number;
  readonly request: Request;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: CameraError) => void;
  readonly timer: NodeJS.Timeout;
}

/** One worker's requests; `Replies` maps each request's `kind` to its reply. */
export class RequestChannel<Request extends { readonly kind: keyof Replies }, Replies> {
  private readonly worker: string;
  private readonly timeoutMs: number;
  private readonly pendingMax: number;
  private readonly pending = new Map<number, Pending>();
  private post: ((command: RequestEnvelope<Request>) => void) | undefined;
  private nextId = 1;

  /** @param worker the worker's name, for messages to people. */
  constructor(worker: string, options: { timeoutMs?: number; pendingMax?: number } = {}) {
    this.worker = worker;
    this.timeoutMs = options.timeoutMs ?? requestTimeoutMs;
    this.pendingMax = options.pendingMax ?? requestsPendingMax;
  }

  /** Requests that wait for their reply. */
  get pendingCount(): number {
    return this.pending.size;
  }

  /** The worker is ready: requests go out by `post` from now on. */
  open(post: (command: RequestEnvelope<Request>) => void): void {
    this.post = post;
  }

  /** The worker is gone: rejects what waits with `worker-unavailable`, and everything until the next `open`. */
  close(): void {
    this.post = undefined;
    for (const id of [...this.pending.keys()]) this.takePending(id)?.reject(this.unavailable());
  }

  /**
   * Asks the worker. Rejects with a CameraError: the worker's own, `worker-unavailable`, or `request-timeout`.
   */
  request<Kind extends Request['kind']>(
    request: Extract<Request, { readonly kind: Kind }>,
  ): Promise<Replies[Kind]> {
    const post = this.post;
    if (!post || this.pending.size >= this.pendingMax) return Promise.reject(this.unavailable());
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.takePending(id)?.reject(
          new CameraError('request-timeout', `the ${this.worker} worker did not answer in time`, {
            kind: String(request.kind),
            timeoutMs: this.timeoutMs,
          }),
        );
      }, this.timeoutMs);
      this.pending.set(id, { resolve: resolve as (value: unknown) => void, reject, timer });
      try {
        post({ type: 'request', id, request });
      } catch (cause) {
        this.takePending(id)?.reject(
          new CameraError('internal', 'the request cannot be sent', {}, { cause }),
        );
      }
    });
  }

  /** Takes a report of the worker; true when it was a reply, in time or not. */
  take(report: WorkerReport): boolean {
    if (report.type === 'reply') this.takePending(report.id)?.resolve(report.value);
    else if (report.type === 'reply-error') this.takePending(report.id)?.reject(errorOf(report.error));
    else return false;
    return true;
  }

  private takePending(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    if (pending) {
      this.pending.delete(id);
      clearTimeout(pending.timer);
    }
    return pending;
  }

  private unavailable(): CameraError {
    return new CameraError('worker-unavailable', `the ${this.worker} worker cannot take the request now`, {
      worker: this.worker,
      pending: this.pending.size,
    });
  }
}
