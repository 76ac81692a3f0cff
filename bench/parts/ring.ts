/**
 * What does the frame ring cost? A record of 16 KiB (a picture of 8 Mbit/s) and one of 256 KiB (a key picture) through claim,
 * copy and commit, beside a bare copy of the same bytes; a reader's next and validate; an idle reader's look.
 *
 * One thread. How late another thread sees a record is measured in the real camera (part latency, "seen"). The same question
 * with several readers and sizes: `npm run bench:ring`.
 */
import { Codec, Track } from '../../src/base/tracks.ts';
import { createFrameRing } from '../../src/ring/frame-ring.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { RingProducer } from '../../src/ring/ring-producer.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';
import type { BenchContext, Part } from '../context.ts';
import {
  gigabytesPerSecond,
  type MicroCase,
  measureCases,
  microseconds,
} from '../support/micro-benchmark.ts';

const dataBytes = 16 * 1024 * 1024;
const slotCount = 2048;
const sizes = [
  { name: '16 KiB', id: '16k', bytes: 16 * 1024 },
  { name: '256 KiB', id: '256k', bytes: 256 * 1024 },
] as const;

export const ringPart: Part = {
  names: ['ring'],
  run: context => measureRing(context),
};

async function measureRing(context: BenchContext): Promise<void> {
  const cases = sizes.flatMap(({ name, id, bytes }): MicroCase[] => {
    const source = new Uint8Array(bytes).fill(7);
    return [
      {
        id: `ring.copy.${id}`,
        name: `bare copy of ${name}, for comparison`,
        unit: 'GB/s',
        better: 'higher',
        scale: gigabytesPerSecond(bytes),
        run: copier(source),
      },
      {
        id: `ring.write.${id}`,
        name: `a record of ${name} written`,
        unit: 'GB/s',
        better: 'higher',
        scale: gigabytesPerSecond(bytes),
        run: writer(source),
      },
    ];
  });
  await measureCases(context, 'ring', [...cases, ...readerCases()]);
}

/** Copies into memory as large as the ring, place after place. */
function copier(source: Uint8Array): () => void {
  const target = new Uint8Array(new SharedArrayBuffer(dataBytes));
  const step = (source.length + 63) & -64;
  let at = 0;
  return () => {
    if (at + step > dataBytes) at = 0;
    target.set(source, at);
    at += step;
  };
}

function publish(producer: RingProducer, source: Uint8Array, isRandomAccess: boolean): number {
  const claim = producer.claim(source.length);
  claim.bytes.set(source);
  return claim.commit({
    track: Track.main,
    codec: Codec.h264,
    flags: isRandomAccess ? RecordFlag.randomAccess : 0,
    captureMonoUs: 0,
    wallUnixMs: 0,
    lengthBytes: source.length,
    nalCount: 1,
  });
}

/** One record in thirty is a random access point, as in a camera's stream. */
function writer(source: Uint8Array): () => void {
  const producer = new RingProducer(createFrameRing({ dataBytes, slotCount }), systemClock);
  let count = 0;
  return () => {
    publish(producer, source, count++ % 30 === 0);
  };
}

function readerCases(): MicroCase[] {
  const source = new Uint8Array(16 * 1024).fill(7);
  const ring = createFrameRing({ dataBytes, slotCount });
  const producer = new RingProducer(ring, systemClock);
  const consumer = new RingConsumer(ring);
  const idle = new RingConsumer(ring);
  const sequence = publish(producer, source, true);
  idle.next();
  return [
    {
      id: 'ring.read',
      name: 'a record read and validated',
      unit: 'ns',
      better: 'lower',
      scale: seconds => seconds * 1e9,
      run() {
        const record = consumer.read(sequence);
        if (!record || !consumer.validate(record)) throw new Error('the record of the ring is torn');
      },
    },
    {
      id: 'ring.look',
      name: 'a look at the live edge that finds nothing',
      unit: 'ns',
      better: 'lower',
      scale: seconds => seconds * 1e9,
      run() {
        if (idle.next()) throw new Error('the ring has a record that nobody wrote');
      },
    },
    {
      id: 'ring.pass',
      name: 'a record of 16 KiB written, read and validated',
      unit: 'µs',
      better: 'lower',
      scale: microseconds(),
      run: passer(source),
    },
  ];
}

function passer(source: Uint8Array): () => void {
  const ring = createFrameRing({ dataBytes, slotCount });
  const producer = new RingProducer(ring, systemClock);
  const consumer = new RingConsumer(ring);
  let count = 0;
  return () => {
    publish(producer, source, count++ % 30 === 0);
    const record = consumer.next();
    if (!record || !consumer.validate(record)) throw new Error('the record of the ring is torn');
  };
}
