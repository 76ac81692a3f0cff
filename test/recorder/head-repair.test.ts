/** Segment files whose head is damaged: it is made again to the bit, and nothing of the recording is lost. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { Codec } from '../../src/base/tracks.ts';
import type { RecorderReport } from '../../src/ipc/messages.ts';
import { reconcileCard } from '../../src/recorder/card-reconcile.ts';
import { segmentPath } from '../../src/recorder/segment-path.ts';
import { mendSegment } from '../../src/recorder/segment-repair.ts';
import { type Clip, fixtureClip, makeSegment } from '../isobmff/segments.ts';
import { probeClip } from '../support/decoded-clip.ts';
import { requireProgram } from '../support/requires.ts';

const demo = fixtureClip('demo-720p30.h264', 30, true);
const clip = { ...demo, pictures: [...demo.pictures, ...demo.pictures, ...demo.pictures] };
const baseWallUnixMs = Date.UTC(2026, 10, 23, 5, 30, 12, 345);
const closed = makeSegment(clip, { fragmentPictures: 15, number: 7, baseWallUnixMs });
const open = makeSegment(clip, { fragmentPictures: 15, number: 7, baseWallUnixMs, isOpen: true });
const { deviceUuid } = closed.info;
const relative = segmentPath(closed.info);
const named = { deviceUuid, stream: 0, number: 7, path: relative } as const;

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'head-repair-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, path.dirname(relative)), { recursive: true });
  return folder;
}

test('a flipped bit anywhere in the head of a segment costs nothing: the file is as it was, to the bit', async t => {
  const folder = folderOf(t);
  const file = path.join(folder, relative);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: closed.headBytes - 1 }),
      fc.integer({ min: 0, max: 7 }),
      fc.boolean(),
      async (at, bit, isOpen) => {
        const bytes = (isOpen ? open : closed).bytes.slice();
        bytes[at]! ^= 1 << bit;
        writeFileSync(file, bytes);
        const mended = await mendSegment(folder, named);
        assert.equal(mended?.wasTorn, true);
        assert.deepEqual(mended.fragments, closed.samples.fragments);
        assert.deepEqual(mended.segment.format, clip.format);
        assert.ok(readFileSync(file).equals(closed.bytes));
      },
    ),
    { numRuns: 12 },
  );
});

const variants: readonly [string, Clip][] = [
  ['H.264 with sound of A-law', { ...clip, format: { ...clip.format, audioCodec: Codec.pcma } }],
  ['H.264 without sound', { ...clip, format: { ...clip.format, audioCodec: undefined } }],
  ['H.265', fixtureClip('demo-720p30-hevc.h265', 30, true)],
];
for (const [what, other] of variants)
  test(`a head that was overwritten is made again from the name and the pictures: ${what}`, async t => {
    const folder = folderOf(t);
    const made = makeSegment(other, { number: 7, baseWallUnixMs });
    const bytes = made.bytes.slice().fill(0, 0, made.headBytes);
    writeFileSync(path.join(folder, relative), bytes);
    assert.ok(await mendSegment(folder, named));
    assert.ok(readFileSync(path.join(folder, relative)).equals(made.bytes));
  });

test('a head and the first fragment behind it that are zero cost that fragment, and the rest plays', async t => {
  const folder = folderOf(t);
  const [first, ...others] = closed.samples.fragments;
  const bytes = open.bytes.slice().fill(0, 0, first!.offset + first!.lengthBytes - 1);
  writeFileSync(path.join(folder, relative), bytes);
  const mended = await mendSegment(folder, named);
  assert.deepEqual(
    mended?.fragments.map(({ number }) => number),
    others.map(({ number }) => number),
  );
  assert.ok(others.length > 0);
  if (!requireProgram(t, 'ffprobe')) return;
  const { videoSeconds } = await probeClip(path.join(folder, relative));
  assert.ok(videoSeconds > 0.3, `${videoSeconds} s`);
});

test('fragments of another file than the name says make no head, and nothing of them is taken', async t => {
  const folder = folderOf(t);
  const bytes = closed.bytes.slice().fill(0, 0, closed.headBytes);
  const other = relative.replace('00000007', '00000008');
  writeFileSync(path.join(folder, other), bytes);
  const reports: RecorderReport[] = [];
  const told: string[] = [];
  const { done } = await reconcileCard({
    folder,
    deviceUuid,
    known: [],
    report: report => reports.push(report),
    onUnreadable: file => told.push(file),
  });
  await done;
  assert.deepEqual(
    reports.map(({ type }) => type),
    ['card-looked'],
  );
  assert.deepEqual(told, [other]);
  assert.ok(readFileSync(path.join(folder, `${other}.damaged`)).equals(bytes), 'it is kept as it was');
});

test('files of which nothing can be used are bounded on a card, not in each of its folders', async t => {
  const folder = folderOf(t);
  for (let number = 1; number <= 12; number++) {
    const at = { ...closed.info, number, baseWallUnixMs: baseWallUnixMs + number * 86_400_000 };
    const file = path.join(folder, segmentPath(at));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '');
    assert.equal(await mendSegment(folder, { ...named, number, path: segmentPath(at) }), undefined);
    assert.ok(!existsSync(file));
  }
  const left = readdirSync(folder, { recursive: true }).filter(name => String(name).endsWith('.damaged'));
  assert.equal(left.length, 8);
});

test('what is whole is found on a card that cannot be written to', async t => {
  const folder = folderOf(t);
  const file = path.join(folder, relative);
  writeFileSync(file, closed.bytes);
  chmodSync(folder, 0o755);
  chmodSync(file, 0o444);
  const isRoot = process.geteuid!() === 0;
  // Whom the mode of a file binds; 65534 is nobody.
  if (isRoot) process.seteuid!(65_534);
  try {
    await assert.rejects(openFile(file, 'r+'), { code: 'EACCES' });
    const mended = await mendSegment(folder, named);
    assert.equal(mended?.wasTorn, false);
  } finally {
    if (isRoot) process.seteuid!(0);
  }
});
