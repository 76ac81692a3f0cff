/**
 * How long a session lives: the arithmetic of its record in the database, without any effect.
 *
 * Within one start of the machine only monotonic time counts, so that no step of the wall clock prolongs or ends a
 * session. Over a restart of the machine that time is lost. Then a session keeps what it had left when the camera last
 * wrote (`seen` of accounts-data.ts; at most ten minutes old), counted on in running time, and besides ends when the wall
 * clock says so: it must be alive by both. The wall clock is only ever asked, never believed for good: while it says 2081
 * such a session counts as expired, and when it comes back the session is there again. Nothing is deleted for its age.
 */
import type { AccountsConfiguration } from '../config/configuration.ts';
import { isSameBoot, type Moment } from './moment.ts';

/** A session in the database. Times are of the boot of the database's `seen`. */
export interface SessionRecord {
  sid: string;
  label: string;
  /** Rises with every session; the lowest is the oldest. */
  order: number;
  /** When it ends, monotonic; negative when that lay before the start of the machine. */
  endsMonoUs: number;
  /** Beyond this no refresh takes it. */
  lastEndsMonoUs: number;
  /** The same by the wall clock; null while the machine has not been started anew since. */
  endsUnixMs: number | null;
  lastEndsUnixMs: number | null;
}

type Lives = Pick<AccountsConfiguration, 'sessionSeconds' | 'sessionMaxSeconds'>;

/** A session that begins now. */
export function newSession(
  { sid, label, order }: { sid: string; label: string; order: number },
  now: Moment,
  { sessionSeconds, sessionMaxSeconds }: Lives,
): SessionRecord {
  const lastEndsMonoUs = now.monoUs + sessionMaxSeconds * 1e6;
  const endsMonoUs = Math.min(now.monoUs + sessionSeconds * 1e6, lastEndsMonoUs);
  return { sid, label, order, endsMonoUs, lastEndsMonoUs, endsUnixMs: null, lastEndsUnixMs: null };
}

/** Gives a living session a new life, as far as its absolute one reaches. */
export function extendSession(session: SessionRecord, now: Moment, { sessionSeconds }: Lives): void {
  session.endsMonoUs = Math.min(now.monoUs + sessionSeconds * 1e6, session.lastEndsMonoUs);
  session.endsUnixMs = session.lastEndsUnixMs;
}

export function isAlive(session: SessionRecord, now: Moment): boolean {
  return (
    now.monoUs < session.endsMonoUs && (session.endsUnixMs === null || now.wallUnixMs < session.endsUnixMs)
  );
}

/** When a living session ends, by today's wall clock. */
export function validUntilUnixMs(session: SessionRecord, now: Moment): number {
  const byMono = Math.floor(now.wallUnixMs + (session.endsMonoUs - now.monoUs) / 1000);
  return session.endsUnixMs === null ? byMono : Math.min(byMono, Math.floor(session.endsUnixMs));
}

/** Takes the times of a session from the boot of `seen` to that of `now`; within one boot it does nothing. */
export function carryOver(session: SessionRecord, seen: Moment, now: Moment): void {
  if (isSameBoot(seen, now)) return;
  const leftUs = session.endsMonoUs - seen.monoUs;
  const lastLeftUs = session.lastEndsMonoUs - seen.monoUs;
  session.endsMonoUs = now.monoUs + leftUs;
  session.lastEndsMonoUs = now.monoUs + lastLeftUs;
  // The first opinion stays: a later one may come from a clock that lied in between.
  session.endsUnixMs ??= seen.wallUnixMs + leftUs / 1000;
  session.lastEndsUnixMs ??= seen.wallUnixMs + lastLeftUs / 1000;
}

/**
 * Takes out sessions until there is room for one more: those that ended first, then the oldest.
 * @returns those that were still alive.
 */
export function makeRoom(
  sessions: Map<string, SessionRecord>,
  maxSessions: number,
  now: Moment,
): SessionRecord[] {
  const leaving = [...sessions.values()]
    .sort((a, b) => Number(isAlive(a, now)) - Number(isAlive(b, now)) || a.order - b.order)
    .slice(0, Math.max(0, sessions.size - maxSessions + 1));
  for (const { sid } of leaving) sessions.delete(sid);
  return leaving.filter(session => isAlive(session, now));
}
