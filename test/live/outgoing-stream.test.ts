import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Codec } from '../../src/base/tracks.ts';
import { FrameSplitter } from '../../src/live/frame-splitter.ts';
import { OutgoingStream } from '../../src/live/outgoing-stream.ts';
import {
  AudioTimestamps,
  audioClockRate,
  VideoTimestamps,
  videoClockRate,
} from '../../src/live/rtp-timestamps.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import {
  audioSsrc,
  Camera,
  FarEnd,
  InterruptedDataPlane,
  makeKeys,
  type Profile,
  pictureUnits,
  profiles,
  unitsOf,
  videoSsrc,
} from './live-fixture.ts';

function makeStream(
  options: { profile?: Profile; codec?: Codec; maxPayloadBytes?: number; camera?: Camera } = {},
) {
  const { profile = profiles[0], codec = Codec.h264, maxPayloadBytes = 1200 } = options;
  const isAudio = codec === Codec.pcmu || codec === Codec.pcma;
  const camera = options.camera ?? new Camera();
  const consumer = new RingConsumer(camera.ring);
  const splitter = new FrameSplitter(maxPayloadBytes);
  const keys = makeKeys(profile);
  const farEnd = new FarEnd(profile, keys);
  const plane = new InterruptedDataPlane();
  const stream = new OutgoingStream({
    plane,
    consumer,
    profile,
    keys,
    clockRate: isAudio ? audioClockRate : videoClockRate,
    timestamps: isAudio ? new AudioTimestamps() : new VideoTimestamps(),
    marksFrameEnd: !isAudio,
    header: { ssrc: isAudio ? audioSsrc : videoSsrc, payloadType: isAudio ? 0 : 102 },
    send: farEnd.take,
  });
  /** Sends a whole record; false when it is gone or was torn. */
  const send = (sequence: number): boolean => {
    const record = consumer.read(sequence);
    if (!record) return false;
    const table = splitter.split(record);
    return isAudio ? stream.sendSamples(record, table) : stream.send(record, table, 0, table.count);
  };
  const resend = (sequenceNumber: number): boolean =>
    stream.resend(sequenceNumber, record => splitter.split(record));
  return { camera, consumer, splitter, farEnd, plane, stream, send, resend };
}

function assertSame(actual: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  const hex = (units: readonly Uint8Array[]) => units.map(unit => Buffer.from(unit).toString('hex'));
  assert.deepEqual(hex(actual), hex(expected));
}

describe('an outgoing stream', () => {
  for (const profile of profiles)
    for (const [name, codec] of [
      ['H.264', Codec.h264],
      ['H.265', Codec.h265],
    ] as const)
      it(`carries the NAL units of the records: ${name}, ${profile}`, () => {
        const { camera, farEnd, send, stream } = makeStream({ profile, codec });
        const sizes = [40_000, 12, 1195, 1196, 1197, 1198, 1199, 1200, 1201, 2400, 9000];
        const pictures = sizes.map((size, i) => pictureUnits(codec, i === 0, size, i));
        for (const units of pictures) assert.ok(send(camera.publish(units, { codec })));
        const received = farEnd.pictures();
        assert.equal(received.length, pictures.length);
        for (const [i, packets] of received.entries()) {
          assertSame(unitsOf(codec, packets), pictures[i]!);
          assert.equal(new Set(packets.map(({ rtpTimestamp }) => rtpTimestamp)).size, 1);
          assert.ok(packets.every(({ payload }) => payload.length <= 1200));
        }
        assert.equal(stream.framesSent, pictures.length);
        assert.equal(stream.packetsSent, farEnd.packets.length);
        assert.equal(
          stream.bytesSent,
          farEnd.packets.reduce((sum, { payload }) => sum + payload.length, 0),
        );
      });

  for (const profile of profiles)
    it(`carries the samples of G.711 records, one packet each and never marked: ${profile}`, () => {
      const { camera, farEnd, send } = makeStream({ profile, codec: Codec.pcmu });
      const frames = [1, 2, 3].map(seed => Uint8Array.from({ length: 160 }, (_, i) => seed * 31 + i));
      for (const frame of frames) {
        assert.ok(send(camera.sound(frame)));
        camera.clock.advanceUs(20_000);
      }
      assertSame(
        farEnd.packets.map(({ payload }) => payload),
        frames,
      );
      assert.ok(farEnd.packets.every(({ marker }) => !marker));
      const [first] = farEnd.packets;
      assert.deepEqual(
        farEnd.packets.map(({ rtpTimestamp }) => (rtpTimestamp - first!.rtpTimestamp) >>> 0),
        [0, 160, 320],
      );
    });

  it('gives each packet of a G.711 record that needs several the timestamp of its first sample', () => {
    const { camera, farEnd, send, resend } = makeStream({ codec: Codec.pcma, maxPayloadBytes: 256 });
    const samples = Uint8Array.from({ length: 800 }, (_, i) => i * 7);
    assert.ok(send(camera.sound(samples, { codec: Codec.pcma })));
    camera.clock.advanceUs(100_000);
    assert.ok(send(camera.sound(samples, { codec: Codec.pcma })));
    const packets = [...farEnd.packets];
    assert.equal(packets.length, 8);
    let expected = packets[0]!.rtpTimestamp;
    for (const { rtpTimestamp, payload } of packets) {
      assert.equal(rtpTimestamp, expected);
      expected = (expected + payload.length) >>> 0;
    }
    assert.ok(resend(packets[2]!.sequenceNumber));
    assert.deepEqual(farEnd.packets.at(-1)!.srtp, packets[2]!.srtp);
  });

  for (const profile of profiles)
    it(`numbers packets without a gap over the roll-over at 2^16, and resends the same bits across it: ${profile}`, () => {
      const { camera, farEnd, send, resend } = makeStream({ profile, maxPayloadBytes: 64 });
      let next = -1;
      const sendAndCheck = () => {
        const before = farEnd.packets.length;
        camera.clock.advanceUs(33_333);
        assert.ok(send(camera.picture(64 * 62)));
        for (const { index } of farEnd.packets.slice(before)) {
          if (next >= 0 && index !== next) assert.fail(`index ${index} follows ${next - 1}`);
          next = index + 1;
        }
      };
      // The first index is random: up to a few packets before the roll-over …
      do {
        farEnd.clear();
        sendAndCheck();
      } while (next < 65536 - 100);
      // … and over it.
      for (let i = 0; i < 4; i++) sendAndCheck();
      const sent = [...farEnd.packets];
      assert.ok(sent[0]!.index < 65536 && sent.at(-1)!.index > 65536);
      for (const packet of sent) {
        assert.ok(resend(packet.sequenceNumber));
        assert.deepEqual(farEnd.packets.at(-1)!.srtp, packet.srtp);
      }
    });

  it('starts its indexes below 2^15, as a receiver without a roll-over counter expects', () => {
    for (let i = 0; i < 50; i++) {
      const { camera, farEnd, send } = makeStream();
      send(camera.picture(100));
      assert.ok(farEnd.packets[0]!.index < 2 ** 15);
    }
  });

  it('does not resend a packet whose record was overwritten, nor one it never sent', () => {
    const { camera, farEnd, send, resend, stream } = makeStream({ camera: new Camera(8192, 8) });
    send(camera.picture(2000));
    const { sequenceNumber } = farEnd.packets[0]!;
    assert.equal(resend((sequenceNumber + 1000) & 0xffff), false);
    camera.overwrite(8192);
    const before = farEnd.packets.length;
    assert.equal(resend(sequenceNumber), false);
    assert.equal(farEnd.packets.length, before);
    assert.equal(stream.packetsResent, 0);
  });

  it('sends nothing when the record is overwritten while a packet of it is encrypted again', () => {
    const { camera, farEnd, plane, send, resend } = makeStream({ camera: new Camera(8192, 8) });
    send(camera.picture(2000));
    const first = farEnd.packets.length;
    plane.beforeCheck = () => camera.overwrite(8192);
    assert.equal(resend(farEnd.packets[0]!.sequenceNumber), false);
    assert.equal(farEnd.packets.length, first);
  });

  for (const profile of profiles)
    it(`sends nothing of a run whose record is overwritten under it, and never uses its indexes again: ${profile}`, () => {
      const { camera, farEnd, plane, send, resend, stream } = makeStream({
        profile,
        camera: new Camera(8192, 8),
      });
      assert.ok(send(camera.picture(1500)));
      plane.beforeCheck = () => camera.overwrite(8192);
      assert.equal(send(camera.picture(3000)), false);
      plane.beforeCheck = undefined;
      const sentBefore = farEnd.packets.length;
      assert.equal(stream.framesSent, 1);
      assert.equal(stream.packetsSent, sentBefore);
      const units = pictureUnits(Codec.h264, false, 3000, 9);
      assert.ok(send(camera.publish(units)));
      const [kept, torn, next] = plane.runs;
      assert.deepEqual([kept!.isSent, torn!.isSent, next!.isSent], [true, false, true]);
      assert.equal(torn!.firstIndex, kept!.firstIndex + kept!.packetCount);
      assert.equal(next!.firstIndex, torn!.firstIndex + torn!.packetCount);
      assertSame(unitsOf(Codec.h264, farEnd.packets.slice(sentBefore)), units);
      // A viewer asks for the indexes that it missed: they stay unused.
      for (let i = 0; i < torn!.packetCount; i++) assert.equal(resend((torn!.firstIndex + i) % 65536), false);
    });

  it('gives a record that it sends a second time, after a part of it, a new and later timestamp', () => {
    const { camera, consumer, splitter, farEnd, stream } = makeStream();
    const sequence = camera.keyPicture(20_000);
    const record = consumer.read(sequence)!;
    const table = splitter.split(record);
    stream.send(record, table, 0, 3);
    stream.send(record, table, 3, 2);
    stream.send(record, table, 0, table.count);
    const timestamps = farEnd.packets.map(({ rtpTimestamp }) => rtpTimestamp);
    assert.equal(new Set(timestamps.slice(0, 5)).size, 1, 'the pieces of one picture share it');
    assert.equal(new Set(timestamps.slice(5)).size, 1);
    // With the same one a receiver would take both for one picture, whose slices it has twice.
    assert.equal((timestamps[5]! - timestamps[0]!) >>> 0, 1);
  });

  it('has nothing to report before a packet left', () => {
    const { camera, plane, send, stream } = makeStream({ camera: new Camera(8192, 8) });
    assert.equal(stream.hasStarted, false);
    plane.beforeCheck = () => camera.overwrite(8192);
    send(camera.picture(1000));
    assert.equal(stream.hasStarted, false);
    plane.beforeCheck = undefined;
    send(camera.picture(1000));
    assert.equal(stream.hasStarted, true);
  });

  it('tells the timestamp of a moment: that of a picture captured then', () => {
    const { camera, farEnd, send, stream } = makeStream();
    for (let i = 0; i < 5; i++) {
      const captureMonoUs = camera.clock.nowMonoUs - 3000;
      send(camera.picture(100, { captureMonoUs }));
      assert.equal(stream.timestampAt(captureMonoUs), farEnd.packets.at(-1)!.rtpTimestamp);
      assert.equal(
        (stream.timestampAt(captureMonoUs + 1_000_000) - farEnd.packets.at(-1)!.rtpTimestamp) >>> 0,
        90_000,
      );
      camera.clock.advanceUs(41_700);
    }
  });
});
