/** One thread of the stress test: the producer, or a reader that checks every record it accepts. */
import { parentPort, workerData } from 'node:worker_threads';
import { Codec, Track } from '../../src/base/tracks.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { RingProducer } from '../../src/ring/ring-producer.ts';
import { RingWait } from '../../src/ring/ring-wait.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';

export interface StressTask {
  readonly ring: SharedArrayBuffer;
  readonly role: 'producer' | 'reader';
  readonly records: number;
  readonly seed: number;
  /** A reader blocks for a millisecond after every so many records, so that it is lapped; 0: never. */
  readonly slowEvery: number;
}

export interface StressResult {
  readonly accepted: number;
  readonly torn: number;
  readonly revoked: number;
  readonly lost: number;
  readonly laps: number;
  readonly outOfOrder: number;
}

const task = workerData as StressTask;

/** xorshift32: random enough for sizes, and the same in every run with the same seed. */
function* randomNumbers(seed: number): Generator<number, never, undefined> {
  let x = seed | 1;
  for (;;) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    yield x >>> 0;
  }
}

/** Sum of all words but the first, with the sequence mixed in; lies in the first word. */
function checksum(words: Uint32Array, sequence: number): number {
  let sum = sequence ^ words.length;
  for (let i = 1; i < words.length; i++) sum = (Math.imul(sum, 31) + words[i]!) | 0;
  return sum >>> 0;
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}

function produce(): void {
  const producer = new RingProducer(task.ring, { monoUs: () => 0, wallUnixMs: () => 0 });
  const random = randomNumbers(task.seed);
  for (let sequence = 0; sequence < task.records; sequence++) {
    const lengthBytes = 4 + 4 * (random.next().value % (sequence % 50 === 0 ? 4000 : 60));
    const claim = producer.claim(lengthBytes);
    const words = wordsOf(claim.bytes);
    for (let i = 1; i < words.length; i++) words[i] = Math.imul(sequence, 2654435761) + i;
    words[0] = checksum(words, sequence);
    claim.commit({
      track: Track.main,
      codec: Codec.h264,
      flags: sequence % 50 === 0 ? RecordFlag.randomAccess : 0,
      captureMonoUs: sequence,
      wallUnixMs: 0,
      lengthBytes,
      nalCount: 1,
    });
  }
  parentPort!.postMessage('done');
}

function consume(): void {
  const consumer = new RingConsumer(task.ring);
  const wait = new RingWait(task.ring);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const result = { accepted: 0, torn: 0, revoked: 0, lost: 0, laps: 0, outOfOrder: 0 };
  let last = -1;
  parentPort!.postMessage('ready');
  while (consumer.position < task.records) {
    wait.forRecord(consumer.position, 1000);
    for (let record = consumer.next(); record; record = consumer.next()) {
      const { sequence } = record;
      const words = wordsOf(record.bytes);
      const intact = words[0] === checksum(words, sequence) && record.captureMonoUs === sequence;
      if (task.slowEvery > 0 && sequence % task.slowEvery === 0) Atomics.wait(pause, 0, 0, 1);
      if (!consumer.validate(record)) {
        result.revoked++;
        continue;
      }
      result.accepted++;
      if (!intact) result.torn++;
      if (sequence <= last) result.outOfOrder++;
      last = sequence;
    }
  }
  result.lost = consumer.lostRecords;
  result.laps = consumer.laps;
  parentPort!.postMessage(result);
}

if (task.role === 'producer') produce();
else consume();
