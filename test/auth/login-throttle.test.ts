import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressKey } from '../../src/auth/address-key.ts';
import {
  claimantsMax,
  LoginThrottle,
  ownersMax,
  setupAddressesPerMinute,
  strangersMax,
} from '../../src/auth/login-throttle.ts';
import { MinuteWindow } from '../../src/auth/minute-window.ts';
import { configurationSchema } from '../../src/config/schema.ts';
import type { GroupSchema, ValueSchema } from '../../src/config/value-schema.ts';
import { ManualClock } from '../support/manual-clock.ts';

const guesser = '192.0.2.66';
const owner = '192.0.2.1';
const day = 86_400;

function makeThrottle(
  configuration: Partial<ConstructorParameters<typeof LoginThrottle>[0]['configuration']> = {},
) {
  const clock = new ManualClock();
  const throttle = new LoginThrottle({
    clock,
    configuration: {
      freeLoginFailures: 5,
      loginFailuresPerMinute: 60,
      setupTriesPerMinute: 5,
      ...configuration,
    },
  });
  const wait = (seconds: number): void => clock.advanceUs(seconds * 1e6);
  /** As many attempts as the throttle lets in now. */
  const attempts = (address: string, max = 1000): number => {
    let count = 0;
    while (count < max && throttle.begin(address) === 0) count++;
    return count;
  };
  return { throttle, clock, wait, attempts };
}

/** A different IPv4 address for each number. */
function addressOf(n: number): string {
  return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
}

test('as shipped: 5 free failures, 60 a minute of all, 5 tries of the setup token a minute', () => {
  const accounts = configurationSchema.properties.accounts as GroupSchema;
  const defaults = ['freeLoginFailures', 'loginFailuresPerMinute', 'setupTriesPerMinute'].map(
    key => (accounts.properties[key] as ValueSchema).default,
  );
  assert.deepEqual(defaults, [5, 60, 5]);
});

test('after the free failures an address waits 1, 2, 4 … 60 s, and 60 s ever after', () => {
  const { throttle, wait, attempts } = makeThrottle();
  assert.equal(attempts(guesser), 5);
  for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60, 60]) {
    assert.equal(throttle.begin(guesser), seconds);
    wait(seconds - 0.001);
    assert.equal(throttle.begin(guesser), 1);
    wait(0.001);
    assert.equal(throttle.begin(guesser), 0);
  }
});

test('attempts that are refused do not make the wait longer', () => {
  const { throttle, wait } = makeThrottle();
  for (let i = 0; i < 5000; i++) throttle.begin(guesser);
  wait(1);
  assert.equal(throttle.begin(guesser), 0);
});

test('a hundred attempts at once get no more than the free ones', () => {
  const { throttle } = makeThrottle();
  const begun = Array.from({ length: 100 }, () => throttle.begin(guesser));
  assert.equal(begun.filter(seconds => seconds === 0).length, 5);
});

test('a guesser that uses every chance has few guesses an hour', () => {
  const { wait, attempts } = makeThrottle();
  let guesses = 0;
  for (let second = 0; second < 3600; second++, wait(1)) guesses += attempts(guesser);
  assert.ok(guesses <= 5 + 6 + 60, `${guesses}`);
});

test('pausing until the failures are forgotten gains nothing over guessing on', () => {
  const { wait, attempts } = makeThrottle();
  let guesses = 0;
  for (let second = 0; second < 4 * 3600; second++, wait(1)) {
    const isPausing = second % (16 * 60) > 63;
    if (!isPausing) guesses += attempts(guesser);
  }
  assert.ok(guesses <= 4 * 60, `${guesses}`);
});

test('a success clears the failures of its own address alone', () => {
  const { throttle, attempts } = makeThrottle();
  attempts(guesser);
  attempts(owner, 4);
  assert.equal(throttle.begin(owner), 0);
  throttle.succeeded(owner);
  assert.equal(attempts(owner), 5);
  assert.ok(throttle.begin(guesser) > 0);
});

test('an attempt that was withdrawn counts nowhere', () => {
  const { throttle, attempts } = makeThrottle({ loginFailuresPerMinute: 5 });
  for (let i = 0; i < 500; i++) {
    assert.equal(throttle.begin(guesser), 0);
    throttle.withdrawn(guesser);
  }
  assert.equal(attempts(guesser), 5);
  throttle.withdrawn(guesser);
  assert.equal(attempts(guesser), 1);
});

test('taking back more than was begun gives nobody anything', () => {
  const { throttle, attempts } = makeThrottle({ loginFailuresPerMinute: 8 });
  attempts(guesser, 2);
  for (let i = 0; i < 50; i++) throttle.withdrawn(guesser);
  for (let i = 0; i < 50; i++) throttle.withdrawn('192.0.2.200');
  assert.equal(attempts(guesser), 5);
  assert.equal(attempts('192.0.2.201'), 3);
});

test('the owner on another address is let in while one address guesses', () => {
  const { throttle, wait, attempts } = makeThrottle();
  for (let second = 0; second < 600; second++, wait(1)) attempts(guesser);
  assert.equal(throttle.begin(owner), 0);
});

test('all addresses together have 60 failures in any 60 s', () => {
  const { throttle, clock, wait } = makeThrottle();
  const times: number[] = [];
  for (let n = 0; n < 20_000; n++) {
    if (throttle.begin(addressOf(n)) === 0) times.push(clock.monoUs());
    wait(0.02);
  }
  assert.ok(times.length > 300);
  for (let i = 60; i < times.length; i++) assert.ok(times[i]! - times[i - 60]! >= 60e6);
});

test('the wait that the common limit tells is enough, and not more than 65 s', () => {
  const { throttle, wait } = makeThrottle();
  for (let n = 0; n < 60; n++) throttle.begin(addressOf(n));
  const seconds = throttle.begin(owner);
  assert.ok(seconds > 55 && seconds <= 65, `${seconds}`);
  wait(seconds);
  assert.equal(throttle.begin(owner), 0);
});

test('a success gives its place in the common minute back, failures stay counted', () => {
  const { throttle, attempts } = makeThrottle({ loginFailuresPerMinute: 6 });
  attempts(guesser);
  for (let i = 0; i < 20; i++) {
    assert.equal(throttle.begin(owner), 0);
    throttle.succeeded(owner);
  }
  assert.equal(throttle.begin('192.0.2.5'), 0);
  assert.ok(throttle.begin('192.0.2.6') > 0);
});

test('an address that logged in within the last days is exempt from the common limit, not from its own waits', () => {
  const { throttle, wait, attempts } = makeThrottle();
  throttle.begin(owner);
  throttle.succeeded(owner);
  wait(7 * day);
  for (let n = 0; n < 100; n++) throttle.begin(addressOf(n));
  assert.ok(throttle.begin('192.0.2.5') > 0);
  assert.equal(attempts(owner), 5);
  assert.equal(throttle.begin(owner), 1);
  wait(2 * day);
  for (let n = 0; n < 100; n++) throttle.begin(addressOf(n));
  assert.ok(throttle.begin(owner) > 1);
});

test('a bounded number of addresses is exempt; the one that logged in longest ago leaves', () => {
  const { throttle } = makeThrottle();
  for (let n = 0; n <= ownersMax; n++) {
    throttle.begin(addressOf(n));
    throttle.succeeded(addressOf(n));
  }
  assert.equal(throttle.entryCount, ownersMax);
  for (let n = 1000; n < 1100; n++) throttle.begin(addressOf(n));
  assert.ok(throttle.begin(addressOf(0)) > 0);
  assert.equal(throttle.begin(addressOf(1)), 0);
});

test('with the limits as shipped a million addresses leave no more than the common minute lets in', () => {
  const { throttle, attempts, wait } = makeThrottle();
  attempts(guesser);
  for (let n = 0; n < 1_000_000; n++) {
    throttle.begin(addressOf(n));
    if (n % 250 === 0) wait(1);
  }
  assert.ok(throttle.entryCount <= strangersMax);
});

test('many addresses push no throttled one out of a full table, and share one count beyond it', () => {
  const { throttle, attempts } = makeThrottle({ loginFailuresPerMinute: 1_000_000 });
  attempts(guesser);
  for (let n = 0; n < 3 * strangersMax; n++) throttle.begin(addressOf(n));
  assert.equal(throttle.entryCount, strangersMax);
  assert.ok(throttle.begin(guesser) > 0);
  // Now with throttled ones alone.
  for (let n = 0; n < 3 * strangersMax; n++) attempts(addressOf(n), 5);
  assert.equal(throttle.entryCount, strangersMax);
  assert.ok(throttle.begin(guesser) > 0);
  assert.ok(throttle.begin('192.0.2.200') > 0);
  throttle.succeeded(owner);
  assert.equal(attempts(owner), 5);
});

test('old entries leave: after a quarter of an hour a full table takes new addresses', () => {
  const { throttle, attempts, wait } = makeThrottle({ loginFailuresPerMinute: 1_000_000 });
  for (let n = 0; n < strangersMax; n++) attempts(addressOf(n), 5);
  wait(15 * 60 + 1);
  assert.equal(attempts('192.0.2.200'), 5);
  assert.equal(throttle.entryCount, 1);
});

test('a step of the wall clock changes nothing', () => {
  const { throttle, clock, attempts } = makeThrottle();
  attempts(guesser);
  clock.nowWallUnixMs += 56 * 365 * day * 1000;
  assert.equal(throttle.begin(guesser), 1);
  clock.nowWallUnixMs = 0;
  assert.equal(throttle.begin(guesser), 1);
});

test('an IPv6 guesser with a whole /64 is one address, and a mapped IPv4 address is the IPv4 one', () => {
  const { throttle, attempts } = makeThrottle();
  for (let i = 0; i < 100; i++) throttle.begin(`2001:db8:1:2::${i.toString(16)}`);
  assert.ok(throttle.begin('2001:db8:1:2:ffff:ffff:ffff:ffff') > 0);
  assert.equal(attempts('2001:db8:1:3::1'), 5);
  attempts(guesser);
  assert.ok(throttle.begin(`::ffff:${guesser}`) > 0);
  assert.ok(throttle.begin('0000:0000:0000:0000:0000:ffff:c000:0242') > 0);
});

test('the key of an address', () => {
  for (const [address, key] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:C000:201', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0db8:0000:0000:aaaa:bbbb:cccc:dddd', '2001:db8:0:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
    ['no address', 'no address'],
  ] as const)
    assert.equal(addressKey(address), key, address);
  assert.equal(addressKey('x'.repeat(1000)).length, 64);
});

test('the key of every IPv6 address is made of its first four groups', () => {
  fc.assert(
    fc.property(fc.ipV6(), address => {
      assert.match(addressKey(address), /^([0-9a-f]{1,4}(:[0-9a-f]{1,4}){3}::\/64|\d+\.\d+\.\d+\.\d+)$/);
    }),
  );
});

test('an address has 5 tries of the setup token a minute, right or wrong', () => {
  const { throttle, wait } = makeThrottle();
  const tries = Array.from({ length: 20 }, () => throttle.beginSetup(guesser));
  assert.deepEqual(
    tries.map(seconds => seconds === 0),
    Array.from({ length: 20 }, (_, i) => i < 5),
  );
  const seconds = throttle.beginSetup(guesser);
  assert.ok(seconds >= 59 && seconds <= 65, `${seconds}`);
  assert.equal(throttle.beginSetup(owner), 0);
  wait(seconds);
  assert.equal(throttle.beginSetup(guesser), 0);
});

test('tries of the setup token are bounded over all addresses too, and do not count as failed log-ins', () => {
  const { throttle } = makeThrottle();
  let taken = 0;
  for (let n = 0; n < 1000; n++) if (throttle.beginSetup(addressOf(n)) === 0) taken++;
  assert.equal(taken, 5 * setupAddressesPerMinute);
  assert.equal(throttle.begin(owner), 0);
});

test('the table of setup tries is bounded, and its old entries leave', () => {
  const { throttle, wait } = makeThrottle({ setupTriesPerMinute: 1000 });
  for (let n = 0; n < 3 * claimantsMax; n++) throttle.beginSetup(addressOf(n));
  assert.equal(throttle.entryCount, claimantsMax);
  wait(66);
  assert.equal(throttle.beginSetup(owner), 0);
  assert.equal(throttle.entryCount, 1);
});

test('a minute window counts like a list of times would, give or take its bucket', () => {
  const steps = fc.array(
    fc.record({ us: fc.integer({ min: 0, max: 20_000_000 }), what: fc.constantFrom('add', 'take') }),
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 2 ** 50 }), (list, startUs) => {
      const window = new MinuteWindow();
      let times: number[] = [];
      let nowUs = startUs;
      for (const { us, what } of list) {
        nowUs += us;
        if (what === 'add') {
          window.add(nowUs);
          times.push(nowUs);
        } else {
          window.takeBack(nowUs);
          if (times.length > 0 && nowUs - times.at(-1)! < 60e6) times.pop();
        }
        times = times.filter(time => nowUs - time < 65e6);
        const least = times.filter(time => nowUs - time < 60e6).length;
        const count = window.count(nowUs);
        assert.ok(count >= least && count <= times.length, `${least} ≤ ${count} ≤ ${times.length}`);
        const seconds = window.secondsUntilBelow(1, nowUs);
        assert.equal(seconds === 0, count === 0);
        assert.ok(seconds <= 65);
      }
    }),
  );
});
