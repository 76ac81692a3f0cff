/** The boot record on the disk: whole, or the one before, or none. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import {
  type BootRecord,
  emptyBootRecord,
  readBootRecord,
  writeBootRecord,
} from '../../src/firmware/boot-record.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'boot-record-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const numbered = (crashes: number): BootRecord => ({ ...emptyBootRecord, crashes });
const file = (name = 'boot.json'): string => path.join(folder, name);

test('what was written is read, and the one before is kept beside it', () => {
  assert.deepEqual(readBootRecord(folder), { record: emptyBootRecord, from: 'none' });
  writeBootRecord(folder, numbered(1));
  writeBootRecord(folder, numbered(2));
  assert.deepEqual(readBootRecord(folder), { record: numbered(2), from: 'current' });
  assert.deepEqual(readdirSync(folder).sort(), ['boot.json', 'boot.previous.json']);
});

test('a record with one changed byte anywhere is not believed; the one before is', () => {
  writeBootRecord(folder, numbered(1));
  writeBootRecord(folder, numbered(2));
  const whole = readFileSync(file());
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 4;
    writeFileSync(file(), changed);
    const { record, from } = readBootRecord(folder);
    // White space between members says nothing.
    if (from === 'current') assert.deepEqual(record, numbered(2));
    else assert.deepEqual([record, from], [numbered(1), 'previous']);
  }
});

test('a record that is cut off, empty or missing is the one before; without that, none', () => {
  writeBootRecord(folder, numbered(1));
  writeBootRecord(folder, numbered(2));
  const whole = readFileSync(file());
  for (const length of [0, 1, 20, whole.length - 2]) {
    writeFileSync(file(), whole.subarray(0, length));
    assert.deepEqual(readBootRecord(folder), { record: numbered(1), from: 'previous' });
  }
  rmSync(file());
  assert.equal(readBootRecord(folder).from, 'previous');
  rmSync(file('boot.previous.json'));
  assert.equal(readBootRecord(folder).from, 'none');
});

test('a damaged record does not take the place of the good one before', () => {
  writeBootRecord(folder, numbered(1));
  writeBootRecord(folder, numbered(2));
  writeFileSync(file(), 'damaged');
  writeBootRecord(folder, numbered(3));
  rmSync(file());
  assert.deepEqual(readBootRecord(folder), { record: numbered(1), from: 'previous' });
});

test('JSON that is no record is none', () => {
  for (const text of ['null', '1', '[]', '{}', '{"formatVersion":1,"sha256":"","record":null}']) {
    writeFileSync(file(), text);
    assert.equal(readBootRecord(folder).from, 'none');
  }
});
