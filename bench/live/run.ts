/**
 * What does a packet to a viewer cost? Measured up to the socket, which is a function that does nothing:
 *
 *   1. µs and bytes of garbage a packet of 1200 bytes through OutgoingStream.send, for both SRTP profiles.
 *   2. The same through VideoSender.pump for 1 to 16 viewers of one picture, with the split and the ring's reads.
 *
 * `node --expose-gc --import ./test/register.mjs bench/live/run.ts`. Compare ratios: the machine may be busy.
 */
import { randomBytes } from 'node:crypto';
import { Codec, Track } from '../../src/base/tracks.ts';
import { FrameSplitter } from '../../src/live/frame-splitter.ts';
import { OutgoingStream } from '../../src/live/outgoing-stream.ts';
import { VideoTimestamps, videoClockRate } from '../../src/live/rtp-timestamps.ts';
import { VideoSender } from '../../src/live/video-sender.ts';
import type { SrtpProfile } from '../../src/native/data-plane.ts';
import { JavaScriptDataPlane } from '../../src/native/javascript-data-plane.ts';
import { createFrameRing } from '../../src/ring/frame-ring.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { RingProducer } from '../../src/ring/ring-producer.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';
import { printTable, quantileOf } from '../support/table.ts';

const profiles = ['AES128_CM_HMAC_SHA1_80', 'AEAD_AES_128_GCM'] as const satisfies SrtpProfile[];
/** One picture of 30 packets: 1080p60 at 17 Mbit/s. */
const packetsPerPicture = 30;
const pictureBytes = packetsPerPicture * 1198 - 1;
const pictures = 300;
const rounds = 30;
/** Few enough that no garbage is collected while it is counted. */
const garbagePictures = 20;

const ring = createFrameRing({ dataBytes: 16 * 1024 * 1024, slotCount: 2048 });
const producer = new RingProducer(ring, systemClock);
const consumer = new RingConsumer(ring);
const splitter = new FrameSplitter(1200);
const plane = new JavaScriptDataPlane();
const picture = new Uint8Array(pictureBytes).map((_, i) => i * 31);
picture[0] = 0x41;

function publish(flags: number): number {
  const claim = producer.claim(4 + pictureBytes);
  claim.bytes.set(picture, 4);
  return claim.commit({
    track: Track.main,
    codec: Codec.h264,
    flags,
    captureMonoUs: systemClock.monoUs(),
    wallUnixMs: systemClock.wallUnixMs(),
    lengthBytes: 4 + pictureBytes,
    nalCount: 1,
    nalTable: Int32Array.of(4, 4 + pictureBytes),
  });
}

function openStream(profile: SrtpProfile, ssrc: number): OutgoingStream {
  return new OutgoingStream({
    plane,
    consumer,
    profile,
    keys: {
      masterKey: randomBytes(16),
      masterSalt: randomBytes(profile === 'AEAD_AES_128_GCM' ? 12 : 14),
    },
    clockRate: videoClockRate,
    timestamps: new VideoTimestamps(),
    marksFrameEnd: true,
    header: {
      ssrc,
      payloadType: 102,
      playoutDelay: { id: 3, minMs: 0, maxMs: 0 },
      absCaptureTimeId: 5,
    },
    send: () => {},
  });
}

/** µs a packet of each round, and bytes of garbage a packet (JavaScript heap, without the packets themselves). */
function measure(
  viewers: number,
  action: (pictures: number) => void,
): { us: Float64Array; garbageBytes: number } {
  const count = Math.ceil(pictures / viewers);
  const packets = count * viewers * packetsPerPicture;
  for (let i = 0; i < 3; i++) action(count);
  const us = new Float64Array(rounds);
  for (let round = 0; round < rounds; round++) {
    const startUs = systemClock.monoUs();
    action(count);
    us[round] = (systemClock.monoUs() - startUs) / packets;
  }
  let garbageBytes = Number.NaN;
  if (globalThis.gc) {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    const garbageCount = Math.ceil(garbagePictures / viewers);
    action(garbageCount);
    const used = process.memoryUsage().heapUsed - before;
    garbageBytes = used / (garbageCount * viewers * packetsPerPicture);
  }
  return { us, garbageBytes };
}

const columns = ['', 'µs/packet p10', 'median', 'p90', 'heap B/packet'];
const row = (name: string, { us, garbageBytes }: ReturnType<typeof measure>): (string | number)[] => [
  name,
  ...[0.1, 0.5, 0.9].map(q => quantileOf(us, q).toFixed(2)),
  garbageBytes.toFixed(0),
];

console.log('\n1. One stream\n');
const sequence = publish(RecordFlag.randomAccess);
printTable(
  columns,
  profiles.map(profile => {
    const stream = openStream(profile, 1);
    const action = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const record = consumer.read(sequence)!;
        const table = splitter.split(record);
        stream.send(record, table, 0, table.count);
      }
    };
    return row(profile, measure(1, action));
  }),
);

console.log('\n2. Viewers at the live edge\n');
printTable(
  columns,
  profiles.flatMap(profile =>
    [1, 4, 16].map(viewers => {
      let nowMonoUs = 0;
      const senders = Array.from({ length: viewers }, (_, i) => {
        const sender = new VideoSender({
          track: Track.main,
          codec: Codec.h264,
          consumer,
          splitter,
          stream: openStream(profile, i + 1),
          socketBacklogBytes: () => 0,
          onFrameSent: () => {},
        });
        sender.join();
        return sender;
      });
      const action = (count: number): void => {
        for (let i = 0; i < count; i++) {
          publish(RecordFlag.randomAccess);
          nowMonoUs += 10_000;
          for (const sender of senders) sender.pump(nowMonoUs);
        }
      };
      return row(`${profile}, ${viewers}`, measure(viewers, action));
    }),
  ),
);
