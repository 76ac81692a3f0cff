/**
 * A camera that does nothing but record, to be killed: the capture stage on its main thread, the real recorder worker.
 *
 * Standard input: a serialized {@link LifeOptions}. Standard output: a line for everything that an index would be
 * told, the moment it is told, and one for every picture that was captured; nothing is kept in a buffer, so what was said
 * before SIGKILL is read by whoever listens.
 */
import { readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { Track } from '../../src/base/tracks.ts';
import { startCapture } from '../../src/capture/capture-stage.ts';
import type { KnownSegment, RecorderReport } from '../../src/ipc/messages.ts';
import type { RecorderWorkerData } from '../../src/ipc/worker-data.ts';
import { createFrameRing } from '../../src/ring/frame-ring.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import { packageFolder, workerEntry } from '../../src/supervisor/worker-entry.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';

/** What the killer chooses. */
export interface LifeOptions {
  readonly folder: string;
  readonly known: readonly KnownSegment[];
  readonly source: string;
  readonly sourceFps: number;
  readonly audioSource: string;
  readonly segmentSeconds: number;
  readonly maxLossSeconds: number;
}

/** What the killer is told, serialized, in base64. */
export type LifeLine =
  | { readonly type: 'captured'; readonly wallUnixMs: number; readonly isRandomAccess: boolean }
  | RecorderReport;

const options = deserialize(readFileSync(0)) as LifeOptions;
const ring = createFrameRing({ dataBytes: 16 * 1024 * 1024, slotCount: 4096 });

function say(line: LifeLine): void {
  const bytes = Buffer.from(`${serialize(line).toString('base64')}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}

const workerData: RecorderWorkerData = {
  ring,
  logLevel: 'warn',
  recorder: {
    enabled: true,
    streams: 'main',
    segmentSeconds: options.segmentSeconds,
    maxLossSeconds: options.maxLossSeconds,
    keepFreeMb: 50,
    keepFreePercent: 0,
    maxAgeDays: 0,
    maxGb: 0,
    guard: 'off',
  },
  folder: options.folder,
  makesFolder: true,
  deviceUuid: '5f0c6a3e-0000-4000-8000-00000000c0de',
  expectedMount: undefined,
  known: options.known,
  pressure: new SharedArrayBuffer(4),
};
const worker = new Worker(workerEntry('recorder'), { workerData });
worker.on('message', (report: RecorderReport) => {
  if (report.type === 'beat' || report.type === 'stats') return;
  say(report);
  if (report.type === 'ready') capture();
});
worker.on('error', error => {
  throw error;
});

function capture(): void {
  const consumer = new RingConsumer(ring, { tracks: 1 << Track.main });
  const logger = { debug() {}, info() {}, warn() {}, error: console.error };
  const { source, sourceFps, audioSource } = options;
  const demoFolder = fileURLToPath(new URL('assets/demo', packageFolder()));
  startCapture(
    { ring, source, subSource: '', audioSource, sourceFps, demoFolder },
    { logger: logger as never, clock: systemClock, report() {} },
  );
  setInterval(() => {
    for (let record = consumer.next(); record; record = consumer.next())
      say({
        type: 'captured',
        wallUnixMs: record.wallUnixMs,
        isRandomAccess: (record.flags & RecordFlag.randomAccess) !== 0,
      });
  }, 2);
}
