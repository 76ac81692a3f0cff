import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Codec, Track } from '../../src/base/tracks.ts';
import { FrameSplitter } from '../../src/live/frame-splitter.ts';
import { Viewer } from '../../src/live/viewer.ts';
import { createFrameRing } from '../../src/ring/frame-ring.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { ManualClock } from '../support/manual-clock.ts';
import {
  FarEnd,
  InterruptedDataPlane,
  makeKeys,
  nalUnit,
  profiles,
  unitsOf,
  videoSsrc,
} from './live-fixture.ts';

test('a viewer of a camera that overwrites the ring in another thread is never sent a torn NAL unit', async () => {
  const pictures = 50_000;
  const ring = createFrameRing({ dataBytes: 64 * 1024, slotCount: 16 });
  const state = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL('./racing-camera-worker.ts', import.meta.url), {
    workerData: { ring, state, pictures },
  });
  await once(worker, 'online');
  const [profile] = profiles;
  const keys = makeKeys(profile);
  const farEnd = new FarEnd(profile, keys);
  const datagrams: Uint8Array[] = [];
  const clock = new ManualClock();
  const plane = new InterruptedDataPlane();
  const viewer = new Viewer({
    video: {
      track: Track.main,
      codec: Codec.h264,
      ssrc: videoSsrc,
      payloadType: 102,
      playoutDelayId: undefined,
      captureTimeId: undefined,
    },
    audio: undefined,
    cname: 'camera',
    profile,
    sendKeys: keys,
    receiveKeys: makeKeys(profile),
    clock,
    plane,
    consumer: new RingConsumer(ring),
    splitter: new FrameSplitter(1200),
    send: packet => datagrams.push(packet),
    socketBacklogBytes: () => 0,
    onGoodbye: () => {},
    onFrameSent: () => {},
  });
  viewer.start();
  const known = new Set(
    Array.from({ length: 64 }, (_, i) =>
      Buffer.from(nalUnit([i % 8 ? 0x41 : 0x65], 200 + ((i * 7919) % 6000), i)).toString('base64'),
    ),
  );
  const exited = once(worker, 'exit');
  // Started only now, so that both really run at once.
  while (Atomics.notify(state, 0) === 0) await new Promise<void>(resolve => setImmediate(resolve));
  // Full speed for as long as the camera publishes; what was sent is opened afterwards.
  while (Atomics.load(state, 0) !== 2 && datagrams.length < 300_000) {
    viewer.pump(clock.nowMonoUs);
    clock.advanceUs(4000);
  }
  await exited;
  for (const datagram of datagrams) farEnd.take(datagram);
  let units = 0;
  for (const picture of farEnd.pictures()) {
    const whole = picture.filter(({ rtpTimestamp }) => rtpTimestamp === picture.at(-1)!.rtpTimestamp);
    for (const unit of unitsOf(Codec.h264, whole)) {
      units++;
      if (!known.has(Buffer.from(unit).toString('base64'))) assert.fail(`picture ${units} is torn`);
    }
  }
  const torn = plane.runs.filter(({ isSent }) => !isSent).length;
  console.log(`${units} pictures sent, ${viewer.sender!.forwardJumps} jumps, ${torn} torn runs held back`);
  assert.ok(units > 100);
  assert.ok(viewer.sender!.forwardJumps > 10);
});
