/** Offers are limited by address and by session, and what could not be used costs nothing. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { OfferLimits } from '../../src/http/offer-limits.ts';
import { ManualClock } from '../support/manual-clock.ts';

const limit = 10;
let clock: ManualClock;
let limits: OfferLimits;
beforeEach(() => {
  clock = new ManualClock();
  limits = new OfferLimits(clock, limit);
});

function spend(count: number, address: (i: number) => string, sid: (i: number) => string): void {
  for (let i = 0; i < count; i++) limits.begin(address(i), sid(i));
}

const limited = (error: unknown): boolean => {
  const { code, details } = error as { code: string; details: { retryAfterSeconds: number } };
  return code === 'rate-limited' && details.retryAfterSeconds > 0 && details.retryAfterSeconds <= 6;
};

test('an address has its limit, whatever its sessions', () => {
  spend(
    limit,
    () => '192.0.2.1',
    i => `sid-${i}`,
  );
  assert.throws(() => limits.begin('192.0.2.1', 'another'), limited);
  limits.begin('192.0.2.2', 'another');
});

test('a session has its limit, whatever its addresses', () => {
  spend(
    limit,
    i => `192.0.2.${i}`,
    () => 'sid',
  );
  assert.throws(() => limits.begin('192.0.2.200', 'sid'), limited);
  limits.begin('192.0.2.200', 'another');
});

test('what a session may not does not count for its address', () => {
  spend(
    limit,
    i => `192.0.2.${i}`,
    () => 'sid',
  );
  for (let i = 0; i < 100; i++) assert.throws(() => limits.begin('192.0.2.200', 'sid'), limited);
  spend(
    limit,
    () => '192.0.2.200',
    i => `other-${i}`,
  );
});

test('an IPv6 network counts as one address', () => {
  spend(
    limit,
    i => `2001:db8::${i}`,
    i => `sid-${i}`,
  );
  assert.throws(() => limits.begin('2001:db8::ffff:1', 'another'), limited);
});

test('an offer that could not be used is given back, one that took a place is not', () => {
  for (let i = 0; i < 100; i++) {
    limits.begin('192.0.2.1', 'sid');
    limits.failed('192.0.2.1', 'sid', i % 2 === 0 ? 'sdp-invalid' : 'source-not-ready');
  }
  for (let i = 0; i < limit; i++) {
    limits.begin('192.0.2.1', 'sid');
    limits.failed('192.0.2.1', 'sid', 'offers-pending');
  }
  assert.throws(() => limits.begin('192.0.2.1', 'sid'), limited);
});

test('the limit is one of time', () => {
  spend(
    limit,
    () => '192.0.2.1',
    () => 'sid',
  );
  clock.advanceUs(6_000_000);
  limits.begin('192.0.2.1', 'sid');
  assert.throws(() => limits.begin('192.0.2.1', 'sid'), limited);
});
