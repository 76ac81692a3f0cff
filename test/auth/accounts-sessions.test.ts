import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CameraError } from '../../src/base/errors.ts';
import { Bench, basic, caller, eventually, owner, withCode } from './accounts-fixture.ts';
import { cheapCost } from './direct-tasks.ts';

/** Another cost than the stored hash has. */
const dearer = cheapCost.argon2Iterations + 1;

async function logIns(bench: Bench, count: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let i = 0; i < count; i++) tokens.push((await bench.logIn()).token);
  return tokens;
}

test('the e-mail opens in any case and either Unicode form, and is shown as its owner wrote it', async t => {
  const bench = await Bench.factory();
  t.after(() => bench.remove());
  const email = 'Zo\u00eb@Camera.example';
  await bench.accounts.createUser(bench.accounts.setupToken!, { ...owner, email }, caller);
  const { token } = await bench.logIn('zOE\u0308@camera.EXAMPLE');
  const user = await bench.accounts.resetPassword(await bench.session(token), 'another good one', caller);
  assert.equal(user.email, email);
});

test('a log-in without the header is told so; whatever is wrong inside it has one answer', async t => {
  const bench = await Bench.claimed({ freeLoginFailures: 100 });
  t.after(() => bench.remove());
  await assert.rejects(bench.accounts.logIn(undefined, caller), withCode('credentials-missing'));
  const answers = new Set<string>();
  for (const authorization of [
    'Basic !!!',
    'Basic ',
    basic('nobody@camera.example', owner.password),
    basic(owner.email, 'wrong'),
    basic(owner.email, ''),
    basic('', owner.password),
  ])
    await assert.rejects(bench.accounts.logIn(authorization, caller), (error: CameraError) => {
      answers.add(JSON.stringify([error.code, error.message, error.details]));
      return true;
    });
  assert.equal(answers.size, 1);
});

test('an unknown user costs the very work of a wrong password, also while there is no user', async t => {
  const work = async (bench: Bench, email: string): Promise<unknown> => {
    bench.tasks.requests.length = 0;
    await assert.rejects(bench.logIn(email, 'wrong:label'), withCode('credentials-invalid'));
    return bench.tasks.requests.map(({ kind, request }) => {
      const { phc, passwords } = request as { phc: string; passwords: string[] };
      return [kind, phc.split('$').slice(0, 4), passwords];
    });
  };
  const factory = await Bench.factory();
  t.after(() => factory.remove());
  const claimed = await Bench.claimed();
  t.after(() => claimed.remove());
  const wrongPassword = await work(claimed, owner.email);
  assert.deepEqual(await work(claimed, 'nobody@camera.example'), wrongPassword);
  assert.deepEqual(await work(factory, owner.email), wrongPassword);
  // The configured cost has changed; the stored hash has not.
  await claimed.restart({ argon2Iterations: dearer });
  const costly = await work(claimed, owner.email);
  assert.deepEqual(costly, wrongPassword);
  assert.deepEqual(await work(claimed, 'nobody@camera.example'), costly);
});

test('a log-in that found the pool busy counts as no failure, for a known and an unknown user', async t => {
  const bench = await Bench.claimed({ freeLoginFailures: 2 });
  t.after(() => bench.remove());
  bench.tasks.isBusy = true;
  for (let i = 0; i < 20; i++) {
    await assert.rejects(bench.logIn(), withCode('hashing-busy'));
    await assert.rejects(bench.logIn('nobody@camera.example'), withCode('hashing-busy'));
  }
  bench.tasks.isBusy = false;
  await bench.logIn();
});

test('after the free failures a log-in has to wait, the right one too, and is told how long', async t => {
  const bench = await Bench.claimed({ freeLoginFailures: 3 });
  t.after(() => bench.remove());
  let throttled: CameraError | undefined;
  for (let i = 0; i < 10 && !throttled; i++)
    await bench.logIn(owner.email, 'wrong').catch((error: CameraError) => {
      if (error.code === 'login-throttled') throttled = error;
    });
  assert.ok((throttled!.details.retryAfterSeconds as number) >= 1);
  await assert.rejects(bench.logIn(), withCode('login-throttled'));
  bench.passSeconds(throttled!.details.retryAfterSeconds as number);
  await bench.logIn();
  const named = new Set(bench.events.map(({ event }) => event));
  for (const event of ['login-failed', 'login-throttled', 'login'] as const)
    assert.ok(named.has(event), event);
});

test('a device label follows the password after a colon, and a password may hold colons', async t => {
  const bench = await Bench.factory();
  t.after(() => bench.remove());
  const password = 'with:a:colon';
  await bench.accounts.createUser(bench.accounts.setupToken!, { ...owner, password }, caller);
  const plain = await bench.logIn(owner.email, password);
  assert.equal((await bench.session(plain.token)).label, '');
  const labelled = await bench.logIn(owner.email, `${password}:kitchen tablet`);
  assert.equal((await bench.session(labelled.token)).label, 'kitchen tablet');
});

test('a session ends when its life is over, and the very same token lives on when it is refreshed before', async t => {
  const bench = await Bench.claimed({ sessionSeconds: 100, sessionMaxSeconds: 250 });
  t.after(() => bench.remove());
  const [kept, left] = (await logIns(bench, 2)) as [string, string];
  const startMs = bench.clock.nowWallUnixMs;
  assert.equal((await bench.session(kept)).validUntilUnixMs, startMs + 100_000);
  bench.passSeconds(99);
  assert.equal(await bench.accounts.refresh(await bench.session(kept)), startMs + 199_000);
  const lost = await bench.session(left);
  bench.passSeconds(1);
  assert.ok(await bench.isGood(kept));
  assert.equal(await bench.isGood(left), false);
  await assert.rejects(bench.accounts.refresh(lost), withCode('token-invalid'));
  await assert.rejects(bench.accounts.logOut(lost, caller), withCode('token-invalid'));
  await eventually(() => bench.ended.length > 0);
  assert.deepEqual(bench.ended, [lost.sid]);
  assert.deepEqual(bench.events.at(-1), { event: 'session-expired', fields: { session: lost.sid } });
  // Never beyond the absolute life.
  bench.passSeconds(90);
  assert.equal(await bench.accounts.refresh(await bench.session(kept)), startMs + 250_000);
  bench.passSeconds(60);
  assert.equal(await bench.isGood(kept), false);
});

test('one session more than there may be pushes out the oldest, and ended ones leave before living ones', async t => {
  const bench = await Bench.claimed({ maxSessions: 3, sessionSeconds: 100 });
  t.after(() => bench.remove());
  const tokens = await logIns(bench, 3);
  const oldest = await bench.session(tokens[0]!);
  tokens.push((await bench.logIn()).token);
  assert.deepEqual(bench.ended, [oldest.sid]);
  const good = async (): Promise<boolean[]> => Promise.all(tokens.map(token => bench.isGood(token)));
  assert.deepEqual(await good(), [false, true, true, true]);
  // The second one is refreshed, the two younger ones end: they leave first.
  bench.passSeconds(60);
  await bench.accounts.refresh(await bench.session(tokens[1]!));
  bench.passSeconds(60);
  tokens.push((await bench.logIn()).token, (await bench.logIn()).token);
  assert.deepEqual(await good(), [false, true, false, false, true, true]);
  assert.equal(bench.events.filter(({ event }) => event === 'session-pushed-out').length, 1);
});

test('of two log-outs of one session at once exactly one succeeds, its viewers are told once, and others stay', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  const [token, other] = (await logIns(bench, 2)) as [string, string];
  const session = await bench.session(token);
  const results = await Promise.allSettled([
    bench.accounts.logOut(session, caller),
    bench.accounts.logOut(session, caller),
  ]);
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.deepEqual(bench.ended, [session.sid]);
  assert.equal(await bench.isGood(token), false);
  assert.ok(await bench.isGood(other));
  await bench.restart();
  assert.equal(await bench.isGood(token), false);
  assert.ok(await bench.isGood(other));
});

test('a new password ends every other session and the old password, and keeps its own session', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  const [mine, first, second] = (await logIns(bench, 3)) as [string, string, string];
  const others = [await bench.session(first), await bench.session(second)].map(({ sid }) => sid);
  await bench.accounts.resetPassword(await bench.session(mine), 'cafe\u0301 au lait', caller);
  assert.deepEqual(bench.ended.sort(), others.sort());
  assert.ok(await bench.isGood(mine));
  assert.equal(await bench.isGood(first), false);
  await assert.rejects(bench.logIn(), withCode('credentials-invalid'));
  await bench.logIn(owner.email, 'caf\u00e9 au lait');
  await assert.rejects(
    bench.accounts.resetPassword(await bench.session(mine), 'x', caller),
    withCode('password-unacceptable'),
  );
});

test('a log-in with the old password that is being checked while the password changes opens no session', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  const mine = await bench.session((await bench.logIn()).token);
  const run = bench.tasks.run.bind(bench.tasks);
  bench.tasks.run = async (kind, request) => {
    const reply = await run(kind, request);
    if (kind === 'verify-password') await bench.accounts.resetPassword(mine, 'another good one', caller);
    return reply;
  };
  await assert.rejects(bench.logIn(), withCode('credentials-invalid'));
});

test('a hash of another cost is made anew at log-in, and nobody is logged out by that', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  const before = await bench.logIn();
  await bench.restart({ argon2Iterations: dearer });
  const results = await Promise.all([bench.logIn(), bench.logIn()]);
  assert.equal(bench.tasks.requests.filter(({ kind }) => kind === 'hash-password').length, 3);
  bench.tasks.requests.length = 0;
  await bench.logIn();
  assert.match(bench.tasks.lastVerify.phc, new RegExp(`,t=${dearer},`));
  assert.deepEqual(
    bench.tasks.requests.map(({ kind }) => kind),
    ['verify-password'],
  );
  for (const { token } of [before, ...results]) assert.ok(await bench.isGood(token));
});

test('sessions, ICE servers and the user are there after a restart', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  const { token } = await bench.logIn(owner.email, `${owner.password}:phone`);
  const before = await bench.session(token);
  await bench.accounts.setIceServers(['stun:stun.example:3478', 'turn:u:p@turn.example'], caller);
  await bench.restart();
  assert.deepEqual(await bench.session(token), before);
  assert.deepEqual(bench.accounts.iceServers(), ['stun:stun.example:3478', 'turn:u:p@turn.example']);
  assert.deepEqual(bench.events.at(-1), {
    event: 'configuration-changed',
    fields: { key: 'ice_servers', count: 2 },
  });
});

test('a step of the wall clock, two hours back or 56 years ahead, neither prolongs nor ends a session', async t => {
  const bench = await Bench.claimed({ sessionSeconds: 7200 });
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  const start = bench.clock.nowWallUnixMs;
  bench.clock.nowWallUnixMs += 56 * 365 * 86_400_000;
  assert.ok(await bench.isGood(token));
  bench.clock.nowWallUnixMs = start - 7_200_000;
  // What is told is honest by the clock of now.
  assert.equal((await bench.session(token)).validUntilUnixMs, start);
  bench.passSeconds(7199);
  assert.ok(await bench.isGood(token));
  bench.passSeconds(1);
  assert.equal(await bench.isGood(token), false);
  // Nor do both over a restart of the daemon.
  const next = (await bench.logIn()).token;
  bench.passSeconds(7000);
  bench.clock.nowWallUnixMs -= 7_200_000;
  await bench.restart({ sessionSeconds: 7200 });
  assert.ok(await bench.isGood(next));
  bench.passSeconds(200);
  assert.equal(await bench.isGood(next), false);
});

test('over a restart of the machine a session keeps what it had left, whatever the clock says then', async t => {
  const bench = await Bench.claimed({ sessionSeconds: 7200 });
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  const start = bench.clock.nowWallUnixMs;
  bench.passSeconds(3600);
  // The clock of the machine lies two hours back after the start.
  await bench.reboot(start - 3_600_000, { sessionSeconds: 7200 });
  bench.passSeconds(3599);
  assert.ok(await bench.isGood(token));
  bench.passSeconds(1);
  assert.equal(await bench.isGood(token), false, 'no more than the hour that was left');
});

test('time that the machine was off counts by the wall clock, and a clock that lies for a while ends nothing for good', async t => {
  const bench = await Bench.claimed({ sessionSeconds: 7200, maxSessions: 2 });
  t.after(() => bench.remove());
  const tokens = await logIns(bench, 2);
  const start = bench.clock.nowWallUnixMs;
  await bench.reboot(start + 56 * 365 * 86_400_000, { sessionSeconds: 7200, maxSessions: 2 });
  for (const token of tokens) assert.equal(await bench.isGood(token), false);
  await bench.restart({ sessionSeconds: 7200, maxSessions: 2 });
  bench.clock.nowWallUnixMs = start + 1_000_000;
  for (const token of tokens)
    assert.ok(await bench.isGood(token), 'the clock came back and so did the session');
  // Refreshed, it belongs to this start of the machine, and the clock may lie again.
  const until = await bench.accounts.refresh(await bench.session(tokens[0]!));
  assert.equal(until, start + 1_000_000 + 7_200_000);
  bench.clock.nowWallUnixMs = start + 7_200_000;
  assert.ok(await bench.isGood(tokens[0]!));
  assert.equal(await bench.isGood(tokens[1]!), false, 'the two hours were over while the machine was off');
});

test('while sessions live, the moment is noted at least every ten minutes', async t => {
  const bench = await Bench.claimed({ sessionSeconds: 7200 });
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  const start = bench.clock.nowWallUnixMs;
  for (let minutes = 0; minutes < 90; minutes += 10) {
    bench.passSeconds(600);
    await eventually(() => bench.notedMonoUs() === bench.clock.nowMonoUs);
  }
  // The power fails: nothing is closed in order, and the clock comes up two hours back.
  const { accounts } = bench;
  bench.boot = 'second boot';
  bench.clock.nowMonoUs = 1_000_000;
  bench.clock.nowWallUnixMs = start;
  const second = new Bench(bench);
  second.boot = 'second boot';
  t.after(() => second.remove());
  await second.open({ sessionSeconds: 7200 });
  bench.passSeconds(1790);
  assert.ok(await second.isGood(token));
  bench.passSeconds(620);
  assert.equal(await second.isGood(token), false);
  await accounts.close();
});
