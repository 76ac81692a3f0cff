import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Codec, Track } from '../../src/base/tracks.ts';
import { FrameSplitter } from '../../src/live/frame-splitter.ts';
import { OutgoingStream } from '../../src/live/outgoing-stream.ts';
import { VideoTimestamps, videoClockRate } from '../../src/live/rtp-timestamps.ts';
import { VideoSender } from '../../src/live/video-sender.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import {
  Camera,
  FarEnd,
  InterruptedDataPlane,
  makeKeys,
  profiles,
  unitsOf,
  videoSsrc,
} from './live-fixture.ts';

/** What the pacing promises (video-sender.ts), written here again on purpose. */
const burstPackets = 64;
const packetsPerMs = 16;

function makeSender(camera = new Camera(), codec: Codec = Codec.h264) {
  const { clock } = camera;
  const consumer = new RingConsumer(camera.ring);
  const splitter = new FrameSplitter(1200);
  const keys = makeKeys(profiles[0]);
  const farEnd = new FarEnd(profiles[0], keys);
  const plane = new InterruptedDataPlane();
  const socket = { backlogBytes: 0 };
  const framesSent: number[] = [];
  const stream = new OutgoingStream({
    plane,
    consumer,
    profile: profiles[0],
    keys,
    clockRate: videoClockRate,
    timestamps: new VideoTimestamps(),
    marksFrameEnd: true,
    header: { ssrc: videoSsrc, payloadType: 102 },
    send: farEnd.take,
  });
  const sender = new VideoSender({
    track: Track.main,
    codec,
    consumer,
    splitter,
    stream,
    socketBacklogBytes: () => socket.backlogBytes,
    onFrameSent: record => framesSent.push(record.sequence),
  });
  const pump = () => sender.pump(clock.nowMonoUs);
  /** Pumps each millisecond until the sender is at the live edge; returns the packets that left in each. */
  const pumpUntilLive = (msMax = 10_000): number[] => {
    const left: number[] = [];
    for (let ms = 0; ms < msMax; ms++) {
      const before = farEnd.packets.length;
      const result = pump();
      left.push(farEnd.packets.length - before);
      if (result === 'live') return left;
      clock.advanceUs(1000);
    }
    throw new Error('the sender does not reach the live edge');
  };
  return { camera, clock, consumer, farEnd, plane, socket, framesSent, stream, sender, pump, pumpUntilLive };
}

/** `count` pictures with a random access point each `gop`, one each 33 ms. */
function publishGops(camera: Camera, count: number, gop: number, keyBytes = 20_000, bytes = 3000): void {
  for (let i = 0; i < count; i++) {
    if (i % gop === 0) camera.keyPicture(keyBytes);
    else camera.picture(bytes);
    camera.clock.advanceUs(33_333);
  }
}

const typesOf = (farEnd: FarEnd): number[] =>
  farEnd.pictures().map(packets => unitsOf(Codec.h264, packets).at(-1)![0]! & 31);

describe('a viewer that joins', () => {
  for (const gop of [30, 120])
    it(`is sent the newest random access point and all pictures since, at a group of ${gop} pictures`, () => {
      const { camera, farEnd, sender, pumpUntilLive } = makeSender();
      // Two groups, and all but one picture of a third.
      publishGops(camera, 3 * gop - 1, gop, 20_000, 1500);
      sender.join();
      const left = pumpUntilLive();
      assert.deepEqual(typesOf(farEnd), [5, ...Array.from({ length: gop - 2 }, () => 1)]);
      assert.deepEqual(
        unitsOf(Codec.h264, farEnd.pictures()[0]!).map(unit => unit[0]! & 31),
        [7, 8, 5],
        'parameter sets first',
      );
      assert.equal(sender.forwardJumps, 0);
      // The first picture is complete at once, and all of it within milliseconds.
      assert.ok(left[0]! >= farEnd.pictures()[0]!.length);
      assert.ok(left.length <= Math.ceil((farEnd.packets.length - burstPackets) / packetsPerMs) + 2);
    });

  it('is sent the burst in pieces: 64 packets at once and 16 a millisecond after that', () => {
    const { camera, farEnd, sender, pumpUntilLive } = makeSender();
    publishGops(camera, 30, 30, 150_000, 12_000);
    sender.join();
    const left = pumpUntilLive();
    assert.equal(left[0], burstPackets);
    for (const count of left.slice(1, -1)) assert.equal(count, packetsPerMs);
    assert.ok(left.at(-1)! <= packetsPerMs);
    assert.equal(farEnd.pictures().length, 30);
    assert.equal(new Set(farEnd.pictures()[0]!.map(({ rtpTimestamp }) => rtpTimestamp)).size, 1);
  });

  it('never gets more than the burst and the rate together, however often it is looked at', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 20, maxLength: 300 }), stepsUs => {
        const { camera, clock, farEnd, sender, pump } = makeSender();
        publishGops(camera, 20, 20, 200_000, 20_000);
        sender.join();
        const left: { atUs: number; total: number }[] = [];
        for (const stepUs of stepsUs) {
          pump();
          left.push({ atUs: clock.nowMonoUs, total: farEnd.packets.length });
          clock.advanceUs(stepUs);
        }
        // Over any span, not only from the start.
        for (const [i, from] of left.entries())
          for (const to of left.slice(i + 1)) {
            const allowed = burstPackets + ((to.atUs - from.atUs) / 1000) * packetsPerMs;
            const packets = to.total - from.total;
            assert.ok(packets <= allowed + 1e-6, `${packets} packets in ${to.atUs - from.atUs} µs`);
          }
      }),
      { numRuns: 40 },
    );
  });

  it('earns all of its rate although it is looked at each 100 µs', () => {
    const { camera, clock, farEnd, sender, pump } = makeSender();
    publishGops(camera, 20, 20, 200_000, 20_000);
    sender.join();
    for (let i = 0; i <= 100; i++) {
      pump();
      clock.advanceUs(100);
    }
    assert.equal(farEnd.packets.length, burstPackets + 10 * packetsPerMs);
  });

  it('waits for a random access point that it asks for when the ring holds none', () => {
    const { camera, farEnd, sender, pump } = makeSender();
    for (let i = 0; i < 5; i++) camera.picture(1000);
    sender.join();
    assert.equal(camera.producer.takeKeyframeWanted(Track.main), true);
    assert.equal(pump(), 'live');
    camera.picture(1000);
    pump();
    assert.equal(farEnd.packets.length, 0);
    camera.keyPicture(1000);
    camera.picture(1000);
    pump();
    assert.deepEqual(typesOf(farEnd), [5, 1]);
    assert.equal(sender.framesSkipped, 1);
  });

  it('asks for no keyframe where the ring holds a random access point', () => {
    const { camera, sender } = makeSender();
    camera.keyPicture(1000);
    sender.join();
    assert.equal(camera.producer.takeKeyframeWanted(Track.main), false);
  });
});

describe('a viewer at the live edge', () => {
  it('is sent each picture at once, with the timestamps of the capture clock', () => {
    const { camera, clock, farEnd, framesSent, sender, pump } = makeSender();
    camera.keyPicture(30_000);
    sender.join();
    assert.equal(pump(), 'live');
    const [first] = farEnd.packets;
    for (let i = 1; i <= 60; i++) {
      clock.advanceUs(16_667);
      const sequence = camera.picture(40_000);
      assert.equal(pump(), 'live');
      const newest = farEnd.pictures().at(-1)!;
      assert.equal(farEnd.pictures().length, i + 1);
      const ticks = (newest[0]!.rtpTimestamp - first!.rtpTimestamp) >>> 0;
      assert.ok(Math.abs(ticks - i * 1500.03) <= 1, `${ticks} ticks after ${i} pictures`);
      assert.ok(newest.every(({ rtpTimestamp }) => rtpTimestamp === newest[0]!.rtpTimestamp));
      assert.equal(framesSent.at(-1), sequence);
    }
  });

  it('is sent a large picture in pieces that share one timestamp and end with one marker', () => {
    const { camera, clock, farEnd, sender, pump, pumpUntilLive } = makeSender();
    camera.keyPicture(1000);
    sender.join();
    pump();
    clock.advanceUs(100_000);
    farEnd.clear();
    camera.picture(200_000);
    const left = pumpUntilLive();
    assert.equal(left[0], burstPackets);
    const [picture] = farEnd.pictures();
    assert.equal(picture!.length, farEnd.packets.length);
    assert.ok(picture!.length > 160);
    assert.equal(new Set(picture!.map(({ rtpTimestamp }) => rtpTimestamp)).size, 1);
    assert.equal(picture!.filter(({ marker }) => marker).length, 1);
    assert.equal(unitsOf(Codec.h264, picture!)[0]!.length, 200_000);
  });

  it('is sent no picture with B slices and none of another track', () => {
    const { camera, farEnd, sender, pump } = makeSender();
    camera.keyPicture(1000);
    sender.join();
    camera.picture(1000, { flags: RecordFlag.bidirectional | RecordFlag.nonReference });
    camera.picture(1000, { flags: RecordFlag.bidirectional });
    camera.picture(1000);
    camera.keyPicture(1000, { track: Track.sub });
    camera.sound(new Uint8Array(160));
    pump();
    assert.deepEqual(typesOf(farEnd), [5, 1]);
    assert.equal(sender.framesSkipped, 2);
  });

  it('is sent nothing of another codec than it negotiated, and goes on at a random access point of its own', () => {
    const { camera, farEnd, sender, pump } = makeSender();
    camera.keyPicture(1000);
    sender.join();
    pump();
    camera.keyPicture(1000, { codec: Codec.h265 });
    camera.picture(1000, { codec: Codec.h265 });
    camera.picture(1000);
    pump();
    assert.deepEqual(typesOf(farEnd), [5], 'what follows refers to a picture that it has not');
    camera.keyPicture(1000);
    camera.picture(1000);
    pump();
    assert.deepEqual(typesOf(farEnd), [5, 5, 1]);
    assert.equal(sender.framesSkipped, 3);
  });

  it('reports frames as sent only once it has caught up', () => {
    const { camera, framesSent, sender, pump } = makeSender();
    publishGops(camera, 10, 10);
    sender.join();
    pump();
    assert.deepEqual(framesSent, []);
    const sequence = camera.picture(1000);
    pump();
    assert.deepEqual(framesSent, [sequence]);
  });
});

describe('a viewer that falls behind', () => {
  it('is handed nothing while its socket has a backlog, and goes on where it was when that is short', () => {
    const { camera, clock, farEnd, socket, sender, pump, pumpUntilLive } = makeSender();
    publishGops(camera, 5, 30);
    sender.join();
    pumpUntilLive();
    socket.backlogBytes = 300_000;
    const before = farEnd.packets.length;
    for (let i = 0; i < 10; i++) {
      clock.advanceUs(33_333);
      camera.picture(3000);
      assert.equal(pump(), 'behind');
    }
    assert.equal(farEnd.packets.length, before);
    socket.backlogBytes = 0;
    clock.advanceUs(1000);
    pumpUntilLive();
    assert.equal(farEnd.pictures().length, 15);
    assert.equal(sender.forwardJumps, 0);
    assert.equal(sender.framesSkipped, 0);
  });

  it('is moved to the newest random access point after a second, and what it missed is counted', () => {
    const { camera, clock, farEnd, socket, sender, pump, pumpUntilLive } = makeSender();
    publishGops(camera, 5, 30);
    sender.join();
    pumpUntilLive();
    farEnd.clear();
    socket.backlogBytes = 300_000;
    // 25 pictures, a random access point and 19 more: 1.5 s.
    for (let i = 0; i < 45; i++) {
      if (i === 25) camera.keyPicture(20_000);
      else camera.picture(3000);
      camera.sound(new Uint8Array(160));
      assert.equal(pump(), 'behind');
      clock.advanceUs(33_333);
    }
    assert.equal(sender.forwardJumps, 1);
    socket.backlogBytes = 0;
    pumpUntilLive();
    assert.deepEqual(typesOf(farEnd), [5, ...Array.from({ length: 19 }, () => 1)]);
    assert.equal(sender.framesSkipped, 25);
    assert.equal(sender.forwardJumps, 1);
  });

  it('stays where it is when there is no newer random access point, and is moved as soon as there is', () => {
    const { camera, clock, farEnd, socket, sender, pump } = makeSender();
    publishGops(camera, 5, 30);
    sender.join();
    pump();
    farEnd.clear();
    socket.backlogBytes = 300_000;
    for (let i = 0; i < 60; i++) {
      camera.picture(300);
      assert.equal(pump(), 'behind');
      clock.advanceUs(33_333);
    }
    assert.equal(sender.forwardJumps, 0);
    camera.keyPicture(300);
    pump();
    assert.equal(sender.forwardJumps, 1);
    socket.backlogBytes = 0;
    clock.advanceUs(1000);
    assert.equal(pump(), 'live');
    assert.deepEqual(typesOf(farEnd), [5]);
  });

  it('whose rate is too low for the stream lags a second and a group of pictures at most', () => {
    const { camera, clock, farEnd, sender, pump, stream } = makeSender(new Camera(64 * 1024 * 1024, 1024));
    // 600 packets each 33 ms are 18 a millisecond, 16 may leave.
    let lagUsMax = 0;
    camera.keyPicture(720_000);
    sender.join();
    for (let ms = 0; ms < 4000; ms++) {
      if (ms % 33 === 32) {
        const captureMonoUs = clock.nowMonoUs;
        if (ms % 330 === 329) camera.keyPicture(720_000, { captureMonoUs });
        else camera.picture(720_000, { captureMonoUs });
      }
      const before = farEnd.packets.length;
      pump();
      const newest = farEnd.packets.at(-1)!;
      if (farEnd.packets.length > before) {
        const lagTicks = (stream.timestampAt(clock.nowMonoUs) - newest.rtpTimestamp) | 0;
        lagUsMax = Math.max(lagUsMax, lagTicks / 0.09);
      }
      if (farEnd.packets.length > 5000) farEnd.packets.splice(0, 4999);
      clock.advanceUs(1000);
    }
    assert.ok(sender.forwardJumps > 1);
    assert.ok(lagUsMax < 1_400_000, `${lagUsMax} µs`);
  });

  it('whose place was overwritten goes on at the newest random access point', () => {
    const { camera, clock, farEnd, sender, pump, pumpUntilLive } = makeSender(new Camera(65_536, 16));
    publishGops(camera, 3, 30, 3000, 1000);
    sender.join();
    pump();
    farEnd.clear();
    publishGops(camera, 50, 11, 3000, 1000);
    pumpUntilLive();
    // Picture 44 is the newest random access point, five more follow.
    assert.deepEqual(typesOf(farEnd), [5, 1, 1, 1, 1, 1]);
    assert.equal(sender.forwardJumps, 1);
    clock.advanceUs(33_333);
    camera.picture(500);
    assert.equal(pump(), 'live');
    assert.equal(typesOf(farEnd).length, 7);
  });

  it('whose place was overwritten asks for a keyframe where the ring holds none, and sends nothing before it', () => {
    const { camera, farEnd, sender, pump } = makeSender(new Camera(65_536, 16));
    camera.keyPicture(1000);
    sender.join();
    pump();
    farEnd.clear();
    for (let i = 0; i < 50; i++) camera.picture(1000);
    assert.equal(pump(), 'live');
    assert.equal(camera.producer.takeKeyframeWanted(Track.main), true);
    camera.picture(1000);
    pump();
    assert.equal(farEnd.packets.length, 0);
    camera.keyPicture(1000);
    pump();
    assert.deepEqual(typesOf(farEnd), [5]);
  });

  it('sends no more of a picture that is overwritten between two pieces, and no marker for it', () => {
    const { camera, clock, farEnd, sender, pump, pumpUntilLive } = makeSender(new Camera(512 * 1024, 16));
    camera.keyPicture(200_000);
    sender.join();
    assert.equal(pump(), 'behind');
    assert.equal(farEnd.packets.length, burstPackets);
    camera.overwrite(512 * 1024);
    camera.keyPicture(5000);
    clock.advanceUs(1000);
    pumpUntilLive();
    const rest = farEnd.packets.slice(burstPackets);
    assert.deepEqual(
      unitsOf(Codec.h264, rest).map(unit => unit[0]! & 31),
      [7, 8, 5],
    );
    assert.notEqual(rest[0]!.rtpTimestamp, farEnd.packets[0]!.rtpTimestamp);
  });

  it('sends nothing that refers to a picture which was overwritten under it, though that is still in the ring', () => {
    const { camera, clock, farEnd, plane, sender, pump } = makeSender(new Camera(65_536, 16));
    camera.keyPicture(1000);
    for (let i = 1; i < 16; i++) camera.picture(100);
    sender.join();
    plane.beforeCheck = () => {
      plane.beforeCheck = undefined;
      // Takes the slot of the random access point, and of nothing else.
      camera.picture(100);
    };
    assert.equal(pump(), 'live');
    assert.equal(farEnd.packets.length, 0);
    assert.equal(sender.forwardJumps, 1);
    assert.equal(camera.producer.takeKeyframeWanted(Track.main), true);
    camera.keyPicture(1000);
    clock.advanceUs(1000);
    pump();
    assert.deepEqual(typesOf(farEnd), [5]);
  });

  it('for short whiles only is never moved, however often', () => {
    const { camera, clock, farEnd, socket, sender, pump, pumpUntilLive } = makeSender();
    camera.keyPicture(1000);
    sender.join();
    pump();
    for (let i = 0; i < 5; i++) {
      socket.backlogBytes = 300_000;
      for (let k = 0; k < 12; k++) {
        clock.advanceUs(50_000);
        if (k === 6) camera.keyPicture(500);
        else camera.picture(500);
        assert.equal(pump(), 'behind');
      }
      socket.backlogBytes = 0;
      clock.advanceUs(1000);
      pumpUntilLive();
    }
    assert.equal(sender.forwardJumps, 0);
    assert.equal(farEnd.pictures().length, 61);
  });

  it('never sends a torn NAL unit, whenever the ring is overwritten', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            pictures: fc.nat(60),
            interrupts: fc.nat(3),
            bytes: fc.integer({ min: 5, max: 9000 }),
          }),
          {
            minLength: 5,
            maxLength: 30,
          },
        ),
        steps => {
          const { camera, clock, farEnd, plane, sender, pump, pumpUntilLive } = makeSender(
            new Camera(65_536, 8),
          );
          const published = new Set<string>();
          const publish = camera.publish.bind(camera);
          camera.publish = (units, options) => {
            for (const unit of units) published.add(Buffer.from(unit).toString('base64'));
            return publish(units, options);
          };
          camera.keyPicture(1000);
          sender.join();
          for (const { pictures, interrupts, bytes } of steps) {
            for (let i = 0; i < pictures; i++) {
              if (i % 5 === 0) camera.keyPicture(bytes);
              else camera.picture(bytes);
            }
            let left = interrupts;
            plane.beforeCheck = () => {
              // Three laps under the sender's hands.
              if (left-- > 0) for (let i = 0; i < 24; i++) camera[i % 4 ? 'picture' : 'keyPicture'](bytes);
            };
            pump();
            plane.beforeCheck = undefined;
            clock.advanceUs(2000);
          }
          pumpUntilLive();
          for (const picture of farEnd.pictures()) {
            // What was begun and given up has an own timestamp and no marker.
            const fragments = picture.filter(
              ({ rtpTimestamp }) => rtpTimestamp === picture.at(-1)!.rtpTimestamp,
            );
            for (const unit of unitsOf(Codec.h264, fragments))
              assert.ok(published.has(Buffer.from(unit).toString('base64')), 'torn');
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('a viewer that joins again', () => {
  it('is sent the pictures since the random access point again, with timestamps that rise', () => {
    const { camera, clock, farEnd, sender, pump, pumpUntilLive } = makeSender();
    publishGops(camera, 20, 30);
    sender.join();
    pumpUntilLive();
    sender.join();
    pumpUntilLive();
    clock.advanceUs(33_333);
    camera.picture(1000);
    pump();
    const pictures = farEnd.pictures();
    assert.equal(pictures.length, 41);
    let last = pictures[0]![0]!.rtpTimestamp;
    for (const picture of pictures.slice(1)) {
      const step = (picture[0]!.rtpTimestamp - last) | 0;
      assert.ok(step > 0, `a step of ${step}`);
      last = picture[0]!.rtpTimestamp;
    }
    for (const [i, { index }] of farEnd.packets.entries()) assert.equal(index, farEnd.packets[0]!.index + i);
  });

  it('in the middle of the random access point gets it whole, as a picture of its own', () => {
    const { camera, clock, farEnd, sender, pump, pumpUntilLive } = makeSender();
    camera.keyPicture(150_000);
    sender.join();
    assert.equal(pump(), 'behind');
    const begun = farEnd.packets.length;
    sender.join();
    clock.advanceUs(1000);
    pumpUntilLive();
    const whole = farEnd.packets.slice(begun);
    assert.notEqual(whole[0]!.rtpTimestamp, farEnd.packets[0]!.rtpTimestamp);
    assert.equal(unitsOf(Codec.h264, whole).at(-1)!.length, 150_000);
  });

  it('right after the random access point gets it again with a later timestamp', () => {
    const { camera, farEnd, sender, pump } = makeSender();
    camera.keyPicture(3000);
    sender.join();
    pump();
    sender.join();
    pump();
    const [first, second] = farEnd.pictures();
    assert.ok(((second![0]!.rtpTimestamp - first![0]!.rtpTimestamp) | 0) > 0);
  });
});
