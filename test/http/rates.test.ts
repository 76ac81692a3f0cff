/** How often an address may ask: buckets, their bounded table, and 429 over the wire. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyedRateLimiter } from '../../src/http/rate-limiter.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { BareCamera } from './front-end-fixture.ts';

function limiter(
  perSecond: number,
  burst: number,
  keysMax?: number,
): { clock: ManualClock; limit: KeyedRateLimiter } {
  const clock = new ManualClock();
  return { clock, limit: new KeyedRateLimiter({ perSecond, burst, clock, ...(keysMax ? { keysMax } : {}) }) };
}

test('gives the burst at once, then the rate', () => {
  const { clock, limit } = limiter(50, 100);
  for (let i = 0; i < 100; i++) assert.equal(limit.take('a'), 0);
  assert.equal(limit.take('a'), 1);
  assert.equal(limit.take('b'), 0);
  clock.advanceUs(20_000);
  assert.equal(limit.take('a'), 0);
  assert.equal(limit.take('a'), 1);
  clock.advanceUs(1e9);
  for (let i = 0; i < 100; i++) assert.equal(limit.take('a'), 0);
  assert.equal(limit.take('a'), 1);
});

test('says how many seconds to wait, and then there is a token', () => {
  const { clock, limit } = limiter(10 / 60, 10);
  for (let i = 0; i < 10; i++) assert.equal(limit.take('session'), 0);
  const seconds = limit.take('session');
  assert.equal(seconds, 6);
  clock.advanceUs((seconds - 1) * 1e6);
  assert.equal(limit.take('session'), 1);
  clock.advanceUs(1e6);
  assert.equal(limit.take('session'), 0);
});

test('asking in vain costs nothing', () => {
  const { clock, limit } = limiter(1, 1);
  assert.equal(limit.take('a'), 0);
  for (let i = 0; i < 1000; i++) assert.equal(limit.take('a'), 1);
  clock.advanceUs(1_000_000);
  assert.equal(limit.take('a'), 0);
});

test('a bucket that was shared gives nobody a second burst from a bucket of its own', () => {
  const { clock, limit } = limiter(1, 2, 1);
  assert.equal(limit.take('first'), 0);
  clock.advanceUs(1_900_000);
  for (let i = 0; i < 2; i++) assert.equal(limit.take('late'), 0);
  clock.advanceUs(100_000);
  assert.equal(limit.take('late'), 1);
});

test('in any sequence of times nobody gets more than burst + rate × time, in any window', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 400_000 }), fc.integer({ min: 0, max: 5 })), {
        maxLength: 300,
      }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 10 }),
      (steps, perSecond, burst) => {
        const { clock, limit } = limiter(perSecond, burst, 3);
        const taken = new Map<number, number[]>();
        for (const [us, key] of steps) {
          clock.advanceUs(us);
          if (limit.take(String(key)) === 0) taken.set(key, [...(taken.get(key) ?? []), clock.monoUs()]);
        }
        for (const times of taken.values())
          for (let i = 0; i < times.length; i++)
            for (let j = i; j < times.length; j++) {
              const allowed = burst + ((times[j]! - times[i]!) / 1e6) * perSecond;
              assert.ok(j - i + 1 <= allowed + 1e-2, `${j - i + 1} of ${allowed}`);
            }
      },
    ),
  );
});

test('a million addresses take bounded memory and free no limited address', () => {
  const { clock, limit } = limiter(50, 100);
  for (let i = 0; i < 100; i++) limit.take('attacker');
  for (let i = 0; i < 1_000_000; i++) {
    limit.take(`flood ${i}`);
    if (i % 100 === 0) clock.advanceUs(1);
  }
  assert.ok(limit.size <= 2 * 4096 + 1, String(limit.size));
  assert.equal(limit.take('attacker'), 1);
});

test('who comes while the table is full shares one bucket, and later has an own one again', () => {
  const { clock, limit } = limiter(1, 2, 10);
  for (let i = 0; i < 10; i++) assert.equal(limit.take(`known ${i}`), 0);
  assert.equal(limit.take('new 1'), 0);
  assert.equal(limit.take('new 2'), 0);
  assert.equal(limit.take('new 3'), 1);
  assert.equal(limit.take('known 3'), 0);
  clock.advanceUs(5e6);
  for (let i = 0; i < 10; i++) assert.equal(limit.take(`late ${i}`), 0);
});

test('an address over its rate gets 429 with Retry-After, others are served', async () => {
  const camera = await BareCamera.start({ host: '::', http: { requestsPerSecond: 1, requestBurst: 5 } });
  try {
    const ask = (host: string): Promise<Response> => fetch(`http://${host}:${camera.port}/`);
    const statuses: number[] = [];
    for (let i = 0; i < 8; i++) statuses.push((await ask('127.0.0.1')).status);
    assert.deepEqual(statuses.slice(0, 5), [200, 200, 200, 200, 200]);
    assert.ok(statuses.slice(5).includes(429));
    const refused = await ask('127.0.0.1');
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    assert.equal(((await refused.json()) as { code: string }).code, 'rate-limited');
    assert.equal((await ask('[::1]')).status, 200);
  } finally {
    await camera.stop();
  }
});

test('proxy fields do not change the address that is counted', async () => {
  const camera = await BareCamera.start({ http: { requestsPerSecond: 1, requestBurst: 2 } });
  try {
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) {
      const headers = {
        'x-forwarded-for': `10.0.0.${i}`,
        'x-real-ip': `10.0.0.${i}`,
        forwarded: `for=10.0.0.${i}`,
      };
      statuses.push((await fetch(`http://127.0.0.1:${camera.port}/`, { headers })).status);
    }
    assert.equal(statuses.filter(status => status === 429).length >= 3, true, statuses.join());
  } finally {
    await camera.stop();
  }
});
