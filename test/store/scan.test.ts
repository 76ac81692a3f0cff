/** A damaged database ends the process that reads it, and so must be read by another first. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Database } from '../../src/store/database.ts';
import { loadingFlags, type ScanVerdict, scanInChild } from '../../src/store/scan-process.ts';
import { workerEntry } from '../../src/supervisor/worker-entry.ts';
import { newFolder } from './database-fixture.ts';

const entry = workerEntry('scan-database');
const dataOf = (folder: string): string => path.join(folder, 'data.mdb');

/** A database with small and large records, and with pages that were freed. */
async function filled(t: TestContext): Promise<string> {
  const folder = newFolder(t);
  const database = Database.open(folder);
  for (let round = 0; round < 5; round++)
    await database.change(records => {
      for (let i = 0; i < 40; i++) records.set(`record ${i}`, { round, text: `${i}`.repeat(20 * i) });
    });
  await database.change(records => records.delete('record 39'));
  await database.close();
  return folder;
}

function reasonOf(verdict: ScanVerdict): string {
  assert.equal(verdict.sound, false);
  return verdict.sound ? '' : verdict.reason;
}

test('a sound database is found sound, also while this process has it open and changes it', async t => {
  const folder = await filled(t);
  assert.deepEqual(await scanInChild(folder, { entry }), { sound: true });
  const database = Database.open(folder);
  const [verdict] = await Promise.all([
    scanInChild(folder, { entry }),
    database.change(records => records.set('more', 1)),
  ]);
  assert.deepEqual(verdict, { sound: true });
  await database.close();
});

test('a file that is too short ends the child by a signal, and not this process', async t => {
  const folder = await filled(t);
  truncateSync(dataOf(folder), 12_288);
  assert.match(reasonOf(await scanInChild(folder, { entry })), /ends a process by SIG(BUS|SEGV)/);
});

test('a missing, empty or foreign file, and a missing folder, are not sound', async t => {
  const folder = await filled(t);
  writeFileSync(dataOf(folder), 'x'.repeat(100_000));
  assert.ok(reasonOf(await scanInChild(folder, { entry })));
  truncateSync(dataOf(folder), 0);
  assert.match(reasonOf(await scanInChild(folder, { entry })), /empty/);
  rmSync(dataOf(folder));
  assert.ok(reasonOf(await scanInChild(folder, { entry })));
  rmSync(folder, { recursive: true });
  assert.ok(reasonOf(await scanInChild(folder, { entry })));
});

test('a flipped bit in a record is found, although the tree is sound', async t => {
  const folder = await filled(t);
  const bytes = readFileSync(dataOf(folder));
  const text = Buffer.from('7'.repeat(100));
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) bytes[at]! ^= 1;
  writeFileSync(dataOf(folder), bytes);
  assert.match(reasonOf(await scanInChild(folder, { entry })), /the record record 7 is damaged/);
});

test('damage anywhere ends in a verdict; what is called sound can be read and changed by this process', async t => {
  const folder = await filled(t);
  const good = readFileSync(dataOf(folder));
  // The same damage in every run: what LMDB does with some of it depends on the heap of the day.
  let state = 49_761_859;
  // xorshift32
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const counts = { sound: 0, refused: 0, killed: 0 };
  for (let round = 0; round < 24; round++) {
    const bytes = Buffer.from(good);
    const kind = round % 4;
    if (kind === 0) bytes.fill(0, random(good.length >> 12) << 12, good.length);
    if (kind === 1) bytes.fill(random(256), random(good.length >> 12) << 12).copy(bytes);
    if (kind === 2) for (let i = 0; i < 8; i++) bytes[random(good.length)]! ^= 1 << random(8);
    // The heads of pages, where numbers of pages and offsets are.
    if (kind === 3)
      for (let i = 0; i < 8; i++) bytes[(random(good.length >> 12) << 12) + random(64)] = random(256);
    const copy = `${folder}-${round}`;
    mkdirSync(copy);
    writeFileSync(dataOf(copy), bytes);
    const verdict = await scanInChild(copy, { entry });
    if (!verdict.sound) counts[verdict.reason.includes('SIG') ? 'killed' : 'refused'] += 1;
    else {
      counts.sound += 1;
      const database = Database.open(copy);
      await database.change(records => records.set('more', 1));
      await database.close();
    }
  }
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.refused + counts.killed > 0);
});

test('a child that takes too long is ended, and what it looked at is not sound', async t => {
  const folder = await filled(t);
  const verdict = await scanInChild(folder, { entry, timeoutMs: 1 });
  assert.match(reasonOf(verdict), /took longer/);
});

test('a child that cannot be started, or says something else, makes nothing sound', async t => {
  const folder = await filled(t);
  const missing = new URL('file:///nowhere/scan-database.ts');
  assert.match(reasonOf(await scanInChild(folder, { entry: missing })), /status 1/);
  const other = path.join(folder, 'other.mjs');
  writeFileSync(other, 'console.log("sound as a bell")');
  assert.match(reasonOf(await scanInChild(folder, { entry: new URL(`file://${other}`) })), /bell/);
});

test('a copy of a database elsewhere is as sound as the first', async t => {
  const folder = await filled(t);
  const copy = `${folder}-copy`;
  cpSync(folder, copy, { recursive: true });
  assert.deepEqual(await scanInChild(copy, { entry }), { sound: true });
});

test('the child gets the flags that load modules, and no others', () => {
  assert.deepEqual(
    loadingFlags([
      '--inspect',
      '--import',
      './a.mjs',
      '--test',
      '--import=b',
      '--max-old-space-size=9',
      '-r',
      'c',
    ]),
    ['--import', './a.mjs', '--import=b', '-r', 'c'],
  );
});
