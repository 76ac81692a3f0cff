import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { keyFileNames, openKeys, replaceKeys } from '../../src/auth/key-file.ts';
import { Bench } from './accounts-fixture.ts';

const modeOf = (file: string): number => statSync(file).mode & 0o777;

test('makes both keys once: 32 random bytes in files that nobody else may read', t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const first = openKeys(folder);
  assert.deepEqual(first.repairs, []);
  for (const kind of ['token', 'link'] as const) {
    const file = path.join(folder, keyFileNames[kind]);
    assert.equal(modeOf(file), 0o600);
    assert.deepEqual(readFileSync(file), first[kind].bytes);
    assert.equal(first[kind].bytes.length, 32);
    assert.match(first[kind].id, /^[0-9a-f]{16}$/);
    assert.equal(first[kind].bytes.toString('hex').includes(first[kind].id), false);
  }
  assert.notDeepEqual(first.token.bytes, first.link.bytes);
  assert.deepEqual(openKeys(folder), first);
  const next = replaceKeys(folder);
  assert.notEqual(next.token.id, first.token.id);
  assert.deepEqual(openKeys(folder), next);
});

const faults: Record<string, (file: string) => void> = {
  'is empty': file => writeFileSync(file, ''),
  'has 31 bytes': file => writeFileSync(file, Buffer.alloc(31, 7)),
  'has 33 bytes': file => writeFileSync(file, Buffer.alloc(33, 7)),
  'may be read by others': file => chmodSync(file, 0o644),
  'may be written by its group': file => chmodSync(file, 0o620),
  'is a link': file => {
    rmSync(file);
    writeFileSync(`${file}.target`, Buffer.alloc(32), { mode: 0o600 });
    symlinkSync(`${file}.target`, file);
  },
};

for (const [name, spoil] of Object.entries(faults))
  test(`a token key that ${name} is replaced with a warning, sessions die, and the user stays`, async t => {
    const bench = await Bench.claimed();
    t.after(() => bench.remove());
    const { token } = await bench.logIn();
    await bench.accounts.close();
    const file = path.join(bench.folder, keyFileNames.token);
    spoil(file);
    const spoilt = readFileSync(file);
    await bench.open();
    assert.equal(bench.accounts.state, 'claimed');
    assert.equal(await bench.isGood(token), false);
    const now = readFileSync(file);
    assert.equal(now.length, 32);
    assert.notDeepEqual(now, spoilt);
    assert.equal(modeOf(file), 0o600);
    assert.ok(bench.lines.some(line => line.includes('token-key')));
    assert.equal(bench.events.at(-1)!.event, 'keys-rotated');
    const next = await bench.logIn();
    await bench.restart();
    assert.ok(await bench.isGood(next.token));
    assert.equal(await bench.isGood(token), false);
  });

test('a token key that is missing is made anew: sessions die, the user stays, links live', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  const link = bench.accounts.signLink('/clip');
  await bench.accounts.close();
  rmSync(path.join(bench.folder, keyFileNames.token));
  await bench.open();
  assert.equal(await bench.isGood(token), false);
  assert.ok(bench.accounts.verifyLink('/clip', link.token));
  await bench.logIn();
});

test('a link key that is missing is made anew: links die, sessions live', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  const link = bench.accounts.signLink('/clip');
  await bench.accounts.close();
  rmSync(path.join(bench.folder, keyFileNames.link));
  await bench.open();
  assert.ok(await bench.isGood(token));
  assert.equal(bench.accounts.verifyLink('/clip', link.token), false);
});

test('a session whose key was put back from a backup stays dead', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  const file = path.join(bench.folder, keyFileNames.token);
  const backup = readFileSync(file);
  await bench.accounts.close();
  rmSync(file);
  await bench.open();
  await bench.accounts.close();
  writeFileSync(file, backup);
  await bench.open();
  assert.equal(await bench.isGood(token), false);
});
