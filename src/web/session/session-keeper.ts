/**
 * Keeps the session of the user alive: refreshes it at half of its life, for as long as the page is open.
 *
 * Looks at the time once a second instead of setting one long timer, which stands still while a computer sleeps. A clock
 * that was set and one that stood still are both met: what either of the browser's two clocks says counts. A refresh
 * that the camera refuses for good (401) ends the keeping; the page learns of it from the CameraApi.
 */
import { CameraProblem } from '../api/camera-problem.ts';

/** Of both clocks, ms. */
interface Moment {
  readonly wall: number;
  readonly steady: number;
}

/** What gives the session a new life; rejects with a CameraProblem. */
export interface Refreshing {
  refresh(): Promise<{ readonly lifeMs: number }>;
}

const lookEveryMs = 1000;

/** Between tries that failed, unless the camera says more. */
const retryPauseMs = 5000;

/** Refreshes are no closer than this, even when the session has come to its longest life and gets no more. */
const pauseMinMs = 2000;

const never: Moment = { wall: Infinity, steady: Infinity };

export class SessionKeeper {
  private readonly api: Refreshing;
  private timer: ReturnType<typeof setInterval> | undefined;
  private due = never;
  private end = never;
  private busy = false;

  /** How often it was refreshed. */
  refreshes = 0;

  /** @param lifeMs what is left of the session; undefined when nobody knows, so that it is refreshed at once. */
  constructor(api: Refreshing, lifeMs: number | undefined) {
    this.api = api;
    if (lifeMs === undefined) this.due = from(0);
    else this.lives(lifeMs);
  }

  start(): void {
    this.stop();
    this.timer = setInterval(() => this.look(), lookEveryMs);
    this.look();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Refreshes if it is time; worth a call when the page was asleep. */
  look(): void {
    if (this.timer !== undefined && !this.busy && isPast(this.due)) void this.refresh();
  }

  /** Whether it is known how long the session lives, as it is after the first refresh at the latest. */
  get isKnown(): boolean {
    return this.end !== never;
  }

  /** Whether the session has come to its end by what was last known. */
  get hasExpired(): boolean {
    return isPast(this.end);
  }

  private async refresh(): Promise<void> {
    this.busy = true;
    try {
      const { lifeMs } = await this.api.refresh();
      this.lives(lifeMs);
      this.refreshes += 1;
    } catch (error) {
      const { status = 0, retryAfterMs = 0 } = error instanceof CameraProblem ? error : {};
      if (status === 401) this.stop();
      this.due = from(Math.max(retryPauseMs, retryAfterMs));
    } finally {
      this.busy = false;
    }
  }

  private lives(lifeMs: number): void {
    this.due = from(Math.max(pauseMinMs, lifeMs / 2));
    this.end = from(lifeMs);
  }
}

/** A moment on both clocks: the wall clock runs on in sleep, the other is not set by anybody. */
function from(ms: number): Moment {
  return { wall: Date.now() + ms, steady: performance.now() + ms };
}

function isPast({ wall, steady }: Moment): boolean {
  return Date.now() >= wall || performance.now() >= steady;
}
