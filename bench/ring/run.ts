/**
 * What does the frame ring cost? Three questions, each measured in this process against the machine's own speed:
 *
 *   1. Producer: bytes a second through claim → set → commit, beside a bare Uint8Array.set of the same bytes.
 *   2. Readers: records a second for 1 to 4 readers that check every byte's cache line, while one producer writes.
 *   3. Latency: commit → seen by a waiting reader in another thread, at a camera's pace, blocking and asynchronous.
 *
 * `npm run bench:ring`. Compare ratios, not seconds: the machine may be busy.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Codec, Track } from '../../src/base/tracks.ts';
import { createFrameRing } from '../../src/ring/frame-ring.ts';
import { RingProducer } from '../../src/ring/ring-producer.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';
import { median, printTable, quantileOf } from '../support/table.ts';
import type { ReaderResult, ReaderTask } from './reader-worker.ts';

const dataBytes = 16 * 1024 * 1024;
const slotCount = 2048;
const rounds = 7;

/** Publishes a record; one in thirty is a random access point, as in a camera's stream. */
function publish(producer: RingProducer, source: Uint8Array, i: number): void {
  const claim = producer.claim(source.length);
  claim.bytes.set(source);
  // A literal of one shape: an object spread here costs ten times the whole commit (V8 11.3, its clone stays slow).
  claim.commit({
    track: Track.main,
    codec: Codec.h264,
    flags: i % 30 === 0 ? RecordFlag.randomAccess : 0,
    captureMonoUs: 0,
    wallUnixMs: 0,
    lengthBytes: source.length,
    nalCount: 1,
  });
}

/** Seconds that `action` takes. */
function timed(action: () => void): number {
  const startUs = systemClock.monoUs();
  action();
  return (systemClock.monoUs() - startUs) / 1e6;
}

function measureProducer(): void {
  console.log(
    '\n1. Producer throughput by record size, beside a bare copy into a buffer of the same size (medians)\n',
  );
  const rows = [];
  for (const recordBytes of [160, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576]) {
    const source = new Uint8Array(recordBytes).fill(7);
    const count = Math.min(200_000, Math.ceil((512 * 1024 * 1024) / recordBytes));
    const producer = new RingProducer(createFrameRing({ dataBytes, slotCount }), systemClock);
    const plain = new Uint8Array(new SharedArrayBuffer(dataBytes));
    const copy = (): void => {
      let at = 0;
      for (let i = 0; i < count; i++) {
        if (at + recordBytes > dataBytes) at = 0;
        plain.set(source, at);
        at += (recordBytes + 63) & -64;
      }
    };
    const ring = (): void => {
      for (let i = 0; i < count; i++) publish(producer, source, i);
    };
    copy();
    ring();
    const ratios: number[] = [];
    const ringSeconds: number[] = [];
    const copySeconds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const c = timed(copy);
      const r = timed(ring);
      copySeconds.push(c);
      ringSeconds.push(r);
      ratios.push(c / r);
    }
    const gigabytes = (recordBytes * count) / 1e9;
    rows.push([
      recordBytes,
      (gigabytes / median(copySeconds)).toFixed(2),
      (gigabytes / median(ringSeconds)).toFixed(2),
      median(ratios).toFixed(2),
      ((1e9 * median(ringSeconds)) / count).toFixed(0),
    ]);
  }
  printTable(['record bytes', 'copy GB/s', 'ring GB/s', 'ring / copy', 'ns / record'], rows);
}

async function startReader(task: ReaderTask): Promise<{ result: Promise<ReaderResult> }> {
  const worker = new Worker(new URL('./reader-worker.ts', import.meta.url), { workerData: task });
  await once(worker, 'message');
  return { result: once(worker, 'message').then(([message]) => message as ReaderResult) };
}

async function measureReaders(): Promise<void> {
  console.log(
    '\n2. One producer writing 16 KiB records as fast as it can, and readers that touch every cache line\n',
  );
  const rows = [];
  const source = new Uint8Array(16_384).fill(7);
  for (const readers of [0, 1, 2, 3, 4]) {
    const ring = createFrameRing({ dataBytes, slotCount });
    const records = 60_000;
    const task: ReaderTask = { ring, records, mode: 'touch' };
    const started = await Promise.all(Array.from({ length: readers }, () => startReader(task)));
    const producer = new RingProducer(ring, systemClock);
    const seconds = timed(() => {
      for (let i = 0; i < records; i++) publish(producer, source, i);
    });
    const results = await Promise.all(started.map(({ result }) => result));
    const sum = (pick: (result: ReaderResult) => number): number =>
      results.reduce((total, r) => total + pick(r), 0);
    rows.push([
      readers,
      (records / seconds / 1e3).toFixed(0),
      ((records * source.length) / seconds / 1e9).toFixed(2),
      readers ? (sum(r => r.read) / readers / records).toFixed(2) : '-',
      readers ? sum(r => r.torn) : '-',
    ]);
  }
  printTable(['readers', 'krecords/s written', 'GB/s written', 'share read by each', 'torn'], rows);
  console.log(
    'A reader that cannot keep up with memory speed is lapped and skips; a camera writes 0.003 GB/s.',
  );
}

async function measureLatency(): Promise<void> {
  console.log('\n3. Commit → seen in another thread, 20 KiB records at 120 a second, µs\n');
  const rows = [];
  const source = new Uint8Array(20_480).fill(7);
  for (const mode of ['wait', 'waitAsync'] as const) {
    for (const readers of [1, 4]) {
      const ring = createFrameRing({ dataBytes, slotCount });
      const records = 600;
      const started = await Promise.all(
        Array.from({ length: readers }, () => startReader({ ring, records, mode })),
      );
      const producer = new RingProducer(ring, systemClock);
      for (let i = 0; i < records; i++) {
        publish(producer, source, i);
        await new Promise(resolve => setTimeout(resolve, 8));
      }
      const results = await Promise.all(started.map(({ result }) => result));
      const delays = Float64Array.from(results.flatMap(r => [...r.delaysUs]));
      rows.push([mode, readers, ...[0.5, 0.9, 0.99, 1].map(q => quantileOf(delays, q).toFixed(0))]);
    }
  }
  printTable(['waiting', 'readers', 'p50', 'p90', 'p99', 'max'], rows);
}

console.log(
  `node ${process.version}, ${process.arch}; ring of ${dataBytes / 2 ** 20} MiB and ${slotCount} slots`,
);
measureProducer();
await measureReaders();
await measureLatency();
process.exit(0);
