/**
 * Which session of the user opened which live session: when a session ends, what it watches ends with it, at once.
 *
 * An opening takes some hundred milliseconds, in which its session may end; so it is entered before it begins, and learns
 * at its end whether its session was lost meanwhile. An end that nobody reported (the live worker died) leaves an entry
 * behind; it goes when its time is over, or when it is the oldest of too many. Main thread; never blocks.
 */
import type { Clock } from '../base/clock.ts';

/**
 * Live sessions that are remembered: twice what the live worker may have open at once. The oldest beyond is closed
 * rather than forgotten, so that no viewer outlives its session unseen.
 */
export const ownedSessionsMax = 256;

/** An opening under way. */
export interface Opening {
  /** Whether the session that wanted it has ended since. */
  readonly isLost: boolean;
  /** It succeeded: from now on the session owns the live session. Not for an opening that is lost. */
  own(liveSessionId: string, validUntilUnixMs: number): void;
  /** It came to nothing. Harmless after `own`. */
  forget(): void;
}

interface Owned {
  readonly sid: string;
  readonly validUntilUnixMs: number;
}

/** The table; one for a server. */
export class LiveOwners {
  private readonly clock: Clock;
  private readonly close: (liveSessionId: string) => void;
  /** By live session, oldest first. */
  private readonly owned = new Map<string, Owned>();
  private readonly openings = new Set<{ sid: string; isLost: boolean }>();

  /** @param close ends a live session; must not throw, and may find none. */
  constructor(clock: Clock, close: (liveSessionId: string) => void) {
    this.clock = clock;
    this.close = close;
  }

  /** To be called before the live worker is asked; one `own` or `forget` must follow. */
  begin(sid: string): Opening {
    const entry = { sid, isLost: false };
    this.openings.add(entry);
    return {
      get isLost() {
        return entry.isLost;
      },
      own: (liveSessionId, validUntilUnixMs) => {
        this.openings.delete(entry);
        this.owned.set(liveSessionId, { sid, validUntilUnixMs });
        this.bound();
      },
      forget: () => {
        this.openings.delete(entry);
      },
    };
  }

  /** The live session has ended by itself, or was closed. */
  ended(liveSessionId: string): void {
    this.owned.delete(liveSessionId);
  }

  /** Sessions of the user have ended: closes what they watch and marks what they are opening. */
  sessionsEnded(sids: readonly string[]): void {
    const gone = new Set(sids);
    for (const opening of this.openings) if (gone.has(opening.sid)) opening.isLost = true;
    for (const [liveSessionId, { sid }] of this.owned)
      if (gone.has(sid)) {
        this.owned.delete(liveSessionId);
        this.close(liveSessionId);
      }
  }

  /** Live sessions that are remembered. */
  get size(): number {
    return this.owned.size;
  }

  private bound(): void {
    if (this.owned.size <= ownedSessionsMax) return;
    const nowUnixMs = this.clock.wallUnixMs();
    for (const [liveSessionId, { validUntilUnixMs }] of this.owned)
      if (validUntilUnixMs <= nowUnixMs) this.owned.delete(liveSessionId);
    for (const liveSessionId of this.owned.keys()) {
      if (this.owned.size <= ownedSessionsMax) return;
      this.owned.delete(liveSessionId);
      this.close(liveSessionId);
    }
  }
}
