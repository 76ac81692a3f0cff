/** Files that were torn: what is whole survives, nothing damaged is told of, and a second look changes nothing. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { FragmentRecord } from '../../src/isobmff/recorded-segment.ts';
import { mendSegment } from '../../src/recorder/segment-repair.ts';
import { fixtureClip, type MadeSegment, makeSegment } from '../isobmff/segments.ts';
import { probeClip } from '../support/decoded-clip.ts';
import { requireProgram } from '../support/requires.ts';

const clip = fixtureClip('demo-720p30.h264', 30, true);
/** Fragments of a tenth of a second, so that damage falls between many. */
const open = makeSegment(clip, { isOpen: true, fragmentPictures: 3 });
const closed = makeSegment(clip, { fragmentPictures: 3 });
const name = '20261123T053000Z-00000001.mp4';
const named = { deviceUuid: open.info.deviceUuid, stream: 0, number: 1, path: name } as const;

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'segment-repair-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The bytes of a fragment as they were written. */
function bytesOf(segment: MadeSegment, { offset, lengthBytes }: FragmentRecord): Buffer {
  return Buffer.from(segment.bytes.subarray(offset, offset + lengthBytes));
}

/** Mends a damaged file and says what is left, after checking that all of it is as it was written. */
async function mend(folder: string, bytes: Uint8Array): Promise<number[]> {
  const file = path.join(folder, name);
  writeFileSync(file, bytes);
  const mended = await mendSegment(folder, named);
  if (!mended) {
    assert.ok(!existsSync(file), 'a file that cannot be used has another name');
    return [];
  }
  const after = readFileSync(file);
  for (const fragment of mended.fragments) {
    const original = open.samples.fragments.find(({ number }) => number === fragment.number)!;
    assert.equal(fragment.offset, original.offset);
    assert.ok(
      after.subarray(fragment.offset, fragment.offset + fragment.lengthBytes).equals(bytesOf(open, original)),
      `fragment ${fragment.number} is not as it was written`,
    );
  }
  const again = await mendSegment(folder, named);
  assert.equal(again?.wasTorn, false);
  assert.deepEqual(again.segment, mended.segment);
  assert.deepEqual(again.fragments, mended.fragments);
  assert.ok(readFileSync(file).equals(after), 'a second look changed the file');
  return mended.fragments.map(({ number }) => number);
}

const allNumbers = open.samples.fragments.map(({ number }) => number);

/** Numbers of the fragments that end at or before an offset. */
function before(offset: number): number[] {
  return open.samples.fragments
    .filter(fragment => fragment.offset + fragment.lengthBytes <= offset)
    .map(({ number }) => number);
}

test('a closed file is taken from its table, and not changed', async t => {
  const folder = folderOf(t);
  const file = path.join(folder, name);
  writeFileSync(file, closed.bytes);
  const mended = await mendSegment(folder, named);
  assert.equal(mended?.wasTorn, false);
  assert.deepEqual(mended.fragments, closed.samples.fragments);
  assert.equal(mended.segment.trailerOffset, closed.trailerOffset);
  assert.ok(readFileSync(file).equals(closed.bytes));
});

test('a file that was being written gets its table, byte for byte that of an orderly end', async t => {
  const folder = folderOf(t);
  assert.deepEqual(await mend(folder, open.bytes), allNumbers);
  assert.ok(readFileSync(path.join(folder, name)).equals(closed.bytes));
});

test('cut off anywhere, every fragment before the cut is there', async t => {
  const folder = folderOf(t);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: open.headBytes, max: open.bytes.length }), async length => {
      assert.deepEqual(await mend(folder, open.bytes.slice(0, length)), before(length));
    }),
    { numRuns: 150 },
  );
});

test('zeros from anywhere on, as after a power cut, are no recording', async t => {
  const folder = folderOf(t);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: open.headBytes, max: open.bytes.length }),
      fc.integer({ min: 0, max: 100_000 }),
      async (from, more) => {
        const bytes = new Uint8Array(open.bytes.length + more);
        bytes.set(open.bytes.subarray(0, from));
        // What is zero in the original is not damaged by zeros.
        const damaged = open.bytes.findIndex((value, i) => i >= from && value !== 0);
        assert.deepEqual(await mend(folder, bytes), damaged < 0 ? allNumbers : before(damaged));
      },
    ),
    { numRuns: 150 },
  );
});

test('a flipped bit costs the fragment that it is in, and no other', async t => {
  const folder = folderOf(t);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: open.headBytes, max: open.bytes.length - 1 }),
      fc.integer({ min: 0, max: 7 }),
      async (at, bit) => {
        const bytes = open.bytes.slice();
        bytes[at]! ^= 1 << bit;
        const hit = open.samples.fragments.find(
          ({ offset, lengthBytes }) => at >= offset && at < offset + lengthBytes,
        )!;
        assert.deepEqual(
          await mend(folder, bytes),
          allNumbers.filter(number => number !== hit.number),
        );
      },
    ),
    { numRuns: 150 },
  );
});

test('a flipped bit in the table, or in the end, is mended from the fragments', async t => {
  const folder = folderOf(t);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: closed.trailerOffset, max: closed.bytes.length - 1 }), async at => {
      const bytes = closed.bytes.slice();
      bytes[at]! ^= 1;
      assert.deepEqual(await mend(folder, bytes), allNumbers);
    }),
    { numRuns: 40 },
  );
});

test('a mended file with damage in its middle plays, and ffprobe has nothing to say', async t => {
  if (!requireProgram(t, 'ffprobe')) return;
  const folder = folderOf(t);
  const { fragments } = open.samples;
  for (const damage of ['head', 'payload'] as const) {
    const bytes = open.bytes.slice();
    const { offset, lengthBytes } = fragments[fragments.length >> 1]!;
    bytes[damage === 'head' ? offset + 20 : offset + lengthBytes - 100]! ^= 0x40;
    assert.equal((await mend(folder, bytes)).length, fragments.length - 1);
    const probed = await probeClip(path.join(folder, name));
    assert.ok(Math.abs(probed.seconds - open.duration90k / 90_000) < 0.05, `${damage}: ${probed.seconds} s`);
  }
});

test('a file that is another than its name says is refused, and not changed', async t => {
  const folder = folderOf(t);
  writeFileSync(path.join(folder, name), open.bytes);
  for (const wrong of [
    { number: 2 },
    { stream: 1 },
    { deviceUuid: '00000000-0000-4000-8000-000000000000' },
  ] as const)
    await assert.rejects(mendSegment(folder, { ...named, ...wrong }), { code: 'recording-damaged' });
  assert.ok(readFileSync(path.join(folder, name)).equals(open.bytes));
});

test('what is not ours is not deleted, nor is a file that still has the size of a recording', async t => {
  const folder = folderOf(t);
  for (let i = 0; i < 12; i++) writeFileSync(path.join(folder, `holiday-${i}.damaged`), 'mine');
  const large = '20261123T053000Z-00000009.mp4';
  writeFileSync(path.join(folder, large), Buffer.alloc(100_000));
  assert.equal(await mendSegment(folder, { ...named, path: large }), undefined);
  for (let i = 10; i < 22; i++) {
    const file = `20261123T0530${i}Z-000000${i}.mp4`;
    writeFileSync(path.join(folder, file), '');
    assert.equal(await mendSegment(folder, { ...named, path: file }), undefined);
  }
  const left = readdirSync(folder);
  assert.equal(left.filter(file => file.startsWith('holiday')).length, 12);
  assert.ok(left.includes(`${large}.damaged`));
});

test('junk that calls itself a fragment a hundred thousand times does not hold up the look', async t => {
  const folder = folderOf(t);
  const junk = Buffer.from('moof'.repeat(100_000));
  assert.deepEqual(await mend(folder, Buffer.concat([open.bytes, junk])), allNumbers);
});

test('a file without a head is put aside, and only so many of them are kept', async t => {
  const folder = folderOf(t);
  for (let i = 0; i < 12; i++) {
    const file = `20261123T0530${10 + i}Z-000000${10 + i}.mp4`;
    writeFileSync(path.join(folder, file), i % 2 ? Buffer.alloc(i * 1000) : open.bytes.slice(0, 200));
    assert.equal(await mendSegment(folder, { ...named, path: file }), undefined);
  }
  const left = readdirSync(folder).sort();
  assert.equal(left.length, 8);
  assert.ok(left.every(file => file.endsWith('.damaged')));
});
