/** A payload becomes a slot's folder, and a folder that is not as it was is noticed. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkSlotFolder, entryOf, makeSlotFolder, softwareFolder } from '../../src/firmware/slot-folder.ts';
import { tarEnd, tarFile, tarHeader, tarOf } from './tar-of.ts';

let folder: string;
let slot: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'slot-test-'));
  slot = path.join(folder, 'a');
});
afterEach(() => rmSync(folder, { recursive: true }));

const files = { 'dist/cli.js': 'run', 'package.json': '{"version":"1.2.3"}', 'assets/empty': '' };

function make(payload: Uint8Array, bytesMax = 1e6): Promise<void> {
  const file = path.join(folder, 'payload');
  writeFileSync(file, payload);
  return makeSlotFolder(file, slot, { version: '1.2.3', bytesMax });
}

/** Names in the folder that are not the payload's. */
const left = (): string[] => readdirSync(folder).filter(name => name !== 'payload' && name !== 'a.new');

test('what was packed is there, with the right to be run, and is as it should be', async () => {
  const archive = Buffer.concat([
    tarFile('dist/cli.js', 'run', { mode: '0000755\0' }),
    tarFile('package.json', files['package.json']),
    tarEnd,
  ]);
  await make(gzipSync(archive));
  assert.equal(readFileSync(entryOf(slot), 'utf8'), 'run');
  assert.equal(statSync(entryOf(slot)).mode & 0o111, 0o111);
  assert.equal(statSync(path.join(softwareFolder(slot), 'package.json')).mode & 0o111, 0);
  await checkSlotFolder(slot);
  assert.deepEqual(left(), ['a']);
});

test('what a cut left under the name beside it is no hindrance', async () => {
  mkdirSync(path.join(folder, 'a.new', 'software', 'dist', 'cli.js'), { recursive: true });
  await make(gzipSync(tarOf(files)));
  await checkSlotFolder(slot);
});

const bad: Readonly<Record<string, () => Uint8Array>> = {
  'that is not gzip': () => tarOf(files),
  'that is empty': () => Buffer.alloc(0),
  'that is cut off': () => gzipSync(tarOf(files)).subarray(0, -20),
  'whose gzip has a wrong checksum': () => {
    const payload = gzipSync(tarOf(files));
    payload[payload.length - 8]! ^= 1;
    return payload;
  },
  'with something behind the gzip': () =>
    Buffer.concat([gzipSync(tarOf(files)), gzipSync(tarFile('more', 'x'))]),
  'without dist/cli.js': () => gzipSync(tarOf({ 'package.json': files['package.json'] })),
  'without package.json': () => gzipSync(tarOf({ 'dist/cli.js': 'run' })),
  'of another version': () => gzipSync(tarOf({ ...files, 'package.json': '{"version":"1.2.4"}' })),
  'whose package.json is no JSON': () => gzipSync(tarOf({ ...files, 'package.json': '{' })),
  'with a file below a file': () => gzipSync(tarOf({ ...files, 'dist/cli.js/x': 'x' })),
  'with a name that leads out': () => gzipSync(tarOf({ ...files, '../../out': 'x' })),
};
for (const [name, payload] of Object.entries(bad))
  test(`a payload ${name} makes no slot`, async () => {
    await assert.rejects(make(payload()), { code: 'firmware-malformed' });
    assert.deepEqual(left(), []);
  });

test('a payload that unpacks to more than there is room for makes no slot, before it does', async () => {
  const bomb = Buffer.concat([
    tarHeader({ name: 'zeros', size: '00040000000\0' }),
    Buffer.alloc(8 * 1024 * 1024),
    tarEnd,
  ]);
  await assert.rejects(make(gzipSync(bomb), 1e6), { code: 'firmware-no-room' });
  assert.deepEqual(readdirSync(path.join(folder, 'a.new', 'software')), []);
});

const damages: Readonly<Record<string, (software: string) => void>> = {
  'a changed byte': software => writeFileSync(path.join(software, 'dist/cli.js'), 'rum'),
  'a byte more': software => appendFileSync(path.join(software, 'dist/cli.js'), '\n'),
  'a byte less': software => truncateSync(path.join(software, 'dist/cli.js'), 2),
  'a missing file': software => rmSync(path.join(software, 'assets/empty')),
  'a folder in place of a file': software => {
    rmSync(path.join(software, 'assets/empty'));
    mkdirSync(path.join(software, 'assets/empty'));
  },
  'no inventory': software => rmSync(path.join(software, '../inventory.json')),
  'half an inventory': software => truncateSync(path.join(software, '../inventory.json'), 30),
  'a file that cannot be read': software => {
    rmSync(path.join(software, 'package.json'));
    mkdirSync(path.join(software, 'package.json'));
    chmodSync(path.join(software, 'package.json'), 0o000);
  },
};
for (const [name, damage] of Object.entries(damages))
  test(`a slot with ${name} is damaged`, async () => {
    await make(gzipSync(tarOf(files)));
    damage(softwareFolder(slot));
    await assert.rejects(checkSlotFolder(slot), { code: 'firmware-storage-failed' });
  });

test('a slot that is not there is damaged', async () => {
  await assert.rejects(checkSlotFolder(slot), { code: 'firmware-storage-failed' });
});
