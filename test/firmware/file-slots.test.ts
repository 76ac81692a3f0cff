/** The invariants of file slots (head of file-slots.ts), each by its number, on real folders. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Installation } from '../../src/firmware/back-end.ts';
import { type BootSource, readBootRecord, writeBootRecord } from '../../src/firmware/boot-record.ts';
import { FileSlots } from '../../src/firmware/file-slots.ts';
import { entryOf, softwareFolder } from '../../src/firmware/slot-folder.ts';
import { softwareOf } from '../http/camera-upgrades.ts';
import { LoopCard } from '../support/loop-card.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { manifestOf } from './images.ts';

const expected = { pictures: true, recording: true };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'file-slots-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(running: BootSource = 'factory', at = folder): FileSlots {
  return FileSlots.open({
    folder: at,
    running,
    runningVersion: '1.0.0',
    factoryVersion: '1.0.0',
    clock: new ManualClock(),
  });
}

async function begin(slots: FileSlots, version: string): Promise<Installation> {
  const payload = softwareOf(version);
  const installation = await slots.begin(manifestOf(payload, { version }), expected);
  await installation.write(payload);
  return installation;
}

async function install(slots: FileSlots, version: string): Promise<void> {
  await (await begin(slots, version)).complete();
}

/** Versions 1.1.0 in a, active and running, and 1.2.0 in b, good. */
async function withTwo(): Promise<FileSlots> {
  let slots = open();
  await install(slots, '1.2.0');
  slots = open('a');
  await slots.confirm('1.2.0');
  await install(slots, '1.1.0');
  slots = open('b');
  await slots.confirm('1.1.0');
  return slots;
}

const versionIn = (slot: string): unknown =>
  JSON.parse(readFileSync(path.join(softwareFolder(path.join(folder, slot)), 'package.json'), 'utf8'))
    .version;
const record = () => readBootRecord(folder).record;

test('1: an image goes to the slot that neither runs nor is active', async () => {
  const slots = await withTwo();
  assert.equal(versionIn('b'), '1.1.0');
  await install(slots, '1.3.0');
  assert.equal(versionIn('a'), '1.3.0');
  assert.equal(versionIn('b'), '1.1.0');
  assert.deepEqual(record().trial, { slot: 'a', startsLeft: 3, expected });
  assert.equal(record().active, 'b');
});

test('1: of two free slots the one without a good version is taken', async () => {
  await install(open(), '1.1.0');
  const slots = open('a');
  await slots.confirm('1.1.0');
  await slots.rollBack(expected);
  const back = open('factory');
  await back.confirm('1.0.0');
  await install(back, '1.2.0');
  assert.equal(versionIn('a'), '1.1.0');
  assert.equal(versionIn('b'), '1.2.0');
});

test('1: nothing is taken while a trial waits or runs', async () => {
  const slots = open();
  await install(slots, '1.1.0');
  await assert.rejects(begin(slots, '1.2.0'), { code: 'firmware-busy' });
  await assert.rejects(begin(open('a'), '1.2.0'), { code: 'firmware-busy' });
});

test('1: the version before stays until the whole payload is here and is the one that was signed', async () => {
  const slots = await withTwo();
  const aborted = await begin(slots, '1.3.0');
  await aborted.abandon();
  assert.equal(versionIn('a'), '1.2.0');
  const payload = softwareOf('1.3.0');
  const wrong = await slots.begin(manifestOf(payload, { version: '1.3.0' }), expected);
  await wrong.write(payload.map(byte => byte ^ 1));
  await assert.rejects(wrong.complete(), { code: 'firmware-storage-failed' });
  await wrong.abandon();
  assert.equal(versionIn('a'), '1.2.0');
  assert.equal(slots.view().rollBackTo?.version, '1.2.0');
  assert.deepEqual(readdirSync(folder).sort(), ['a', 'b', 'boot.json', 'boot.previous.json']);
});

test('2: a slot is not good any more before its old content is touched', async () => {
  const slots = await withTwo();
  const payload = Buffer.from('no archive');
  const installation = await slots.begin(manifestOf(payload, { version: '1.3.0' }), expected);
  await installation.write(payload);
  await assert.rejects(installation.complete(), { code: 'firmware-malformed' });
  assert.equal(record().slots.a?.state, 'installing');
  assert.equal(record().trial, null);
  await installation.abandon();
  assert.equal(record().slots.a, null);
  assert.ok(!existsSync(path.join(folder, 'a')));
});

test('3 and 4: until the last write of the record nothing else is started; after it all is there', async () => {
  const slots = open();
  const before = record();
  const installation = await begin(slots, '1.1.0');
  assert.deepEqual(record(), before);
  await installation.complete();
  assert.equal(record().trial?.slot, 'a');
  assert.ok(existsSync(entryOf(path.join(folder, 'a'))));
  assert.ok(!existsSync(path.join(folder, 'payload.part')));
  // What comes late changes nothing.
  await installation.abandon();
  assert.equal(record().trial?.slot, 'a');
});

test('5: what a cut left half done is removed at the next start, and only that', async () => {
  await withTwo();
  const { slots, ...rest } = record();
  writeBootRecord(folder, { ...rest, slots: { ...slots, a: { ...slots.a!, state: 'installing' } } });
  mkdirSync(path.join(folder, 'a.new/software'), { recursive: true });
  for (const name of ['payload.part', 'notes.txt', 'lock']) writeFileSync(path.join(folder, name), '');
  const view = open('b').view();
  assert.deepEqual(readdirSync(folder).sort(), ['b', 'boot.json', 'boot.previous.json', 'lock', 'notes.txt']);
  assert.deepEqual(
    view.slots.map(({ name, state }) => `${name} ${state}`),
    ['factory good', 'a empty', 'b good'],
  );
});

test('5: a trial that waits for its start is not cleared away by a camera that does not run it', async () => {
  await install(open(), '1.1.0');
  open();
  assert.equal(versionIn('a'), '1.1.0');
  assert.equal(record().trial?.slot, 'a');
});

test('a roll-back is a trial of the version before, and back again', async () => {
  const slots = await withTwo();
  assert.equal(await slots.rollBack(expected), '1.2.0');
  assert.equal(record().trial?.slot, 'a');
  const back = open('a');
  assert.deepEqual(back.view().trial?.expected, expected);
  await back.confirm('1.2.0');
  assert.equal(back.view().rollBackTo?.version, '1.1.0');
  assert.equal(record().highestVersion, '1.2.0');
});

test('a disk without room for the payload is refused before a byte is written', async () => {
  const payload = softwareOf('1.1.0');
  const manifest = manifestOf(payload, { version: '1.1.0', payloadBytes: 2 ** 50 });
  await assert.rejects(open().begin(manifest, expected), { code: 'firmware-no-room' });
  assert.deepEqual(readdirSync(folder), []);
});

test('a disk that fills up in the middle leaves what runs, and the next upload is taken', async t => {
  const card = LoopCard.insertNew(t, 40);
  if (!card) return;
  const at = path.join(card.folder, 'slots');
  const slots = open('factory', at);
  const payload = softwareOf('1.1.0');
  const installation = await slots.begin(manifestOf(payload, { version: '1.1.0' }), expected);
  let full: unknown;
  for (let i = 0; i < 80 && !full; i++)
    await installation.write(Buffer.alloc(1024 * 1024)).catch(error => {
      full = error;
    });
  assert.equal((full as { code?: string }).code, 'firmware-no-room');
  await installation.abandon();
  const again = await slots.begin(manifestOf(payload, { version: '1.1.0' }), expected);
  await again.write(payload);
  await again.complete();
  assert.equal(readBootRecord(at).record.trial?.slot, 'a');
});
