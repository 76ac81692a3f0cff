/** A reader thread of the ring benchmark: touches every record, or notes how late it saw it. */
import { parentPort, workerData } from 'node:worker_threads';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { RingWait } from '../../src/ring/ring-wait.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';

export interface ReaderTask {
  readonly ring: SharedArrayBuffer;
  readonly records: number;
  readonly mode: 'touch' | 'wait' | 'waitAsync';
}

export interface ReaderResult {
  readonly read: number;
  readonly torn: number;
  readonly delaysUs: Float64Array;
}

const { ring, records, mode } = workerData as ReaderTask;
const consumer = new RingConsumer(ring);
const wait = new RingWait(ring);
const delaysUs = new Float64Array(records);
let read = 0;
let torn = 0;

function readAll(): void {
  for (let record = consumer.next(); record; record = consumer.next()) {
    if (mode === 'touch') {
      let sum = 0;
      for (let i = 0; i < record.bytes.length; i += 64) sum += record.bytes[i]!;
      if (!consumer.validate(record)) continue;
      if (sum !== (7 * record.bytes.length) / 64) torn++;
    } else delaysUs[read] = systemClock.monoUs() - record.commitMonoUs;
    read++;
  }
}

// A pending Atomics.waitAsync keeps no thread alive.
const alive = setInterval(() => {}, 1000);
parentPort!.postMessage('ready');
while (consumer.position < records) {
  if (mode === 'waitAsync') await wait.forRecordAsync(consumer.position, 1000);
  else wait.forRecord(consumer.position, 1000);
  readAll();
}
clearInterval(alive);
parentPort!.postMessage({ read, torn, delaysUs: delaysUs.slice(0, read) } satisfies ReaderResult);
