/** The command line beside a running camera: two processes on one database. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { factoryReset, resetPasswordOffline, rotateKeys } from '../../src/auth/accounts-offline.ts';
import { Bench, caller, eventually, owner, runningClock, withCode } from './accounts-fixture.ts';

const register = new URL('../register.mjs', import.meta.url).href;
const script = fileURLToPath(new URL('offline-process.ts', import.meta.url));

async function beside(bench: Bench, what: string): Promise<unknown> {
  const argv = ['--import', register, script, what, bench.folder];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  return JSON.parse(stdout);
}

/** A camera as it runs: by the clocks of the machine, as the other process sees them. */
async function running(): Promise<Bench> {
  const bench = new Bench({ clock: runningClock() });
  bench.boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  await bench.open();
  await bench.accounts.createUser(bench.accounts.setupToken!, owner, caller);
  return bench;
}

test('keys rotated by another process end every session and link at once, viewers are told, and log-in goes on', async t => {
  const bench = await running();
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  const { sid } = await bench.session(token);
  const link = bench.accounts.signLink('/clip');
  const keys = ['token-key', 'link-key'].map(name => readFileSync(path.join(bench.folder, name)));
  assert.equal(await beside(bench, 'rotate-keys'), 1);
  assert.equal(await bench.isGood(token), false);
  assert.equal(bench.accounts.verifyLink('/clip', link.token), false);
  await eventually(() => bench.ended.includes(sid));
  for (const [i, name] of ['token-key', 'link-key'].entries())
    assert.notDeepEqual(readFileSync(path.join(bench.folder, name)), keys[i]);
  const next = await bench.logIn();
  const nextLink = bench.accounts.signLink('/clip');
  assert.ok(await bench.isGood(next.token));
  await bench.restart();
  assert.ok(await bench.isGood(next.token), 'the key in memory is the key in the file');
  assert.ok(bench.accounts.verifyLink('/clip', nextLink.token));
  assert.match(readFileSync(path.join(bench.folder, 'audit.log'), 'utf8'), /"keys-rotated"/);
});

test('a password reset by another process ends every session, and only the new password opens', async t => {
  const bench = await running();
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  const { sid } = await bench.session(token);
  await beside(bench, 'reset-password');
  // Nobody asks anything: the viewers of dead sessions are told all the same.
  await eventually(() => bench.ended.includes(sid));
  assert.equal(await bench.isGood(token), false);
  await assert.rejects(bench.logIn(), withCode('credentials-invalid'));
  await bench.logIn(owner.email, 'from the command line');
});

test('a factory reset by another process makes the running camera a new one, with the setup token that it told', async t => {
  const bench = await running();
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  await bench.accounts.setIceServers(['stun:stun.example:3478'], caller);
  const setupToken = (await beside(bench, 'factory-reset')) as string;
  assert.equal(bench.accounts.state, 'factory');
  assert.equal(bench.accounts.setupToken, setupToken);
  assert.equal(await bench.isGood(token), false);
  for (const file of readdirSync(bench.folder, { recursive: true, withFileTypes: true }))
    if (file.isFile() && file.name === 'data.mdb') {
      const bytes = readFileSync(path.join(file.parentPath, file.name));
      for (const secret of ['argon2', owner.email, 'stun.example'])
        assert.ok(!bytes.includes(secret), `${secret} is left in ${file.name}`);
    }
  assert.deepEqual(bench.accounts.iceServers(), []);
  await assert.rejects(bench.logIn(), withCode('credentials-invalid'));
  await bench.accounts.createUser(setupToken, owner, caller);
  assert.equal(await bench.isGood(token), false, 'not under the next user either');
  await bench.logIn();
});

test('a factory reset puts a damaged database aside, and the running camera takes the new one', async t => {
  const bench = await running();
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  await bench.accounts.close();
  truncateSync(path.join(bench.folder, 'accounts', 'data.mdb'), 8192);
  await bench.open();
  assert.equal(bench.accounts.state, 'damaged');
  const setupToken = (await beside(bench, 'factory-reset')) as string;
  await eventually(() => bench.accounts.state === 'factory');
  assert.equal(bench.accounts.setupToken, setupToken);
  assert.ok(existsSync(path.join(bench.folder, 'accounts.damaged', 'data.mdb')));
  assert.equal(await bench.isGood(token), false);
  await bench.accounts.createUser(setupToken, owner, caller);
  await bench.logIn();
});

test('a database that was replaced under the running camera is not used on', async t => {
  const bench = await running();
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  const other = await Bench.claimed();
  t.after(() => other.remove());
  await other.accounts.close();
  renameSync(path.join(bench.folder, 'accounts'), path.join(bench.folder, 'aside'));
  renameSync(path.join(other.folder, 'accounts'), path.join(bench.folder, 'accounts'));
  await eventually(
    async () => (await bench.accounts.authenticate(token).catch(() => 'damaged')) === undefined,
  );
  assert.equal(bench.accounts.state, 'claimed');
  await bench.logIn();
});

test('without a database there is nothing to rotate, and without a user no password to reset', async t => {
  const bench = new Bench();
  await assert.rejects(rotateKeys(bench.options()), withCode('accounts-damaged'));
  assert.deepEqual(readdirSync(bench.folder), []);
  await bench.open();
  t.after(() => bench.remove());
  await assert.rejects(resetPasswordOffline(bench.options(), 'a good one'), withCode('usage-invalid'));
});

test('a factory reset of an empty folder makes a camera at factory state', async t => {
  const bench = new Bench();
  const setupToken = await factoryReset(bench.options());
  await bench.open();
  t.after(() => bench.remove());
  assert.equal(bench.accounts.setupToken, setupToken);
});
