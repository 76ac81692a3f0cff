/** A camera in a thread of its own that publishes as fast as it can, for live-race.test.ts. */
import { workerData } from 'node:worker_threads';
import { Codec, Track } from '../../src/base/tracks.ts';
import { RingProducer } from '../../src/ring/ring-producer.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';
import { nalUnit } from './live-fixture.ts';

const { ring, state, pictures } = workerData as {
  ring: SharedArrayBuffer;
  state: Int32Array;
  pictures: number;
};
const producer = new RingProducer(ring, systemClock);
// Made beforehand: what is left is the copy into the ring, where the race is.
const units = Array.from({ length: 64 }, (_, i) =>
  nalUnit([i % 8 ? 0x41 : 0x65], 200 + ((i * 7919) % 6000), i),
);

Atomics.wait(state, 0, 0);
for (let i = 0; i < pictures; i++) {
  const unit = units[i % units.length]!;
  const claim = producer.claim(4 + unit.length);
  new DataView(claim.bytes.buffer, claim.bytes.byteOffset).setUint32(0, unit.length);
  claim.bytes.set(unit, 4);
  claim.commit({
    track: Track.main,
    codec: Codec.h264,
    flags: unit[0] === 0x65 ? RecordFlag.randomAccess : 0,
    captureMonoUs: i * 1000,
    wallUnixMs: i,
    lengthBytes: 4 + unit.length,
    nalCount: 1,
    nalTable: Int32Array.of(4, 4 + unit.length),
  });
  // A little air, or the reader only ever sees what is gone.
  for (let spin = (i * 31) % 400; spin > 0; spin--) Atomics.load(state, 1);
}
Atomics.store(state, 0, 2);
