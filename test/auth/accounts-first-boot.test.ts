import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { CameraError } from '../../src/base/errors.ts';
import { Bench, basic, caller, eventually, owner, withCode } from './accounts-fixture.ts';

const tokenFile = (bench: Bench): string => path.join(bench.folder, 'setup-token');

test('at factory state there is a setup token, in a file that nobody else may read, and it opens nothing but the creation of the user', async t => {
  const bench = await Bench.factory();
  t.after(() => bench.remove());
  const { accounts } = bench;
  assert.equal(accounts.state, 'factory');
  const token = accounts.setupToken!;
  assert.match(token, /^[0-9A-HJKMNP-TV-Z]{16}$/);
  assert.equal(readFileSync(tokenFile(bench), 'utf8'), token);
  assert.equal(statSync(tokenFile(bench)).mode & 0o777, 0o600);
  assert.equal(statSync(path.join(bench.folder, 'accounts')).mode & 0o777, 0o700);
  for (const name of readdirSync(path.join(bench.folder, 'accounts')))
    assert.equal(statSync(path.join(bench.folder, 'accounts', name)).mode & 0o777, 0o600, name);
  assert.equal(await accounts.authenticate(token), undefined);
  await assert.rejects(accounts.logIn(basic('setup', token), caller), withCode('credentials-invalid'));
  assert.equal(accounts.state, 'factory');
});

test('the setup token creates the user and is spent: not again, not after a password reset, not after a restart', async t => {
  const bench = await Bench.factory();
  t.after(() => bench.remove());
  const setupToken = bench.accounts.setupToken!;
  const seed = { id: 10, firstName: 'John', lastName: 'James', email: 'john@email.com', phone: '12345' };
  const created = await bench.accounts.createUser(setupToken, { ...seed, password: '12345' }, caller);
  assert.deepEqual(created, seed);
  assert.equal(bench.accounts.state, 'claimed');
  assert.equal(bench.accounts.setupToken, undefined);
  assert.equal(existsSync(tokenFile(bench)), false);
  const isSpent = async (): Promise<void> => {
    const again = bench.accounts.createUser(setupToken, owner, caller);
    await assert.rejects(again, withCode('token-invalid'));
    assert.equal(await bench.accounts.authenticate(setupToken), undefined);
  };
  await isSpent();
  const { token } = await bench.logIn('john@email.com', '12345');
  await bench.accounts.resetPassword(await bench.session(token), '123456', caller);
  await isSpent();
  await bench.restart();
  await isSpent();
  assert.equal(bench.accounts.state, 'claimed');
  assert.ok(await bench.isGood(token));
});

test('what lies in the place of a spent setup token and cannot be removed is warned of, and the camera starts', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  await bench.accounts.close();
  mkdirSync(tokenFile(bench));
  await bench.open();
  assert.equal(bench.accounts.state, 'claimed');
  assert.ok(bench.lines.some(line => line.includes('setup token cannot be removed')));
});

test('a setup token may be typed in lower case, with hyphens, and with O, I and L for the digits they look like', async t => {
  const bench = await Bench.factory();
  t.after(() => bench.remove());
  const typed = bench.accounts
    .setupToken!.toLowerCase()
    .replaceAll('0', 'o')
    .replaceAll('1', 'l')
    .replace(/(....)(?=.)/g, '$1-');
  await bench.accounts.createUser(` ${typed} `, owner, caller);
  assert.equal(bench.accounts.state, 'claimed');
});

test('a wrong setup token is refused, the sixth try of a minute has to wait, and nothing changes', async t => {
  const bench = await Bench.factory();
  t.after(() => bench.remove());
  const { accounts } = bench;
  const setupToken = accounts.setupToken!;
  for (const wrong of ['', 'x', '0'.repeat(16), setupToken.slice(1), `${setupToken}${'0'.repeat(1000)}`])
    await assert.rejects(accounts.createUser(wrong, owner, caller), withCode('setup-token-invalid'));
  for (let i = 0; i < 15; i++)
    await assert.rejects(accounts.createUser(setupToken, owner, caller), (error: CameraError) => {
      assert.equal(error.code, 'login-throttled');
      assert.ok((error.details.retryAfterSeconds as number) > 0);
      return true;
    });
  assert.equal(accounts.state, 'factory');
  assert.equal(bench.tasks.requests.length, 0, 'no hash was computed for any of them');
  assert.equal(bench.events.filter(({ event }) => event === 'setup-failed').length, 5);
  bench.passSeconds(120);
  await accounts.createUser(setupToken, owner, caller);
  assert.equal(accounts.state, 'claimed');
});

test('of two creations at once with the same setup token one wins', async t => {
  const bench = await Bench.factory();
  t.after(() => bench.remove());
  const token = bench.accounts.setupToken!;
  const other = { email: 'other@camera.example', password: 'another good one' };
  const results = await Promise.allSettled(
    [owner, other].map(user => bench.accounts.createUser(token, user, caller)),
  );
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const [lost] = results.filter(result => result.status === 'rejected');
  assert.equal((lost!.reason as CameraError).code, 'setup-token-invalid');
  const outcomes = await Promise.allSettled([bench.logIn(), bench.logIn(other.email, other.password)]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    results.map(({ status }) => status),
  );
});

test('with a good session a second user is refused as such, and nothing changes', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  const other = { email: 'other@camera.example', password: 'another good one' };
  await assert.rejects(bench.accounts.createUser(token, other, caller), withCode('user-exists'));
  await assert.rejects(bench.accounts.createUser('nonsense', other, caller), withCode('token-invalid'));
  await bench.logIn();
  await assert.rejects(bench.logIn(other.email, other.password), withCode('credentials-invalid'));
});

test('the setup token is kept from start to start', async t => {
  const bench = await Bench.factory();
  t.after(() => bench.remove());
  const first = bench.accounts.setupToken;
  await bench.restart();
  assert.equal(bench.accounts.setupToken, first);
});

test('a setup token that is missing, damaged, another, or open to others is made anew', async t => {
  const bench = await Bench.factory();
  t.after(() => bench.remove());
  const spoil: ((file: string) => void)[] = [
    file => writeFileSync(file, ''),
    file => writeFileSync(file, 'SHORT'),
    file => writeFileSync(file, '0'.repeat(16)),
    file => chmodSync(file, 0o644),
  ];
  for (const act of spoil) {
    const before = bench.accounts.setupToken!;
    await bench.accounts.close();
    act(tokenFile(bench));
    await bench.open();
    const now = bench.accounts.setupToken!;
    assert.match(now, /^[0-9A-HJKMNP-TV-Z]{16}$/);
    assert.notEqual(now, before);
    await assert.rejects(bench.accounts.createUser(before, owner, caller), withCode('setup-token-invalid'));
  }
});

test('a setup token that vanishes while the camera runs is made anew, but not while a factory reset may be at work', async t => {
  const bench = await Bench.factory();
  t.after(() => bench.remove());
  const first = bench.accounts.setupToken;
  await new Promise(resolve => setTimeout(resolve, 50));
  writeFileSync(tokenFile(bench), '');
  bench.passSeconds(9);
  await new Promise(resolve => setTimeout(resolve, 50));
  assert.equal(bench.accounts.setupToken, undefined);
  bench.passSeconds(2);
  await eventually(() => bench.accounts.setupToken !== undefined);
  assert.notEqual(bench.accounts.setupToken, first);
});

test('neither the setup token nor the password is in the database, the log or the audit log', async t => {
  const bench = await Bench.factory();
  t.after(() => bench.remove());
  const setupToken = bench.accounts.setupToken!;
  const files = (): string =>
    ['data.mdb', 'lock.mdb']
      .map(name => readFileSync(path.join(bench.folder, 'accounts', name), 'latin1'))
      .join();
  assert.equal(files().includes(setupToken), false);
  await bench.accounts.createUser(setupToken, owner, caller);
  const { token } = await bench.logIn();
  const all = files() + JSON.stringify(bench.events) + bench.lines.join('\n');
  for (const secret of [setupToken, owner.password, token, token.split('.')[2]!])
    assert.equal(all.includes(secret), false);
});

test('a user whose fields cannot be taken is refused with the place and the rule, and the setup token stays good', async t => {
  const bench = await Bench.factory({ setupTriesPerMinute: 100 });
  t.after(() => bench.remove());
  const token = bench.accounts.setupToken!;
  const cases: [Record<string, unknown>, string, string][] = [
    [{ email: 'a@' }, '/email', 'length'],
    [{ email: `${'a'.repeat(250)}@b.cd` }, '/email', 'length'],
    [{ email: 'no at sign' }, '/email', 'form'],
    [{ email: 'a@b@c' }, '/email', 'form'],
    [{ email: '@bcd' }, '/email', 'form'],
    [{ email: 'abc@' }, '/email', 'form'],
    [{ email: 'a b@c.d' }, '/email', 'form'],
    [{ email: 'a@b.c\r\nX: y' }, '/email', 'characters'],
    [{ email: 'a\u202e@b.c' }, '/email', 'characters'],
    [{ email: 'a\u200b@b.c' }, '/email', 'characters'],
    [{ email: 'a\u3164@b.c' }, '/email', 'characters'],
    [{ email: 'a\ud800@b.c' }, '/email', 'characters'],
    [{ firstName: 'x'.repeat(101) }, '/firstName', 'length'],
    [{ lastName: 'a\u0000b' }, '/lastName', 'characters'],
    [{ lastName: 'a\u202eb' }, '/lastName', 'characters'],
    [{ phone: '1'.repeat(33) }, '/phone', 'length'],
    [{ id: -1 }, '/id', 'range'],
    [{ id: 1.5 }, '/id', 'range'],
  ];
  for (const [fields, pointer, rule] of cases)
    await assert.rejects(
      bench.accounts.createUser(token, { ...owner, ...fields }, caller),
      (error: CameraError) => {
        assert.equal(error.code, 'user-invalid', JSON.stringify(fields));
        assert.deepEqual({ ...error.details }, { pointer, rule }, JSON.stringify(fields));
        return true;
      },
    );
  for (const password of ['1234', owner.email, 'nul\u0000nul', 'x'.repeat(129)])
    await assert.rejects(
      bench.accounts.createUser(token, { ...owner, password }, caller),
      withCode('password-unacceptable'),
    );
  assert.equal(bench.accounts.state, 'factory');
  bench.tasks.isBusy = true;
  await assert.rejects(bench.accounts.createUser(token, owner, caller), withCode('hashing-busy'));
  bench.tasks.isBusy = false;
  const names = { firstName: 'می\u200cخواهم', lastName: 'O\u2019Neill 👩\u200d🚀', id: 0 };
  const user = await bench.accounts.createUser(token, { ...owner, ...names }, caller);
  assert.deepEqual(user, { ...names, email: owner.email, phone: '' });
});

test('without an id the user has number 1', async t => {
  const bench = await Bench.factory();
  t.after(() => bench.remove());
  assert.equal((await bench.accounts.createUser(bench.accounts.setupToken!, owner, caller)).id, 1);
});
