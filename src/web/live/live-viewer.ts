/**
 * Keeps the live picture running: connects, watches, and connects again with growing pauses when it is lost.
 *
 * States: `connecting` (no picture yet), `playing`, `waiting` (until the next try), `failed` (trying again would not
 * help), `stopped` (also when the camera does not take the token any more: the CameraApi tells the page). A session whose
 * time comes is replaced a moment before. A stream that stands still is a lost one even if the transport seems well: the
 * camera is asked whether the session still exists, so that a restarted worker costs seconds and not the transport's long
 * time-out. A page that was asleep is told by `wake`. Emits `change` whenever something of it has changed.
 */
import type { CameraApi } from '../api/camera-api.ts';
import { CameraProblem } from '../api/camera-problem.ts';
import { LiveConnection, type LiveStream } from './live-connection.ts';
import { PictureLatency } from './picture-latency.ts';
import { type PictureFigures, PictureStatistics } from './picture-statistics.ts';
import { retryDelayMs } from './retry-delay.ts';

/** Milliseconds from the answer until a picture must be there. */
const firstPictureTimeoutMs = 15_000;

/** Milliseconds without a new frame until the camera is asked, and until the session is given up anyway. */
const stallAskedMs = 1500;
const stallLostMs = 6000;

/** Readings of the camera's clock at the start, one a second, and the pause between later ones. */
const firstClockReadings = 4;
const clockReadingPauseMs = 30_000;

/** Milliseconds before a session's end at which the next one begins; a session shorter than twice this just ends. */
const renewalLeadMs = 1500;

/** setTimeout counts in 32 bits. */
const timerMaxMs = 2 ** 31 - 1;

/** A second between ticks that took longer than this was a sleep. */
const sleepMs = 5000;

export type LiveState = 'stopped' | 'connecting' | 'playing' | 'waiting' | 'failed';

/** See the head of the file. */
export class LiveViewer extends EventTarget {
  state: LiveState = 'stopped';
  /** Of the last try, if it had one. */
  problem: CameraProblem | undefined;
  /** When the next try begins, on performance.now()'s clock. */
  retryAt = 0;
  /** How often the picture came back after it was lost. */
  reconnects = 0;
  /** Milliseconds from the offer to the answer, the connection, and the first picture. */
  answerMs: number | undefined;
  connectedMs: number | undefined;
  firstFrameMs: number | undefined;
  figures: PictureFigures | undefined;
  latencyMs: number | undefined;
  /** `measured` or `estimated`. */
  latencyKind = '';
  private readonly api: CameraApi;
  private readonly video: HTMLVideoElement;
  private readonly wanted: LiveStream;
  private connection: LiveConnection | undefined;
  private statistics = new PictureStatistics();
  private latency = new PictureLatency();
  private ticker: ReturnType<typeof setInterval> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private renewalTimer: ReturnType<typeof setTimeout> | undefined;
  private isRenewal = false;
  private failures = 0;
  private frames = { count: 0, since: 0 };
  private asking = false;
  private clockReadings = 0;
  private lastClockReading = 0;
  private lastTickUnixMs = 0;
  private measuredMs: number | undefined;

  /** @param video the element that shows the picture. */
  constructor(api: CameraApi, video: HTMLVideoElement, stream: LiveStream) {
    super();
    this.api = api;
    this.video = video;
    this.wanted = stream;
  }

  get sessionId(): string | undefined {
    return this.connection?.sessionId;
  }

  start(): void {
    this.lastTickUnixMs = Date.now();
    this.ticker = setInterval(() => void this.tick(), 1000);
    void this.connect();
  }

  /** Ends the session and all timers. */
  stop(): void {
    clearInterval(this.ticker);
    this.drop();
    this.set('stopped');
  }

  /** False while the camera has asked to wait (Retry-After). */
  get mayTryNow(): boolean {
    return !(this.state === 'waiting' && (this.problem?.retryAfterMs ?? 0) > 0);
  }

  /** Tries at once, if a try is due later or was given up. */
  retryNow(): void {
    if ((this.state === 'waiting' || this.state === 'failed') && this.mayTryNow) void this.connect();
  }

  /** The page comes back from sleep, or its network does: what waits is tried now, what plays is looked at. */
  wake(): void {
    if (this.state === 'waiting') this.retryNow();
    else if (this.state === 'playing' && this.connection) void this.askWhetherAlive(this.connection);
  }

  private async connect(): Promise<void> {
    this.drop();
    this.set('connecting');
    const connection = new LiveConnection(this.api, this.wanted, state =>
      this.transportLost(connection, state),
    );
    this.connection = connection;
    this.statistics = new PictureStatistics();
    this.latency = new PictureLatency();
    this.clockReadings = 0;
    this.frames = { count: 0, since: performance.now() };
    this.measuredMs = undefined;
    this.figures = undefined;
    this.latencyMs = undefined;
    this.video.srcObject = connection.stream;
    this.awaitFirstFrame(connection);
    try {
      await connection.open();
      // A picture is waited for from here on, and not from before the camera had answered.
      this.frames.since = performance.now();
      this.planRenewal(connection);
    } catch (error) {
      if (connection === this.connection) this.lost(problemOf(error));
    }
  }

  private awaitFirstFrame(connection: LiveConnection): void {
    const { video } = this;
    const shown = (at: number): void => {
      if (connection !== this.connection || this.state !== 'connecting') return;
      if (this.firstFrameMs !== undefined && !this.isRenewal) this.reconnects += 1;
      this.isRenewal = false;
      this.firstFrameMs = at - connection.postedAt;
      this.answerMs = connection.answeredAt - connection.postedAt;
      this.connectedMs = connection.connectedAt ? connection.connectedAt - connection.postedAt : undefined;
      this.failures = 0;
      this.problem = undefined;
      this.set('playing');
      void this.readClock();
    };
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(shown);
    else
      (video as HTMLVideoElement).addEventListener('loadeddata', () => shown(performance.now()), {
        once: true,
      });
    video.play().catch((error: unknown) => {
      if ((error as Error).name === 'NotAllowedError') this.dispatchEvent(new Event('blocked'));
    });
  }

  private planRenewal(connection: LiveConnection): void {
    const { lifeMs = 0 } = connection;
    if (connection !== this.connection || !(lifeMs > 2 * renewalLeadMs)) return;
    const renew = (): void => {
      this.isRenewal = true;
      void this.connect();
    };
    this.renewalTimer = setTimeout(renew, Math.min(lifeMs - renewalLeadMs, timerMaxMs));
  }

  private transportLost(connection: LiveConnection, state: 'disconnected' | 'failed'): void {
    if (connection !== this.connection) return;
    if (state === 'failed') {
      const detail =
        connection.connectedAt === 0
          ? 'No way was found for the picture from the camera to this device. Behind a router or a firewall it may take a TURN server (Settings).'
          : 'The way of the picture from the camera to this device broke.';
      this.lost(new CameraProblem({ code: 'lost', detail }));
    } else void this.askWhetherAlive(connection);
  }

  private lost(problem: CameraProblem): void {
    this.drop();
    this.problem = problem;
    this.isRenewal = false;
    if (problem.status === 401) {
      clearInterval(this.ticker);
      this.set('stopped');
      return;
    }
    if (problem.isLasting) {
      this.set('failed');
      return;
    }
    const waitMs = retryDelayMs(this.failures, problem.retryAfterMs, Math.random());
    this.failures += 1;
    this.retryAt = performance.now() + waitMs;
    this.retryTimer = setTimeout(() => void this.connect(), waitMs);
    this.set('waiting');
  }

  private drop(): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.renewalTimer);
    this.connection?.close();
    this.connection = undefined;
  }

  private async tick(): Promise<void> {
    const now = Date.now();
    if (now - this.lastTickUnixMs > sleepMs) this.wake();
    this.lastTickUnixMs = now;
    const { connection } = this;
    if (connection?.sessionId !== undefined) {
      const figures = await this.statistics.read(connection.peer);
      if (connection !== this.connection) return;
      this.figures = figures;
      this.watchStall(connection, figures?.framesDecoded ?? 0);
      this.updateLatency(connection);
    }
    this.dispatchEvent(new Event('change'));
  }

  private watchStall(connection: LiveConnection, framesDecoded: number): void {
    const now = performance.now();
    if (framesDecoded > this.frames.count) this.frames = { count: framesDecoded, since: now };
    const stillMs = now - this.frames.since;
    const lostMs = this.state === 'playing' ? stallLostMs : firstPictureTimeoutMs;
    if (stillMs > lostMs)
      this.lost(new CameraProblem({ code: 'lost', detail: 'The picture stopped coming.' }));
    else if (stillMs > stallAskedMs) void this.askWhetherAlive(connection);
  }

  private async askWhetherAlive(connection: LiveConnection): Promise<void> {
    if (this.asking || connection.sessionId === undefined) return;
    this.asking = true;
    try {
      await this.api.describeSession(connection.sessionId);
    } catch (error) {
      const problem = problemOf(error);
      // The camera did not say how the session is; it is asked again.
      if (problem.status === 429) return;
      const detail = 'The camera ended the session, or was restarted.';
      if (connection === this.connection)
        this.lost(problem.code === 'session-unknown' ? new CameraProblem({ code: 'lost', detail }) : problem);
    } finally {
      this.asking = false;
    }
  }

  private updateLatency(connection: LiveConnection): void {
    if (this.state !== 'playing') return;
    const now = performance.now();
    if (this.clockReadings < firstClockReadings || now - this.lastClockReading > clockReadingPauseMs)
      void this.readClock();
    const receiver = connection.peer.getReceivers().find(each => each.track.kind === 'video');
    // The figure that is shown now was measured after the last tick; this one is for the next.
    this.video.requestVideoFrameCallback?.((_now, frame) => {
      if (connection === this.connection && receiver) this.measuredMs = this.latency.measure(receiver, frame);
    });
    this.latencyMs = this.measuredMs ?? (this.figures && PictureLatency.estimate(this.figures));
    this.latencyKind =
      this.measuredMs === undefined ? 'estimated' : `measured, ± ${this.latency.errorMs.toFixed(1)} ms`;
  }

  private async readClock(): Promise<void> {
    const { connection } = this;
    if (connection?.sessionId === undefined) return;
    this.clockReadings += 1;
    this.lastClockReading = performance.now();
    const askedAt = performance.now();
    try {
      const { now_unix_ms: cameraUnixMs } = await this.api.describeSession(connection.sessionId);
      if (connection === this.connection && Number.isFinite(cameraUnixMs))
        this.latency.addClockReading(cameraUnixMs, askedAt, performance.now());
    } catch {
      // The latency stays an estimate; whether the session lives is asked elsewhere.
    }
  }

  private set(state: LiveState): void {
    this.state = state;
    this.dispatchEvent(new Event('change'));
  }
}

function problemOf(error: unknown): CameraProblem {
  if (!(error instanceof CameraProblem)) {
    const detail = `The browser refused the camera's answer: ${(error as Error).message}`;
    return new CameraProblem({ code: 'browser', detail });
  }
  if (error.code === 'unreachable' && !navigator.onLine)
    return new CameraProblem({ code: 'offline', detail: 'This device has no network.' });
  return error;
}
