/** What the ring's tests share: a small ring, a producer and records that tell what they are. */
import { Codec, Track } from '../../src/base/tracks.ts';
import { createFrameRing } from '../../src/ring/frame-ring.ts';
import { RingProducer } from '../../src/ring/ring-producer.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import { ManualClock } from '../support/manual-clock.ts';

export function makeRing(dataBytes = 4096, slotCount = 8) {
  const ring = createFrameRing({ dataBytes, slotCount });
  const clock = new ManualClock();
  return { ring, clock, producer: new RingProducer(ring, clock) };
}

interface PublishOptions {
  readonly track?: Track;
  readonly randomAccess?: boolean;
  readonly captureMonoUs?: number;
}

/** Publishes `lengthBytes` bytes of value `fill` as one unit. */
export function publish(
  producer: RingProducer,
  lengthBytes: number,
  fill: number,
  options: PublishOptions = {},
): number {
  const claim = producer.claim(lengthBytes);
  claim.bytes.fill(fill);
  return claim.commit({
    track: options.track ?? Track.main,
    codec: Codec.h264,
    flags: options.randomAccess ? RecordFlag.randomAccess : 0,
    captureMonoUs: options.captureMonoUs ?? 0,
    wallUnixMs: 0,
    lengthBytes,
    nalCount: 1,
  });
}

/** Publishes NAL units, each behind its length. */
export function publishUnits(producer: RingProducer, units: readonly Uint8Array[], flags = 0): number {
  const lengthBytes = units.reduce((sum, unit) => sum + 4 + unit.length, 0);
  const claim = producer.claim(lengthBytes);
  const nalTable = new Int32Array(2 * units.length);
  let at = 0;
  for (const [i, unit] of units.entries()) {
    new DataView(claim.bytes.buffer, claim.bytes.byteOffset + at).setUint32(0, unit.length);
    claim.bytes.set(unit, at + 4);
    nalTable[2 * i] = at + 4;
    at += 4 + unit.length;
    nalTable[2 * i + 1] = at;
  }
  return claim.commit({
    track: Track.main,
    codec: Codec.h264,
    flags,
    captureMonoUs: 0,
    wallUnixMs: 0,
    lengthBytes,
    nalCount: units.length,
    nalTable,
  });
}
