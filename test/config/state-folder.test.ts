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
import { openStateFolder, writeWhole } from '../../src/config/state-folder.ts';

const root = mkdtempSync(path.join(tmpdir(), 'state-'));
after(() => rmSync(root, { recursive: true }));
let folders = 0;
const newFolder = (): string => path.join(root, `${folders++}`, 'data');
const modeOf = (name: string): number => statSync(name).mode & 0o777;

test('makes the folder and the identity, readable by nobody else', () => {
  const folder = newFolder();
  const { deviceUuid, renewed } = openStateFolder(folder);
  assert.match(deviceUuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(renewed, []);
  assert.equal(modeOf(folder), 0o700);
  assert.deepEqual(readdirSync(folder), ['device-uuid']);
  assert.equal(modeOf(path.join(folder, 'device-uuid')), 0o600);
});

test('keeps the identity from start to start, with or without a newline at the end', () => {
  const folder = newFolder();
  const first = openStateFolder(folder);
  writeFileSync(path.join(folder, 'device-uuid'), `${first.deviceUuid}\n`);
  assert.deepEqual(openStateFolder(folder), first);
});

test('makes a damaged identity anew and says so', () => {
  for (const content of ['', 'SHORT', '\u0000'.repeat(36)]) {
    const folder = newFolder();
    const first = openStateFolder(folder);
    writeFileSync(path.join(folder, 'device-uuid'), content);
    const second = openStateFolder(folder);
    assert.deepEqual(second.renewed, ['device-uuid']);
    assert.notEqual(second.deviceUuid, first.deviceUuid);
  }
});

test('takes away the rights of others that a copied file has', () => {
  const folder = newFolder();
  openStateFolder(folder);
  chmodSync(path.join(folder, 'device-uuid'), 0o644);
  openStateFolder(folder);
  assert.equal(modeOf(path.join(folder, 'device-uuid')), 0o600);
});

test('writes a file whole, follows no link that lies in the place of its temporary file, and takes bytes too', () => {
  const folder = newFolder();
  openStateFolder(folder);
  const victim = path.join(root, 'victim');
  writeFileSync(victim, 'untouched');
  symlinkSync(victim, path.join(folder, 'key.new'));
  writeWhole(folder, 'key', Uint8Array.of(1, 2, 3));
  assert.equal(readFileSync(victim, 'utf8'), 'untouched');
  assert.deepEqual([...readFileSync(path.join(folder, 'key'))], [1, 2, 3]);
  assert.equal(modeOf(path.join(folder, 'key')), 0o600);
});

test('says which folder cannot be used, and why', () => {
  const file = path.join(root, 'file');
  writeFileSync(file, '');
  assert.throws(() => openStateFolder(file), /state folder .*file cannot be used: EEXIST/);
});
