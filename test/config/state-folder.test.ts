import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { makeSetupToken, openStateFolder } from '../../src/config/state-folder.ts';

const root = mkdtempSync(path.join(tmpdir(), 'state-'));
after(() => rmSync(root, { recursive: true }));
let folders = 0;
const newFolder = (): string => path.join(root, `${folders++}`, 'data');
const modeOf = (name: string): number => statSync(name).mode & 0o777;

test('makes the folder, the identity and the setup token, readable by nobody else', () => {
  const folder = newFolder();
  const { deviceUuid, setupToken, renewed } = openStateFolder(folder);
  assert.match(deviceUuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.match(setupToken, /^[0-9A-HJKMNP-TV-Z]{16}$/);
  assert.deepEqual(renewed, []);
  assert.equal(modeOf(folder), 0o700);
  assert.deepEqual(readdirSync(folder).toSorted(), ['device-uuid', 'setup-token']);
  for (const name of readdirSync(folder)) assert.equal(modeOf(path.join(folder, name)), 0o600);
  assert.equal(readFileSync(path.join(folder, 'setup-token'), 'utf8'), setupToken);
});

test('keeps both from start to start, with or without a newline at the end', () => {
  const folder = newFolder();
  const first = openStateFolder(folder);
  writeFileSync(path.join(folder, 'setup-token'), `${first.setupToken}\n`);
  assert.deepEqual(openStateFolder(folder), first);
});

test('makes a damaged file anew and says so', () => {
  for (const content of ['', 'SHORT', 'ILOUILOUILOUILOU', '\u0000'.repeat(16)]) {
    const folder = newFolder();
    const first = openStateFolder(folder);
    writeFileSync(path.join(folder, 'setup-token'), content);
    const second = openStateFolder(folder);
    assert.deepEqual(second.renewed, ['setup-token']);
    assert.notEqual(second.setupToken, first.setupToken);
    assert.equal(second.deviceUuid, first.deviceUuid);
  }
});

test('takes away the rights of others that a copied token file has', () => {
  const folder = newFolder();
  openStateFolder(folder);
  chmodSync(path.join(folder, 'setup-token'), 0o644);
  openStateFolder(folder);
  assert.equal(modeOf(path.join(folder, 'setup-token')), 0o600);
});

test('follows no link that lies in the place of its temporary file', () => {
  const folder = newFolder();
  openStateFolder(folder);
  rmSync(path.join(folder, 'setup-token'));
  const victim = path.join(root, 'victim');
  writeFileSync(victim, 'untouched');
  symlinkSync(victim, path.join(folder, 'setup-token.new'));
  openStateFolder(folder);
  assert.equal(readFileSync(victim, 'utf8'), 'untouched');
});

test('says which folder cannot be used, and why', () => {
  const file = path.join(root, 'file');
  writeFileSync(file, '');
  assert.throws(() => openStateFolder(file), /state folder .*file cannot be used: EEXIST/);
});

test('tokens differ and use all 32 characters evenly', () => {
  const tokens = Array.from({ length: 2000 }, makeSetupToken);
  assert.equal(new Set(tokens).size, tokens.length);
  const counts = new Map<string, number>();
  for (const character of tokens.join('')) counts.set(character, (counts.get(character) ?? 0) + 1);
  assert.equal(counts.size, 32);
  // 1000 expected of each; six standard deviations (31) are never left by chance.
  for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 190, String(count));
});
