/**
 * Downloads one clip: with progress, a pause, a way to go on where it stopped, and an end to it.
 *
 * The clip is asked for by ranges with the entity tag of the first answer (RFC 9110 §13.1.5), so what is put together is one
 * and the same file, whatever happened on the way. A connection that breaks is tried again by itself a few times. The bytes
 * go into a file that the owner chose where the browser allows that; else into Blobs, which browsers keep on the disk.
 * Emits `change`.
 */
import { type CameraApi, type ClipRange, clipPath, problemOfResponse } from '../api/camera-api.ts';
import { CameraProblem } from '../api/camera-problem.ts';
import { retryDelayMs } from '../live/retry-delay.ts';

export type DownloadState = 'running' | 'paused' | 'retrying' | 'failed' | 'done' | 'cancelled';

/** Where the bytes go. */
export interface ByteSink {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> | void;
  /** Everything came. */
  close(): Promise<void> | void;
  /** Nothing of it is wanted any more, or it has to begin anew. */
  clear(): Promise<void> | void;
}

/** Breaks in a row after which it waits to be told to go on. */
const breaksMax = 5;

/** Speed is told over about so much time. */
const speedOverMs = 3000;

/** See the head of the file. */
export class ClipDownload extends EventTarget {
  state: DownloadState = 'paused';
  receivedBytes = 0;
  readonly totalBytes: number;
  /** Bytes a second; 0 while nothing comes. */
  speed = 0;
  problem: CameraProblem | undefined;
  private readonly api: CameraApi;
  private readonly range: ClipRange;
  private readonly sink: ByteSink;
  private abort = new AbortController();
  private etag: string | undefined;
  private breaks = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The run before, which may still be writing when the next is asked for. */
  private turn: Promise<void> = Promise.resolve();
  private samples: { readonly atMs: number; readonly bytes: number }[] = [];

  constructor(api: CameraApi, range: ClipRange, totalBytes: number, sink: ByteSink) {
    super();
    this.api = api;
    this.range = range;
    this.totalBytes = totalBytes;
    this.sink = sink;
  }

  /** Begins, or goes on. */
  start(): void {
    if (this.state === 'running' || this.state === 'done' || this.state === 'cancelled') return;
    clearTimeout(this.timer);
    this.breaks = 0;
    this.begin();
  }

  pause(): void {
    if (this.state !== 'running' && this.state !== 'retrying') return;
    this.stop('paused');
  }

  cancel(): void {
    if (this.state === 'done' || this.state === 'cancelled') return;
    this.stop('cancelled');
    void this.sink.clear();
  }

  private stop(state: DownloadState): void {
    clearTimeout(this.timer);
    this.abort.abort();
    this.speed = 0;
    this.set(state);
  }

  private begin(): void {
    this.abort = new AbortController();
    const { signal } = this.abort;
    this.problem = undefined;
    this.samples = [];
    this.set('running');
    this.turn = this.turn.then(() => this.run(signal));
  }

  private async run(signal: AbortSignal): Promise<void> {
    try {
      if (signal.aborted) return;
      await this.receive(signal);
      if (signal.aborted) return;
      await this.sink.close();
      this.speed = 0;
      this.set('done');
    } catch (error) {
      if (!signal.aborted) this.broken(error);
    }
  }

  private async receive(signal: AbortSignal): Promise<void> {
    const { receivedBytes, etag } = this;
    if (receivedBytes > 0 && receivedBytes === this.totalBytes) return;
    const goesOn = receivedBytes > 0 && etag !== undefined;
    const response = await fetch(clipPath(this.range), {
      headers: {
        'x-token': this.api.token,
        ...(goesOn ? { range: `bytes=${receivedBytes}-`, 'if-range': etag } : {}),
      },
      signal,
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    });
    if (!response.ok || !response.body) throw await problemOfResponse(response);
    if (response.status === 200 && receivedBytes > 0) {
      // The clip is another one by now; half of each would be none.
      await this.sink.clear();
      this.receivedBytes = 0;
    }
    this.etag = response.headers.get('etag') ?? undefined;
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) return;
      if (done) break;
      await this.sink.write(value);
      this.receivedBytes += value.length;
      this.breaks = 0;
      this.measure();
    }
    if (this.receivedBytes < this.totalBytes) throw new CameraProblem({ code: 'unreachable' });
  }

  private broken(error: unknown): void {
    this.speed = 0;
    this.problem = error instanceof CameraProblem ? error : new CameraProblem({ code: 'unreachable' });
    this.api.refused(this.problem);
    const mayPass = this.problem.status === 0 || this.problem.status >= 429;
    if (!mayPass || this.breaks >= breaksMax) {
      this.set('failed');
      return;
    }
    const waitMs = retryDelayMs(this.breaks + 1, this.problem.retryAfterMs, Math.random());
    this.breaks += 1;
    this.timer = setTimeout(() => this.begin(), waitMs);
    this.set('retrying');
  }

  private measure(): void {
    const now = performance.now();
    this.samples.push({ atMs: now, bytes: this.receivedBytes });
    while (this.samples.length > 2 && now - this.samples[0]!.atMs > speedOverMs) this.samples.shift();
    const first = this.samples[0]!;
    const elapsedMs = now - first.atMs;
    if (elapsedMs > 200) this.speed = ((this.receivedBytes - first.bytes) * 1000) / elapsedMs;
    this.dispatchEvent(new Event('change'));
  }

  private set(state: DownloadState): void {
    this.state = state;
    this.dispatchEvent(new Event('change'));
  }
}
