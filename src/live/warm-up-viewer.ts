/**
 * Sends a made-up stream to nobody at start, so that the first real viewer does not wait for the compiler: the first
 * key frame through cold code takes 100 to 200 ms on a small machine, through warm code a few.
 *
 * Live thread, before it reports ready. A ring of its own, a viewer of each SRTP profile, the real payloaders, data
 * plane and feedback; the packets go nowhere. Takes about as long as the first viewer would have waited, once.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { Codec, Track, type VideoCodec } from '../base/tracks.ts';
import type { DataPlane, SrtpKeys, SrtpProfile } from '../native/data-plane.ts';
import { createFrameRing } from '../ring/frame-ring.ts';
import { RingConsumer } from '../ring/ring-consumer.ts';
import { RingProducer } from '../ring/ring-producer.ts';
import { nalLengthBytes, RecordFlag } from '../ring/slot-layout.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { randomCname, randomSsrcs, Viewer } from './viewer.ts';

/** Pictures per viewer, and their sizes: enough for the optimising compiler, and of both kinds. */
const pictures = 30;
const keyPictureBytes = 60_000;
const pictureBytes = 8_000;
const frameIntervalUs = 33_333;

/** @param maxPayloadBytes as the real viewers will have it. */
export function warmUpViewer(plane: DataPlane, maxPayloadBytes: number): void {
  const ring = createFrameRing({ dataBytes: 1 << 20, slotCount: 64 });
  const clock = { us: 1e9, monoUs: () => clock.us, wallUnixMs: () => clock.us / 1000 };
  const producer = new RingProducer(ring, clock);
  const kinds: readonly [SrtpProfile, number, VideoCodec][] = [
    ['AEAD_AES_128_GCM', 12, Codec.h265],
    ['AES128_CM_HMAC_SHA1_80', 14, Codec.h264],
  ];
  for (const [profile, saltBytes, codec] of kinds) {
    const keys: SrtpKeys = { masterKey: randomBytes(16), masterSalt: randomBytes(saltBytes) };
    const consumer = new RingConsumer(ring);
    const viewer = makeViewer({ plane, profile, codec, keys, clock, consumer, maxPayloadBytes });
    publishPicture(producer, clock, codec, keyPictureBytes, true);
    viewer.start();
    for (let i = 0; i < pictures; i++) {
      clock.us += frameIntervalUs;
      publishPicture(producer, clock, codec, pictureBytes, false);
      publishSound(producer, clock);
      for (let record = consumer.next(); record; record = consumer.next())
        if (record.codec === Codec.pcmu) viewer.sendAudio(record);
      viewer.pump(clock.us);
    }
    viewer.tick();
    viewer.end();
  }
}

function makeViewer(options: {
  plane: DataPlane;
  profile: SrtpProfile;
  codec: VideoCodec;
  keys: SrtpKeys;
  clock: Clock;
  consumer: RingConsumer;
  maxPayloadBytes: number;
}): Viewer {
  const { plane, profile, codec, keys, clock, consumer, maxPayloadBytes } = options;
  const ssrc = randomSsrcs();
  const common = { playoutDelayId: 1, captureTimeId: 2 };
  return new Viewer({
    video: { ...common, track: Track.main, codec, ssrc: ssrc.video, payloadType: 96 },
    audio: { ...common, track: Track.audio, codec: Codec.pcmu, ssrc: ssrc.audio, payloadType: 0 },
    cname: randomCname(),
    profile,
    sendKeys: keys,
    receiveKeys: keys,
    clock,
    plane,
    consumer,
    splitter: new FrameSplitter(maxPayloadBytes),
    send: () => {},
    socketBacklogBytes: () => 0,
    onGoodbye: () => {},
    onFrameSent: () => {},
  });
}

/** One NAL unit of zeros with the header of a slice of the codec. */
function publishPicture(
  producer: RingProducer,
  clock: Clock,
  codec: VideoCodec,
  lengthBytes: number,
  isKey: boolean,
): void {
  const claim = producer.claim(lengthBytes);
  claim.bytes.fill(0);
  claim.bytes[nalLengthBytes] = codec === Codec.h264 ? 0x61 : 0x02;
  claim.bytes[nalLengthBytes + 1] = 0x01;
  claim.commit({
    track: Track.main,
    codec,
    flags: isKey ? RecordFlag.randomAccess : 0,
    captureMonoUs: clock.monoUs(),
    wallUnixMs: clock.wallUnixMs(),
    lengthBytes,
    nalCount: 1,
    nalTable: new Int32Array([nalLengthBytes, lengthBytes]),
  });
}

function publishSound(producer: RingProducer, clock: Clock): void {
  const claim = producer.claim(160);
  claim.bytes.fill(0xff);
  claim.commit({
    track: Track.audio,
    codec: Codec.pcmu,
    flags: 0,
    captureMonoUs: clock.monoUs(),
    wallUnixMs: clock.wallUnixMs(),
    lengthBytes: 160,
    nalCount: 1,
  });
}
