import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Codec, Track } from '../../src/base/tracks.ts';
import { FrameSplitter } from '../../src/live/frame-splitter.ts';
import { randomSsrcs, Viewer } from '../../src/live/viewer.ts';
import { JavaScriptDataPlane } from '../../src/native/javascript-data-plane.ts';
import { SrtcpSession } from '../../src/native/srtp/srtcp-session.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import {
  audioSsrc,
  Camera,
  FarEnd,
  makeKeys,
  type Profile,
  profiles,
  type RtpPacket,
  unitsOf,
  videoSsrc,
} from './live-fixture.ts';

const viewerSsrc = 0x33333333;

interface ViewerSetup {
  readonly profile?: Profile;
  readonly video?: boolean;
  readonly audio?: boolean;
  readonly camera?: Camera;
  readonly maxPayloadBytes?: number;
}

/** A viewer on a ring of its own, and its far end, which can also send RTCP. */
function makeViewer(setup: ViewerSetup = {}) {
  const { profile = profiles[0], camera = new Camera(), maxPayloadBytes = 1200 } = setup;
  const { clock } = camera;
  const consumer = new RingConsumer(camera.ring);
  const sendKeys = makeKeys(profile);
  const receiveKeys = makeKeys(profile);
  const farEnd = new FarEnd(profile, sendKeys);
  const farSrtcp = new SrtcpSession(profile, receiveKeys, sendKeys);
  const socket = { backlogBytes: 0 };
  let goodbyes = 0;
  const stream = { playoutDelayId: 3, captureTimeId: 5 };
  const viewer = new Viewer({
    video:
      setup.video === false
        ? undefined
        : { track: Track.main, codec: Codec.h264, ssrc: videoSsrc, payloadType: 102, ...stream },
    audio:
      setup.audio === false
        ? undefined
        : { track: Track.audio, codec: Codec.pcmu, ssrc: audioSsrc, payloadType: 0, ...stream },
    cname: 'camera',
    profile,
    sendKeys,
    receiveKeys,
    clock,
    plane: new JavaScriptDataPlane(),
    consumer,
    splitter: new FrameSplitter(maxPayloadBytes),
    send: farEnd.take,
    socketBacklogBytes: () => socket.backlogBytes,
    onGoodbye: () => goodbyes++,
    onFrameSent: () => {},
  });
  /** What the stage does when the ring has something new. */
  const handle = (): void => {
    for (let record = consumer.next(); record; record = consumer.next())
      if (record.track === Track.audio) viewer.sendAudio(record);
    viewer.pump(clock.nowMonoUs);
  };
  const receive = (...packets: Uint8Array[]): void =>
    viewer.feedback.receive(farSrtcp.protect(Buffer.concat([receiverReport(), ...packets])));
  return {
    camera,
    clock,
    consumer,
    viewer,
    farEnd,
    farSrtcp,
    socket,
    handle,
    receive,
    goodbyes: () => goodbyes,
  };
}

// RTCP as the other side writes it, by RFC 3550 §6 and RFC 4585 §6, independently of src.

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * i);
  return bytes;
}

const receiverReport = (): Buffer => words(0x80c90001, viewerSsrc);
const pli = (ssrc: number): Buffer => words(0x81ce0002, viewerSsrc, ssrc);
const fir = (ssrc: number, number: number): Buffer => words(0x84ce0004, viewerSsrc, 0, ssrc, number << 24);
const nack = (ssrc: number, sequenceNumbers: readonly number[]): Buffer =>
  words(
    0x81cd0000 + 2 + sequenceNumbers.length,
    viewerSsrc,
    ssrc,
    ...sequenceNumbers.map(sequenceNumber => sequenceNumber << 16),
  );
const goodbye = (): Buffer => words(0x81cb0001, viewerSsrc);
const reportBlock = (ssrc: number, lost: number, jitter: number, lsr: number, dlsr: number): Buffer =>
  words(0x81c90007, viewerSsrc, ssrc, lost & 0xffffff, 1000, jitter, lsr, dlsr);

interface SenderReport {
  readonly ssrc: number;
  readonly unixMs: number;
  readonly rtpTimestamp: number;
  readonly packets: number;
  readonly octets: number;
  readonly types: readonly number[];
}

/** Opens and reads the sender reports that came (RFC 3550 §6.4.1). */
function senderReports({ farEnd, farSrtcp }: ReturnType<typeof makeViewer>): SenderReport[] {
  return farEnd.rtcp.splice(0).map(packet => {
    const bytes = Buffer.from(farSrtcp.unprotect(packet)!);
    const types: number[] = [];
    for (let at = 0; at < bytes.length; at += 4 * (bytes.readUInt16BE(at + 2) + 1))
      types.push(bytes[at + 1]!);
    const seconds = bytes.readUInt32BE(8) - 2_208_988_800;
    return {
      ssrc: bytes.readUInt32BE(4),
      unixMs: seconds * 1000 + (bytes.readUInt32BE(12) / 2 ** 32) * 1000,
      rtpTimestamp: bytes.readUInt32BE(16),
      packets: bytes.readUInt32BE(20),
      octets: bytes.readUInt32BE(24),
      types,
    };
  });
}

/** Wall clock of a packet's sampling as a receiver reckons it from the sender report of its stream. */
function playTimeMs(packet: RtpPacket, report: SenderReport, clockRate: number): number {
  return report.unixMs + (((packet.rtpTimestamp - report.rtpTimestamp) | 0) * 1000) / clockRate;
}

const samples = (seed: number): Uint8Array => Uint8Array.from({ length: 160 }, (_, i) => seed * 13 + i);

describe('a viewer', () => {
  for (const profile of profiles)
    it(`sees the picture from the newest random access point and hears the sound from now on: ${profile}`, () => {
      const { camera, viewer, farEnd, consumer, handle } = makeViewer({ profile });
      camera.keyPicture(5000);
      camera.sound(samples(1));
      camera.picture(1000);
      consumer.seekLive();
      viewer.start();
      handle();
      camera.sound(samples(2));
      camera.picture(1000);
      handle();
      assert.deepEqual(
        farEnd.pictures().map(packets => unitsOf(Codec.h264, packets).at(-1)![0]! & 31),
        [5, 1, 1],
      );
      assert.deepEqual(
        farEnd.of(audioSsrc).map(({ payload }) => Buffer.from(payload)),
        [Buffer.from(samples(2))],
      );
      assert.ok(farEnd.of(videoSsrc).every(({ payloadType }) => payloadType === 102));
      // Sound has the capture time, but no playout delay of its own: 12 bytes of elements in place of 16.
      assert.equal(farEnd.of(audioSsrc)[0]!.headerBytes, 12 + 4 + 12);
      assert.equal(farEnd.of(videoSsrc)[0]!.headerBytes, 12 + 4 + 16);
    });

  it('of sound alone or of the picture alone is sent just that', () => {
    for (const setup of [{ video: false }, { audio: false }]) {
      const { camera, viewer, farEnd, handle } = makeViewer(setup);
      viewer.start();
      camera.keyPicture(1000);
      camera.sound(samples(1));
      handle();
      viewer.tick();
      assert.equal(farEnd.of(videoSsrc).length > 0, setup.video !== false);
      assert.equal(farEnd.of(audioSsrc).length > 0, setup.audio !== false);
      assert.equal(farEnd.rtcp.length, 1);
    }
  });

  it('hears nothing of another audio codec or track than it negotiated', () => {
    const { camera, viewer, farEnd, handle } = makeViewer();
    viewer.start();
    camera.sound(samples(1), { codec: Codec.pcma });
    handle();
    camera.sound(samples(2));
    handle();
    assert.deepEqual(
      farEnd.packets.map(({ payload }) => payload[0]),
      [samples(2)[0]],
    );
  });

  it('has two SSRCs that differ, whatever the dice say: one key and one nonce each', () => {
    for (let i = 0; i < 1000; i++) {
      const { video, audio } = randomSsrcs();
      assert.notEqual(video, audio);
      assert.ok(video > 0 && video < 2 ** 32 && audio > 0 && audio < 2 ** 32);
    }
  });
});

describe('sender reports', () => {
  it('pair NTP and RTP time so that sound and picture of one moment play within a millisecond of each other', () => {
    const setup = makeViewer();
    const { camera, clock, viewer, farEnd, handle } = setup;
    viewer.start();
    // A wall clock and an uptime that have nothing to do with each other; frames come 7 and 45 ms after capture.
    clock.nowMonoUs = 123_456_789_012;
    camera.keyPicture(1000, { captureMonoUs: clock.nowMonoUs - 7000 });
    handle();
    for (let i = 1; i <= 150; i++) {
      clock.advanceUs(20_000);
      const jitterUs = ((i * 7919) % 6007) - 3003;
      camera.sound(samples(i), { captureMonoUs: clock.nowMonoUs - 45_000 + jitterUs });
      if (i % 2 === 0) camera.picture(1000, { captureMonoUs: clock.nowMonoUs - 7000 });
      handle();
      if (i % 50 !== 0) continue;
      viewer.tick();
      const reports = senderReports(setup);
      const video = reports.find(({ ssrc }) => ssrc === videoSsrc)!;
      const audio = reports.find(({ ssrc }) => ssrc === audioSsrc)!;
      assert.ok(Math.abs(video.unixMs - clock.nowWallUnixMs) < 0.001);
      assert.equal(audio.unixMs, video.unixMs);
      const videoPlays = playTimeMs(farEnd.of(videoSsrc).at(-1)!, video, 90_000);
      const audioPlays = playTimeMs(farEnd.of(audioSsrc).at(-1)!, audio, 8000);
      assert.ok(Math.abs(videoPlays - (clock.nowWallUnixMs - 7)) < 0.05, `picture ${videoPlays}`);
      assert.ok(Math.abs(audioPlays - (clock.nowWallUnixMs - 45)) < 1, `sound ${audioPlays}`);
    }
  });

  it('keep the time of the picture while older pictures are sent again', () => {
    const setup = makeViewer();
    const { camera, clock, viewer, farEnd, handle, receive } = setup;
    viewer.start();
    camera.keyPicture(1000);
    for (let i = 0; i < 45; i++) {
      clock.advanceUs(33_333);
      camera.picture(1000);
      handle();
    }
    const before = farEnd.of(videoSsrc).at(-1)!;
    receive(pli(videoSsrc));
    viewer.tick();
    const [report] = senderReports(setup);
    assert.ok(Math.abs(playTimeMs(before, report!, 90_000) - clock.nowWallUnixMs) < 0.05);
  });

  it('count what was sent, and come once a stream has something to tell', () => {
    const setup = makeViewer();
    const { camera, viewer, farEnd, handle } = setup;
    viewer.start();
    viewer.tick();
    assert.equal(senderReports(setup).length, 0);
    camera.keyPicture(5000);
    handle();
    viewer.tick();
    const [report, ...others] = senderReports(setup);
    assert.equal(others.length, 0);
    assert.equal(report!.packets, farEnd.of(videoSsrc).length);
    assert.equal(
      report!.octets,
      farEnd.of(videoSsrc).reduce((sum, { payload }) => sum + payload.length, 0),
    );
    assert.deepEqual(report!.types, [200, 202]);
  });

  it('end with a goodbye of each stream', () => {
    const setup = makeViewer();
    const { camera, viewer, handle } = setup;
    viewer.start();
    camera.keyPicture(1000);
    camera.sound(samples(1));
    handle();
    viewer.end();
    assert.deepEqual(
      senderReports(setup).map(({ ssrc, types }) => [ssrc, types]),
      [
        [videoSsrc, [200, 202, 203]],
        [audioSsrc, [200, 202, 203]],
      ],
    );
  });
});

describe('feedback of a viewer', () => {
  for (const profile of profiles)
    it(`lost packets are sent again, the same to the bit: ${profile}`, () => {
      const { camera, viewer, farEnd, handle, receive } = makeViewer({ profile });
      viewer.start();
      camera.keyPicture(20_000);
      camera.sound(samples(1));
      handle();
      const lost = [farEnd.of(videoSsrc)[3]!, farEnd.of(videoSsrc)[9]!];
      const lostSound = farEnd.of(audioSsrc)[0]!;
      camera.picture(3000);
      handle();
      farEnd.clear();
      receive(
        nack(
          videoSsrc,
          lost.map(({ sequenceNumber }) => sequenceNumber),
        ),
        nack(audioSsrc, [lostSound.sequenceNumber]),
      );
      assert.deepEqual(
        farEnd.packets.map(({ srtp }) => Buffer.from(srtp).toString('hex')),
        [...lost, lostSound].map(({ srtp }) => Buffer.from(srtp).toString('hex')),
      );
      assert.equal(viewer.video!.packetsResent, 2);
      assert.equal(viewer.feedback.nacksReceived, 2);
    });

  it('a flood of NACKs costs 400 packets a second at most', () => {
    const { camera, clock, viewer, farEnd, handle, receive } = makeViewer();
    viewer.start();
    camera.keyPicture(60_000);
    handle();
    const numbers = farEnd.packets.map(({ sequenceNumber }) => sequenceNumber);
    farEnd.clear();
    for (let ms = 0; ms < 3000; ms += 10) {
      receive(nack(videoSsrc, numbers));
      clock.advanceUs(10_000);
    }
    assert.ok(farEnd.packets.length >= 400 && farEnd.packets.length <= 1200, `${farEnd.packets.length}`);
  });

  it('a PLI is answered at once from the ring, with pictures that have later timestamps', () => {
    const { camera, clock, viewer, farEnd, handle, receive } = makeViewer();
    camera.keyPicture(5000);
    viewer.start();
    for (let i = 0; i < 10; i++) {
      clock.advanceUs(33_333);
      camera.picture(1000);
      handle();
    }
    const last = farEnd.pictures().at(-1)![0]!;
    farEnd.clear();
    // No new picture comes, as from a camera that gives one in some seconds.
    receive(pli(videoSsrc));
    const pictures = farEnd.pictures();
    assert.equal(pictures.length, 11);
    assert.equal(unitsOf(Codec.h264, pictures[0]!).at(-1)![0]! & 31, 5);
    assert.ok(pictures.every(([packet]) => ((packet!.rtpTimestamp - last.rtpTimestamp) | 0) > 0));
    assert.equal(camera.producer.takeKeyframeWanted(Track.main), false);
  });

  it('a flood of PLI and FIR restarts the picture at most once in 500 ms', () => {
    const { camera, clock, viewer, farEnd, handle, receive } = makeViewer();
    viewer.start();
    camera.keyPicture(1000);
    handle();
    farEnd.clear();
    for (let ms = 0; ms < 1500; ms++) {
      receive(pli(videoSsrc), fir(videoSsrc, ms & 0xff), pli(videoSsrc));
      clock.advanceUs(1000);
    }
    assert.equal(farEnd.pictures().length, 3);
    assert.equal(viewer.feedback.plisReceived, 4500);
  });

  it('a PLI while the ring has only an old random access point asks the source once in 500 ms at most', () => {
    const { camera, clock, viewer, handle, receive } = makeViewer();
    viewer.start();
    camera.keyPicture(1000);
    handle();
    clock.advanceUs(5_000_000);
    let requests = 0;
    for (let ms = 0; ms < 1000; ms++) {
      receive(pli(videoSsrc));
      if (camera.producer.takeKeyframeWanted(Track.main)) requests++;
      clock.advanceUs(1000);
    }
    assert.ok(requests >= 1 && requests <= 2, `${requests}`);
  });

  it('a PLI that the source does not answer restarts the picture from the old random access point', () => {
    const { camera, clock, viewer, farEnd, handle, receive } = makeViewer();
    viewer.start();
    camera.keyPicture(1000);
    handle();
    clock.advanceUs(5_000_000);
    farEnd.clear();
    receive(pli(videoSsrc));
    assert.equal(farEnd.pictures().length, 0);
    clock.advanceUs(1_000_000);
    viewer.tick();
    assert.equal(farEnd.pictures().length, 1);
    assert.equal(unitsOf(Codec.h264, farEnd.pictures()[0]!).at(-1)![0]! & 31, 5);
  });

  it('that names streams which are not ours is ignored', () => {
    const { camera, viewer, farEnd, handle, receive } = makeViewer();
    viewer.start();
    camera.keyPicture(5000);
    handle();
    const { sequenceNumber } = farEnd.packets[0]!;
    farEnd.clear();
    receive(pli(7), fir(7, 1), nack(7, [sequenceNumber]), reportBlock(7, 50, 9, 0, 0), pli(audioSsrc));
    assert.equal(farEnd.packets.length, 0);
    assert.equal(viewer.feedback.nacksReceived, 0);
    assert.equal(viewer.feedback.plisReceived, 0);
    assert.equal(viewer.feedback.packetsLostReported, 0);
    assert.equal(viewer.feedback.jitterMs, undefined);
  });

  it('with a wrong tag, replayed, cut short or of another protocol is ignored', () => {
    const { camera, clock, viewer, farEnd, farSrtcp, handle, goodbyes } = makeViewer();
    viewer.start();
    camera.keyPicture(1000);
    handle();
    farEnd.clear();
    const good = farSrtcp.protect(Buffer.concat([receiverReport(), pli(videoSsrc)]));
    const wrong = Uint8Array.from(good);
    wrong[wrong.length - 6]! ^= 1;
    for (let length = 0; length < good.length; length++) viewer.feedback.receive(good.subarray(0, length));
    viewer.feedback.receive(wrong);
    viewer.feedback.receive(new Uint8Array(1200).fill(0x80));
    assert.equal(viewer.feedback.plisReceived, 0);
    for (let i = 0; i < 1000; i++) {
      viewer.feedback.receive(good);
      clock.advanceUs(1000);
    }
    assert.equal(viewer.feedback.plisReceived, 1);
    assert.equal(farEnd.pictures().length, 1);
    assert.equal(goodbyes(), 0);
  });

  it('reports loss, jitter and round trip', () => {
    const setup = makeViewer();
    const { camera, clock, viewer, farEnd, farSrtcp, handle, receive } = setup;
    viewer.start();
    camera.keyPicture(1000);
    camera.sound(samples(1));
    handle();
    viewer.tick();
    const sent = Buffer.from(farSrtcp.unprotect(farEnd.rtcp[0]!)!);
    const lsr = sent.readUInt32BE(10);
    // 30 ms there, 500 ms at the viewer, 20 ms back.
    clock.advanceUs(550_000);
    receive(reportBlock(videoSsrc, 12, 900, lsr, 0.5 * 65536), reportBlock(audioSsrc, 3, 16, 0, 0));
    assert.equal(viewer.feedback.packetsLostReported, 15);
    assert.equal(viewer.feedback.jitterMs, 10);
    assert.ok(Math.abs(viewer.feedback.roundTripMs! - 50) < 0.1);
    receive(reportBlock(videoSsrc, -2, 900, 0, 0));
    assert.equal(viewer.feedback.packetsLostReported, 3, 'duplicates are no negative loss');
  });

  it('ends the session with its goodbye', () => {
    const { viewer, receive, goodbyes } = makeViewer();
    viewer.start();
    receive(goodbye());
    assert.equal(goodbyes(), 1);
  });
});
