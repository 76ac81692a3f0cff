/**
 * Plays what was recorded in a `<video>` element, by moments of time: opens the clip that a moment lies in by a signed
 * link, seeks in it by ranges (the browser does), steps over gaps, and goes on into the next clip at its end.
 *
 * One clip is opened at a time; moments that are asked for meanwhile replace one another, so that dragging over hours
 * costs as many requests as the camera answers and no more. A link that has run out is renewed. Emits `change`.
 */
import type { CameraApi } from '../api/camera-api.ts';
import { CameraProblem } from '../api/camera-problem.ts';
import {
  behindGap,
  type ClipWindow,
  clipSeconds,
  isWithin,
  momentAt,
  rangeFor,
  windowOf,
} from './clip-window.ts';
import { nearestRecorded, type Span } from './spans.ts';

export type PlayerState = 'empty' | 'opening' | 'ready' | 'failed';

/** Openings in a row that may fail before the player says so; more where the link may only have been too old. */
const openingsMax = 2;
const renewalsMax = 4;

/** See the head of the file. */
export class RecordingPlayer extends EventTarget {
  state: PlayerState = 'empty';
  problem: CameraProblem | undefined;
  /** Whether it plays, or will as soon as it can. */
  isPlaying = false;
  /** Whether everything that is recorded was played. */
  isAtEnd = false;
  private readonly api: CameraApi;
  private readonly video: HTMLVideoElement;
  private spans: readonly Span[] = [];
  private window: ClipWindow | undefined;
  private linkEndsAt = 0;
  private wantedUnixMs: number | undefined;
  private isOpening = false;
  private failures = 0;
  private isClosed = false;
  private readonly abort = new AbortController();

  constructor(api: CameraApi, video: HTMLVideoElement) {
    super();
    this.api = api;
    this.video = video;
    const on = (type: string, listener: () => void): void =>
      video.addEventListener(type, listener, { signal: this.abort.signal });
    on('loadedmetadata', () => this.opened());
    on('seeked', () => this.seeked());
    on('timeupdate', () => this.passed());
    on('ended', () => this.ended());
    on('error', () => this.broken());
    on('play', () => this.changed());
    on('pause', () => this.changed());
    on('waiting', () => this.changed());
    on('playing', () => this.changed());
  }

  /** What is recorded; may grow while it plays. */
  setSpans(spans: readonly Span[]): void {
    this.spans = spans;
    // What was the end may not be it any more.
    if (this.isAtEnd && this.isPlaying && this.newestUnixMs > (this.positionUnixMs ?? 0) + 5000)
      this.seek((this.positionUnixMs ?? 0) + 100);
  }

  /** The moment that is shown, or that will be. */
  get positionUnixMs(): number | undefined {
    if (this.wantedUnixMs !== undefined) return this.wantedUnixMs;
    return this.window && momentAt(this.window, this.video.currentTime);
  }

  /** Whether pictures are being waited for. */
  get isBusy(): boolean {
    return (
      this.state === 'opening' || (this.isPlaying && this.video.readyState < 3 && this.state === 'ready')
    );
  }

  /** Shows the picture of a moment, or the next that there is. */
  seek(unixMs: number): void {
    const target = nearestRecorded(this.spans, unixMs);
    if (target === undefined) return;
    this.isAtEnd = false;
    this.wantedUnixMs = target;
    if (this.window && this.state !== 'failed' && isWithin(this.window, target)) this.seekInWindow();
    else void this.open();
    this.changed();
  }

  play(): void {
    this.isPlaying = true;
    if (this.isAtEnd) this.seek(this.positionUnixMs ?? 0);
    else if (this.state === 'ready') void this.video.play().catch(() => this.pause());
    this.changed();
  }

  pause(): void {
    this.isPlaying = false;
    this.video.pause();
    this.changed();
  }

  /** One picture on or back. */
  step(pictures: number, framesPerSecond: number): void {
    this.pause();
    const position = this.positionUnixMs;
    // The middle of the picture, so that rounding does not show its neighbour.
    if (position !== undefined) this.seek(position + (pictures * 1000) / framesPerSecond);
  }

  /** Tries again after a failure. */
  retry(): void {
    this.failures = 0;
    this.window = undefined;
    if (this.wantedUnixMs !== undefined) void this.open();
  }

  close(): void {
    this.isClosed = true;
    this.abort.abort();
    this.video.removeAttribute('src');
    this.video.load();
  }

  private get newestUnixMs(): number {
    return this.spans.at(-1)?.endUnixMs ?? 0;
  }

  private seekInWindow(): void {
    // A seek that is under way is followed by the newest one when it is over.
    if (this.state !== 'ready' || this.video.seeking || this.wantedUnixMs === undefined) return;
    this.video.currentTime = this.secondsOf(this.window!, this.wantedUnixMs);
  }

  /** Of the clip's time line, and not beyond its end. */
  private secondsOf(window: ClipWindow, unixMs: number): number {
    const { duration } = this.video;
    const seconds = clipSeconds(window, unixMs);
    return Number.isFinite(duration) ? Math.min(seconds, Math.max(0, duration - 0.001)) : seconds;
  }

  private async open(): Promise<void> {
    if (this.isOpening || this.wantedUnixMs === undefined) return;
    this.isOpening = true;
    this.set('opening');
    const range = rangeFor(this.wantedUnixMs, this.newestUnixMs);
    try {
      const { signal } = this.abort;
      const [manifest, link] = await Promise.all([
        this.api.manifest(range, signal),
        this.api.link(range, signal),
      ]);
      if (this.isClosed) return;
      this.isOpening = false;
      this.window = windowOf(range, manifest);
      this.linkEndsAt = performance.now() + link.lifeMs;
      // Meanwhile another moment may be wanted.
      if (isWithin(this.window, this.wantedUnixMs)) this.video.src = link.url;
      else void this.open();
    } catch (error) {
      this.isOpening = false;
      if (!this.isClosed) this.failed(error as CameraProblem);
    }
  }

  private opened(): void {
    this.failures = 0;
    this.problem = undefined;
    this.set('ready');
    if (this.wantedUnixMs === undefined) return;
    // A window may be left behind by what is wanted now.
    if (!isWithin(this.window!, this.wantedUnixMs)) void this.open();
    else this.seekInWindow();
  }

  private seeked(): void {
    const { wantedUnixMs, window } = this;
    if (wantedUnixMs !== undefined && window) {
      const isThere = Math.abs(this.secondsOf(window, wantedUnixMs) - this.video.currentTime) < 0.001;
      if (!isThere && isWithin(window, wantedUnixMs)) {
        this.seekInWindow();
        return;
      }
      this.wantedUnixMs = undefined;
    }
    if (this.isPlaying && this.video.paused) void this.video.play().catch(() => this.pause());
    this.changed();
  }

  private passed(): void {
    const { window } = this;
    if (!window || this.video.seeking) return;
    const behind = this.isPlaying ? behindGap(window, momentAt(window, this.video.currentTime)) : undefined;
    if (behind !== undefined) this.seek(behind);
    this.changed();
  }

  private ended(): void {
    const end = this.window?.endUnixMs;
    if (end === undefined) return;
    const next = nearestRecorded(this.spans, end);
    if (next !== undefined && next >= end && this.newestUnixMs - next > 3000) this.seek(next);
    else {
      this.isAtEnd = true;
      this.changed();
    }
  }

  private broken(): void {
    if (this.isClosed || !this.video.src) return;
    const isOld = performance.now() > this.linkEndsAt - 1000;
    this.wantedUnixMs ??= this.positionUnixMs;
    this.window = undefined;
    this.failures += 1;
    if (this.failures < (isOld ? renewalsMax : openingsMax)) void this.open();
    else {
      const detail =
        'The recording cannot be played here. The way to the camera broke, or this browser cannot decode it.';
      this.failed(new CameraProblem({ code: 'playback', detail }));
    }
  }

  private failed(problem: CameraProblem): void {
    this.problem = problem;
    this.set('failed');
  }

  private set(state: PlayerState): void {
    this.state = state;
    this.changed();
  }

  private changed(): void {
    if (!this.isClosed) this.dispatchEvent(new Event('change'));
  }
}
