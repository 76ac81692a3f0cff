/**
 * Is the index of a month quick enough? A synthetic stream of 30 days: 8640 segments of five minutes, 2.6 million
 * fragments of a second, in an LMDB of a temporary folder:
 *
 *   1. opening it, seeks, the two seeks of a clip, an hour, a day, memory, bytes on the disk, the look after a bad end;
 *   2. what a commit of 8 s of two streams writes (wchar of /proc/self/io), as the recorder makes them.
 *
 * `node --expose-gc --import ./test/register.mjs bench/index/run.ts [DAYS]`. About a minute.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withFragment } from '../../src/store/recordings/index-file.ts';
import { scanInChild } from '../../src/store/scan-process.ts';
import { workerEntry } from '../../src/supervisor/worker-entry.ts';
import {
  emptySegment,
  nextFragment,
  openIndex,
  wholeSegment,
} from '../../test/store/recordings/index-fixture.ts';
import { printTable, quantileOf } from '../support/table.ts';

const days = Number(process.argv[2] ?? 30);
const perSegment = 300;
const perDay = (24 * 3600) / perSegment;
const segmentsCount = days * perDay;
const folder = path.join(mkdtempSync(path.join(tmpdir(), 'bench-index-')), 'recordings-index');
const heapMb = (): number => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
};
// What was handed to write calls: what the disk makes of it differs by file system.
const writtenBytes = (): number => Number(/^wchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))![1]);

function timed(count: number, work: (i: number) => unknown): string[] {
  const times = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const startedMs = performance.now();
    work(i);
    times[i] = performance.now() - startedMs;
  }
  return [quantileOf(times, 0.5), quantileOf(times, 0.99)].map(ms => ms.toFixed(3));
}

try {
  let index = await openIndex(folder);
  const startedMs = performance.now();
  for (let number = 1; number <= segmentsCount; number++) {
    const { segment, fragments } = wholeSegment(0, number, perSegment);
    index.segmentFound(segment, fragments);
    if (number % 14 === 0) await index.flush();
  }
  await index.close();
  const madeMs = performance.now() - startedMs;
  const rows: string[][] = [];
  const before = heapMb();
  const opens = [];
  for (let i = 0; i < 5; i++) {
    const openedMs = performance.now();
    index = await openIndex(folder);
    opens.push(performance.now() - openedMs);
    if (i < 4) await index.close();
  }
  rows.push([
    'open (of 5)',
    ...[quantileOf(Float64Array.from(opens), 0.5), Math.max(...opens)].map(ms => ms.toFixed(1)),
  ]);
  const heap = heapMb() - before;
  const someSegment = (): number => 1 + Math.floor(Math.random() * segmentsCount);
  const someTime = (): number => Math.floor(Math.random() * perSegment * 90_000);
  rows.push(['fragmentAt', ...timed(2000, () => index.fragmentAt(0, someSegment(), someTime()))]);
  rows.push(['syncFragmentAt', ...timed(2000, () => index.syncFragmentAt(0, someSegment(), someTime()))]);
  rows.push([
    'a clip: segmentsIn of an hour, two seeks',
    ...timed(500, () => {
      const from = index.segments(0)[someSegment() - 1]!.baseWallUnixMs + 12_345;
      const found = index.segmentsIn(0, from, from + 3_600_000);
      index.syncFragmentAt(0, found[0]!.number, 1_111_050);
      index.fragmentAt(0, found.at(-1)!.number, 1_111_050);
    }),
  ]);
  const readSegments = (count: number): number => {
    const first = 1 + Math.floor(Math.random() * (segmentsCount - count));
    let total = 0;
    for (let i = 0; i < count; i++) total += index.fragments(0, first + i).length;
    return total;
  };
  rows.push(['an hour of fragments', ...timed(30, () => readSegments(12))]);
  rows.push(['a day of fragments', ...timed(10, () => readSegments(perDay - 1))]);
  printTable(['ms', 'median', 'p99 or most'], rows);
  const { fileBytes } = index.stats();
  const fragments = segmentsCount * perSegment;
  console.log(
    `\n${fragments} fragments in ${segmentsCount} segments, made in ${(madeMs / 1000).toFixed(1)} s`,
  );
  console.log(
    `on the disk: ${(fileBytes / 1e6).toFixed(0)} MB, ${(fileBytes / fragments).toFixed(1)} bytes a fragment`,
  );
  console.log(
    `in memory: ${heap.toFixed(1)} MB of heap, ${((heap * 1e6) / segmentsCount).toFixed(0)} bytes a segment`,
  );

  const live = ([0, 1] as const).map(stream => emptySegment(stream, segmentsCount + 1));
  for (const segment of live) index.segmentOpened(segment);
  await index.flush();
  const commits = 38;
  const commitMs = new Float64Array(commits);
  const writtenBefore = writtenBytes();
  for (let i = 0; i < commits; i++) {
    for (const stream of [0, 1] as const)
      for (let n = 0; n < 8; n++) {
        const fragment = nextFragment(live[stream]!);
        index.fragmentWritten(stream, segmentsCount + 1, fragment);
        live[stream] = withFragment(live[stream]!, fragment);
      }
    await index.flush();
    commitMs[i] = index.stats().lastCommitMs;
  }
  const perCommit = (writtenBytes() - writtenBefore) / commits;
  console.log(
    `a commit of 8 s of two streams: ${(perCommit / 1024).toFixed(1)} KiB written, ${quantileOf(commitMs, 0.5).toFixed(1)} ms`,
  );
  const removedMs = performance.now();
  await index.removeSegments(index.segments(0).slice(0, 12));
  console.log(`an hour is removed in ${(performance.now() - removedMs).toFixed(1)} ms`);
  await index.close();
  const lookedMs = performance.now();
  const verdict = await scanInChild(path.join(folder, 'database'), {
    entry: workerEntry('scan-database'),
    kind: 'recordings',
  });
  console.log(
    `the look by a child: ${((performance.now() - lookedMs) / 1000).toFixed(1)} s, ${verdict.sound ? 'sound' : verdict.reason}`,
  );
} finally {
  rmSync(path.dirname(folder), { recursive: true, force: true });
}
