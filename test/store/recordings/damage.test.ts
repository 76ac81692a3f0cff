/** A damaged index never ends the camera, and is made anew from the recordings. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { openIndexStore } from '../../../src/store/recordings/index-store.ts';
import { segmentKey } from '../../../src/store/recordings/keys.ts';
import { scanInChild } from '../../../src/store/scan-process.ts';
import { workerEntry } from '../../../src/supervisor/worker-entry.ts';
import { addsUp, indexFolder, openIndex, record, wholeSegment } from './index-fixture.ts';

const dataOf = (folder: string): string => path.join(folder, 'database', 'data.mdb');
const markerOf = (folder: string): string => path.join(folder, 'running');
const scan = (folder: string) =>
  scanInChild(path.join(folder, 'database'), { entry: workerEntry('scan-database'), kind: 'recordings' });

/** An index of 40 segments, closed, with pages that were freed. */
async function filled(t: TestContext): Promise<string> {
  const folder = indexFolder(t);
  const index = await openIndex(folder);
  for (let number = 1; number <= 45; number++) {
    record(index, 0, number, 50);
    await index.flush();
  }
  await index.removeSegments(index.segments(0).slice(0, 5));
  await index.close();
  return folder;
}

test('after a clean end no look is taken; after another, one', async t => {
  const folder = await filled(t);
  assert.ok(!existsSync(markerOf(folder)));
  let looks = 0;
  const options = {
    scan: async () => {
      looks += 1;
      return { sound: true } as const;
    },
  };
  const index = await openIndex(folder, options);
  assert.equal(looks, 0);
  assert.ok(existsSync(markerOf(folder)));
  await index.close();
  writeFileSync(markerOf(folder), '');
  const again = await openIndex(folder, options);
  assert.equal(looks, 1);
  assert.equal(again.segments(0).length, 40);
  await again.close();
});

test('a sound index is found sound', async t => {
  assert.deepEqual(await scan(await filled(t)), { sound: true });
});

test('a damaged index is put aside and begun anew, says so, and is filled by what recovery finds', async t => {
  const folder = await filled(t);
  truncateSync(dataOf(folder), 40_960);
  writeFileSync(markerOf(folder), '');
  let rebuilds = 0;
  const index = await openIndex(folder, { openWaitMs: 30_000, onRebuild: () => (rebuilds += 1) });
  assert.equal(rebuilds, 1);
  assert.equal(index.state(), 'rebuilding');
  assert.deepEqual(index.known(), []);
  assert.ok(existsSync(path.join(folder, 'database.damaged', 'data.mdb')));
  const { segment, fragments } = wholeSegment(0, 7, 50);
  index.segmentFound(segment, fragments);
  index.rebuilt();
  await index.flush();
  assert.equal(index.state(), 'ok');
  await index.close();
  const again = await openIndex(folder);
  assert.deepEqual(again.segments(0), [segment]);
  assert.deepEqual(again.fragments(0, 7), fragments);
  await again.close();
});

test('while the look is taken reports are taken, too; then all is there', async t => {
  const folder = await filled(t);
  writeFileSync(markerOf(folder), '');
  let finish = (): void => undefined;
  const looked = new Promise<void>(resolve => {
    finish = resolve;
  });
  const index = await openIndex(folder, {
    openWaitMs: 1,
    scan: () => looked.then(() => ({ sound: true }) as const),
  });
  assert.equal(index.state(), 'rebuilding');
  assert.deepEqual(index.segments(0), []);
  const { segment, fragments } = record(index, 0, 46, 5);
  const found = wholeSegment(0, 20, 3);
  index.segmentFound(found.segment, found.fragments);
  const flushed = index.flush();
  finish();
  await index.opened();
  assert.equal(index.state(), 'ok');
  assert.equal(index.segments(0).length, 41);
  assert.deepEqual(index.fragments(0, 46), fragments);
  assert.deepEqual(index.fragments(0, 20), found.fragments);
  await flushed;
  await index.close();
  const again = await openIndex(folder);
  assert.deepEqual(again.segments(0).at(-1), segment);
  assert.deepEqual(again.fragments(0, 20), found.fragments);
  assert.equal(again.segments(0).length, 41);
  await again.close();
});

test('a file that LMDB does not take for its own is put aside, also after a clean end', async t => {
  const folder = await filled(t);
  writeFileSync(dataOf(folder), 'x'.repeat(100_000));
  const index = await openIndex(folder);
  assert.equal(index.state(), 'rebuilding');
  assert.ok(existsSync(path.join(folder, 'database.damaged')));
  await index.close();
});

test('a damaged record costs its segment alone, which recovery finds again', async t => {
  const folder = await filled(t);
  const store = openIndexStore(path.join(folder, 'database'));
  const value = Buffer.from(store.get(segmentKey(0, 10))!);
  value[30]! ^= 1;
  await store.commit(writer => writer.put(segmentKey(0, 10), value));
  await store.close();
  const index = await openIndex(folder);
  assert.equal(index.segments(0).length, 39);
  assert.deepEqual(index.fragments(0, 10), []);
  assert.ok(!index.known().some(({ number }) => number === 10));
  const { segment, fragments } = wholeSegment(0, 10, 50);
  index.segmentFound(segment, fragments);
  await index.flush();
  await index.close();
  const again = await openIndex(folder);
  assert.equal(again.segments(0).length, 40);
  assert.deepEqual(again.fragments(0, 10), fragments);
  await again.close();
});

test('damage anywhere ends in a verdict; what is called sound can be read and written by this process', async t => {
  const folder = await filled(t);
  const good = readFileSync(dataOf(folder));
  // The same damage in every run; xorshift32.
  let state = 88_172_645;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const counts = { sound: 0, refused: 0, killed: 0 };
  for (let round = 0; round < 20; round++) {
    const bytes = Buffer.from(good);
    const page = (): number => random(good.length >> 12) << 12;
    if (round % 4 === 0) bytes.fill(0, page());
    else if (round % 4 === 1) bytes.fill(random(256), page()).copy(bytes);
    else if (round % 4 === 2) for (let i = 0; i < 8; i++) bytes[random(good.length)]! ^= 1 << random(8);
    else for (let i = 0; i < 8; i++) bytes[page() + random(64)] = random(256);
    const copy = `${folder}-${round}`;
    mkdirSync(path.dirname(dataOf(copy)), { recursive: true });
    writeFileSync(dataOf(copy), bytes);
    const verdict = await scan(copy);
    if (!verdict.sound) counts[verdict.reason.includes('SIG') ? 'killed' : 'refused'] += 1;
    else {
      counts.sound += 1;
      const index = await openIndex(copy);
      for (const { number } of [...index.segments(0)]) assert.ok(addsUp(index.fragments(0, number)));
      for (let number = 46; number < 60; number++) {
        record(index, 0, number, 50);
        await index.flush();
      }
      await index.close();
    }
  }
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.refused + counts.killed > 0);
});

test('only one damaged index is kept', async t => {
  const folder = await filled(t);
  const good = `${folder}-good`;
  cpSync(folder, good, { recursive: true });
  for (const size of [40_960, 45_056]) {
    cpSync(path.join(good, 'database'), path.join(folder, 'database'), { recursive: true });
    truncateSync(dataOf(folder), size);
    writeFileSync(markerOf(folder), '');
    const index = await openIndex(folder, { openWaitMs: 30_000 });
    await index.close();
    assert.equal(readFileSync(path.join(folder, 'database.damaged', 'data.mdb')).length, size);
  }
});
