import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { isLinkText, type LinkScope, signLinkText } from '../../src/auth/signed-link.ts';
import { Bench, caller, owner } from './accounts-fixture.ts';

const scope: LinkScope = {
  key: randomBytes(32),
  boot: 'a boot',
  passwordGeneration: 'a generation',
  target: '/api/v1/media/vod/1/2',
};

test('a link opens its own target until its time is over', () => {
  const text = signLinkText(scope, 5000);
  assert.match(text, /^[A-Za-z0-9_-]{55}$/);
  assert.ok(isLinkText(scope, text, 0));
  assert.ok(isLinkText(scope, text, 4999.9));
  assert.equal(isLinkText(scope, text, 5000), false);
});

test('a link is worthless for another target, key, password or start of the machine', () => {
  const text = signLinkText(scope, 5000);
  for (const other of [
    { target: '/api/v1/media/vod/1/3' },
    { target: '/api/v1/media/vod/1/2/' },
    { target: '' },
    { key: randomBytes(32) },
    { passwordGeneration: 'another' },
    { boot: 'another' },
    // The same characters in all, cut elsewhere.
    { boot: 'a boota', passwordGeneration: ' generation' },
  ])
    assert.equal(isLinkText({ ...scope, ...other }, text, 0), false, JSON.stringify(other));
});

test('every other spelling and every flipped bit is refused', () => {
  const text = signLinkText(scope, 5000);
  const bytes = Buffer.from(text, 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const other = Buffer.from(bytes);
    other[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(isLinkText(scope, other.toString('base64url'), 0), false, String(bit));
  }
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(text.at(-1)!);
  const spare = alphabet[last ^ 1]!;
  for (const other of ['', text.slice(1), `${text}=`, `${text}\n`, ` ${text}`, text.slice(0, -1) + spare])
    assert.equal(isLinkText(scope, other, 0), false, other);
});

test('the camera signs links for at most the configured time, and a new password ends them', async t => {
  const bench = await Bench.claimed({ linkSeconds: 60 });
  t.after(() => bench.remove());
  const { accounts } = bench;
  const long = accounts.signLink(scope.target, 1e9);
  const short = accounts.signLink(scope.target, 10);
  assert.equal(long.validUntilUnixMs, bench.clock.nowWallUnixMs + 60_000);
  assert.equal(short.validUntilUnixMs, bench.clock.nowWallUnixMs + 10_000);
  assert.ok(accounts.verifyLink(scope.target, long.token));
  assert.equal(accounts.verifyLink('/api/v1/device', long.token), false);
  // Only real time counts, over a restart of the daemon too.
  bench.clock.nowWallUnixMs -= 7_200_000;
  bench.passSeconds(11);
  assert.equal(accounts.verifyLink(scope.target, short.token), false);
  await bench.restart({ linkSeconds: 60 });
  assert.ok(bench.accounts.verifyLink(scope.target, long.token));
  const { token } = await bench.logIn();
  await bench.accounts.resetPassword(await bench.session(token), `${owner.password}er`, caller);
  assert.equal(bench.accounts.verifyLink(scope.target, long.token), false);
  const next = bench.accounts.signLink(scope.target);
  bench.passSeconds(60);
  assert.equal(bench.accounts.verifyLink(scope.target, next.token), false);
});
