/**
 * Keeps the live picture running: connects, watches, and connects again with growing pauses when it is lost.
 *
 * States: `connecting` (no picture yet), `playing`, `waiting` (until the next try), `failed` (trying again would not
 * help), `stopped` (also when the camera does not take the token any more: the CameraApi tells the page). A session whose
 * time comes is replaced a moment before. A stream that stands still is a lost one even if the transport seems well: the camera is asked
 * whether the session still exists, so that a restarted worker costs seconds and not the transport's long time-out.
 */
import { CameraProblem } from './camera-problem.js';
import { LiveConnection } from './live-connection.js';
import { PictureLatency } from './picture-latency.js';
import { PictureStatistics } from './picture-statistics.js';

/** Pauses between tries in milliseconds; the last one repeats. */
const pausesMs = [300, 1000, 2000, 4000, 8000, 10_000];

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

export class LiveViewer extends EventTarget {
  #api;
  #video;
  #connection;
  #statistics;
  #latency;
  #ticker;
  #retryTimer;
  #renewalTimer;
  #isRenewal = false;
  #failures = 0;
  #frames = { count: 0, since: 0 };
  #asking = false;
  #clockReadings = 0;
  #lastClockReading = 0;
  #measuredMs;

  state = 'stopped';
  /** The CameraProblem of the last try, if it had one. */
  problem;
  /** When the next try begins, on performance.now()'s clock. */
  retryAt = 0;
  /** How often the picture came back after it was lost. */
  reconnects = 0;
  /** Milliseconds from the offer to the answer, the connection, and the first picture. */
  answerMs;
  connectedMs;
  firstFrameMs;
  /** The last reading of PictureStatistics. */
  figures;
  latencyMs;
  /** `measured` or `estimated`. */
  latencyKind;

  /** @param api a CameraApi. @param video the element that shows the picture. */
  constructor(api, video) {
    super();
    this.#api = api;
    this.#video = video;
  }

  get sessionId() {
    return this.#connection?.sessionId;
  }

  start() {
    this.#ticker = setInterval(() => void this.#tick(), 1000);
    void this.#connect();
  }

  /** Ends the session and all timers. */
  stop() {
    clearInterval(this.#ticker);
    this.#drop();
    this.#set('stopped');
  }

  /** False while the camera has asked to wait (Retry-After). */
  get mayTryNow() {
    return !(this.state === 'waiting' && this.problem.retryAfterMs > 0);
  }

  /** Tries at once, if a try is due later or was given up. */
  retryNow() {
    if ((this.state === 'waiting' || this.state === 'failed') && this.mayTryNow) void this.#connect();
  }

  async #connect() {
    this.#drop();
    this.#set('connecting');
    const connection = new LiveConnection(this.#api, state => this.#transportLost(connection, state));
    this.#connection = connection;
    this.#statistics = new PictureStatistics();
    this.#latency = new PictureLatency();
    this.#clockReadings = 0;
    this.#frames = { count: 0, since: performance.now() };
    this.#measuredMs = undefined;
    this.figures = undefined;
    this.latencyMs = undefined;
    this.#video.srcObject = connection.stream;
    this.#awaitFirstFrame(connection);
    try {
      await connection.open();
      // A picture is waited for from here on, and not from before the camera had answered.
      this.#frames.since = performance.now();
      this.#planRenewal(connection);
    } catch (error) {
      if (connection === this.#connection) this.#lost(problemOf(error));
    }
  }

  #awaitFirstFrame(connection) {
    const video = this.#video;
    const shown = at => {
      if (connection !== this.#connection || this.state !== 'connecting') return;
      if (this.firstFrameMs !== undefined && !this.#isRenewal) this.reconnects += 1;
      this.#isRenewal = false;
      this.firstFrameMs = at - connection.postedAt;
      this.answerMs = connection.answeredAt - connection.postedAt;
      this.connectedMs = connection.connectedAt ? connection.connectedAt - connection.postedAt : undefined;
      this.#failures = 0;
      this.problem = undefined;
      this.#set('playing');
      void this.#readClock();
    };
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(shown);
    else video.addEventListener('loadeddata', () => shown(performance.now()), { once: true });
    video.play().catch(error => {
      if (error.name === 'NotAllowedError') this.dispatchEvent(new Event('blocked'));
    });
  }

  #planRenewal(connection) {
    if (connection !== this.#connection || !(connection.lifeMs > 2 * renewalLeadMs)) return;
    const renew = () => {
      this.#isRenewal = true;
      void this.#connect();
    };
    this.#renewalTimer = setTimeout(renew, Math.min(connection.lifeMs - renewalLeadMs, timerMaxMs));
  }

  #transportLost(connection, state) {
    if (connection !== this.#connection) return;
    if (state === 'failed')
      this.#lost(new CameraProblem({ code: 'lost', detail: 'The connection was lost.' }));
    else void this.#askWhetherAlive(connection);
  }

  #lost(problem) {
    this.#drop();
    this.problem = problem;
    this.#isRenewal = false;
    if (problem.code === 'unauthorized') {
      clearInterval(this.#ticker);
      this.#set('stopped');
      return;
    }
    if (problem.isLasting) {
      this.#set('failed');
      return;
    }
    const pauseMs = pausesMs[Math.min(this.#failures, pausesMs.length - 1)];
    this.#failures += 1;
    // A little chance, so that the viewers of a restarted camera do not come back in step; never sooner than asked.
    const waitMs = Math.max(problem.retryAfterMs, 0.85 * pauseMs) + 0.3 * pauseMs * Math.random();
    this.retryAt = performance.now() + waitMs;
    this.#retryTimer = setTimeout(() => void this.#connect(), waitMs);
    this.#set('waiting');
  }

  #drop() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#renewalTimer);
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #tick() {
    const connection = this.#connection;
    if (connection?.sessionId !== undefined) {
      const figures = await this.#statistics.read(connection.peer);
      if (connection !== this.#connection) return;
      this.figures = figures;
      this.#watchStall(connection, figures?.framesDecoded ?? 0);
      this.#updateLatency(connection);
    }
    this.dispatchEvent(new Event('change'));
  }

  #watchStall(connection, framesDecoded) {
    const now = performance.now();
    if (framesDecoded > this.#frames.count) this.#frames = { count: framesDecoded, since: now };
    const stillMs = now - this.#frames.since;
    const lostMs = this.state === 'playing' ? stallLostMs : firstPictureTimeoutMs;
    if (stillMs > lostMs)
      this.#lost(new CameraProblem({ code: 'lost', detail: 'The picture stopped coming.' }));
    else if (stillMs > stallAskedMs) void this.#askWhetherAlive(connection);
  }

  async #askWhetherAlive(connection) {
    if (this.#asking || connection.sessionId === undefined) return;
    this.#asking = true;
    try {
      const { state } = await this.#api.describeSession(connection.sessionId);
      if (state === 'ended')
        throw new CameraProblem({ code: 'lost', detail: 'The camera ended the session.' });
    } catch (error) {
      const problem = problemOf(error);
      // The camera did not say how the session is; it is asked again.
      if (problem.status === 429) return;
      const detail = 'The camera ended the session, or was restarted.';
      if (connection === this.#connection)
        this.#lost(
          problem.code === 'session-unknown' ? new CameraProblem({ code: 'lost', detail }) : problem,
        );
    } finally {
      this.#asking = false;
    }
  }

  #updateLatency(connection) {
    if (this.state !== 'playing') return;
    const now = performance.now();
    if (this.#clockReadings < firstClockReadings || now - this.#lastClockReading > clockReadingPauseMs)
      void this.#readClock();
    const receiver = connection.peer.getReceivers().find(each => each.track.kind === 'video');
    // The figure that is shown now was measured after the last tick; this one is for the next.
    this.#video.requestVideoFrameCallback?.((_now, frame) => {
      if (connection === this.#connection && receiver)
        this.#measuredMs = this.#latency.measure(receiver, frame);
    });
    const estimate = this.figures && PictureLatency.estimate(this.figures);
    this.latencyMs = this.#measuredMs ?? estimate;
    this.latencyKind =
      this.#measuredMs === undefined ? 'estimated' : `measured, ± ${this.#latency.errorMs.toFixed(1)} ms`;
  }

  async #readClock() {
    const connection = this.#connection;
    if (connection?.sessionId === undefined) return;
    this.#clockReadings += 1;
    this.#lastClockReading = performance.now();
    const askedAt = performance.now();
    try {
      const { now_unix_ms: cameraUnixMs } = await this.#api.describeSession(connection.sessionId);
      if (connection === this.#connection && Number.isFinite(cameraUnixMs))
        this.#latency.addClockReading(cameraUnixMs, askedAt, performance.now());
    } catch {
      // The latency stays an estimate; whether the session lives is asked elsewhere.
    }
  }

  #set(state) {
    this.state = state;
    this.dispatchEvent(new Event('change'));
  }
}

function problemOf(error) {
  if (error instanceof CameraProblem) return error;
  return new CameraProblem({
    code: 'browser',
    detail: `The browser refused the camera's answer: ${error.message}`,
  });
}
