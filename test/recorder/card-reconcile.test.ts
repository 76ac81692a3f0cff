/** The look at the card: what is new, what is gone, and what belongs to others. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { KnownSegment, RecorderReport } from '../../src/ipc/messages.ts';
import { reconcileCard } from '../../src/recorder/card-reconcile.ts';
import { segmentPath } from '../../src/recorder/segment-path.ts';
import { makeSegment } from '../isobmff/segments.ts';
import { demo, deviceUuid } from './recorder-fixture.ts';

const baseWallUnixMs = Date.UTC(2026, 10, 23, 5, 30);

function newCard(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'card-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Puts a segment onto the card; its path below the folder. */
function put(folder: string, number: number, options: { readonly isOpen?: boolean } = {}): string {
  const { bytes } = makeSegment(demo, { ...options, number, baseWallUnixMs });
  const relative = segmentPath({ deviceUuid, stream: 0, number, baseWallUnixMs });
  mkdirSync(path.dirname(path.join(folder, relative)), { recursive: true });
  writeFileSync(path.join(folder, relative), bytes);
  return relative;
}

function knownOf(number: number, relative: string, isClosed = true): KnownSegment {
  return { stream: 0, number, path: relative, endOffset: 1, trailerOffset: 1, isClosed };
}

async function look(folder: string, known: readonly KnownSegment[] = []) {
  const reports: RecorderReport[] = [];
  const unreadable: string[] = [];
  const { highest, done } = await reconcileCard({
    folder,
    deviceUuid,
    known,
    report: report => reports.push(report),
    onUnreadable: file => unreadable.push(file),
  });
  await done;
  const found = reports.flatMap(report => (report.type === 'segment-found' ? [report.segment.number] : []));
  const missing = reports.flatMap(report =>
    report.type === 'segments-missing' ? report.segments.map(({ number }) => number) : [],
  );
  return { highest, found, missing, unreadable, last: reports.at(-1) };
}

test('an empty card is a new one', async t => {
  const { highest, found, missing, last } = await look(newCard(t));
  assert.deepEqual([highest, found, missing], [[0, 0], [], []]);
  assert.deepEqual(last, { type: 'card-looked', files: 0, filesTotal: 0, isDone: true });
});

test('what is new or was not closed is told of, the newest first; what is known and closed is not looked at', async t => {
  const folder = newCard(t);
  const paths = [1, 2, 3, 4].map(number => put(folder, number, { isOpen: number === 4 }));
  const known = [knownOf(1, paths[0]!), knownOf(4, paths[3]!, false)];
  const { highest, found, missing } = await look(folder, known);
  assert.deepEqual(found, [4, 3, 2]);
  assert.deepEqual(missing, []);
  assert.deepEqual(highest, [4, 0]);
});

test('what is known and gone is told of, and its number is not used again', async t => {
  const folder = newCard(t);
  const { highest, missing } = await look(folder, [knownOf(9, put(folder, 1).replace('01.mp4', '09.mp4'))]);
  assert.deepEqual(missing, [9]);
  assert.deepEqual(highest, [9, 0]);
});

test('more files than are looked at between two pauses are all told of', async t => {
  const folder = newCard(t);
  for (let number = 1; number <= 25; number++) put(folder, number);
  const { found } = await look(folder);
  assert.equal(found.length, 25);
});

test('what is not ours is left alone: other cameras, other names, files in the place of folders', async t => {
  const folder = newCard(t);
  const own = put(folder, 1);
  const day = path.dirname(path.join(folder, own));
  mkdirSync(path.join(folder, 'opencamera-00000000', 'main', '2026-11-23'), { recursive: true });
  writeFileSync(
    path.join(folder, 'opencamera-00000000', 'main', '2026-11-23', '20261123T053000Z-00000007.mp4'),
    'x',
  );
  writeFileSync(path.join(day, 'holiday.mp4'), 'mine');
  writeFileSync(path.join(day, '..', '2026-11-24'), 'a file with the name of a day');
  const before = readdirSync(folder, { recursive: true });
  const { highest, found, unreadable } = await look(folder);
  assert.deepEqual([highest, found, unreadable], [[1, 0], [1], []]);
  assert.deepEqual(readdirSync(folder, { recursive: true }), before);
});

test('a file that cannot be looked at is told of, and the others are found', async t => {
  const folder = newCard(t);
  const [first] = [put(folder, 1), put(folder, 2)];
  rmSync(path.join(folder, first!));
  mkdirSync(path.join(folder, first!));
  const { found, unreadable } = await look(folder);
  assert.deepEqual(found, [2]);
  assert.deepEqual(unreadable, [first]);
});
