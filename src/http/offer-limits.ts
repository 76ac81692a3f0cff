/**
 * How many offers somebody may make: of one address, and of one session of the user, each a minute (`live.offersPerMinute`).
 *
 * An offer costs a handshake and a place among the pending ones. One that the camera could not use at all has cost next to
 * nothing, and its sender is likely to try again with another: it is given back. Main thread.
 */
import { addressKey } from '../auth/address-key.ts';
import type { Clock } from '../base/clock.ts';
import { type ProblemCode, RequestFault } from './problems.ts';
import { KeyedRateLimiter } from './rate-limiter.ts';

/** What ends an offer after it has cost something; all other faults are given back. */
const counted: ReadonlySet<ProblemCode> = new Set([
  'viewer-limit',
  'offers-pending',
  'request-timeout',
  'token-invalid',
]);

/** One for a server. */
export class OfferLimits {
  private readonly byAddress: KeyedRateLimiter;
  private readonly bySession: KeyedRateLimiter;

  constructor(clock: Clock, offersPerMinute: number) {
    const limit = { perSecond: offersPerMinute / 60, burst: offersPerMinute, clock };
    this.byAddress = new KeyedRateLimiter(limit);
    this.bySession = new KeyedRateLimiter(limit);
  }

  /** Counts an offer. Throws RequestFault `rate-limited` with the seconds to wait. */
  begin(remoteAddress: string, sid: string): void {
    const address = addressKey(remoteAddress);
    const addressSeconds = this.byAddress.take(address);
    const sessionSeconds = addressSeconds > 0 ? 0 : this.bySession.take(sid);
    if (sessionSeconds > 0) this.byAddress.giveBack(address);
    const retryAfterSeconds = Math.max(addressSeconds, sessionSeconds);
    if (retryAfterSeconds > 0) throw new RequestFault('rate-limited', { retryAfterSeconds });
  }

  /** The offer that was counted has failed so. */
  failed(remoteAddress: string, sid: string, code: ProblemCode): void {
    if (counted.has(code)) return;
    this.byAddress.giveBack(addressKey(remoteAddress));
    this.bySession.giveBack(sid);
  }
}
