import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Track } from '../../src/base/tracks.ts';
import { PictureRefresh } from '../../src/live/picture-refresh.ts';
import type { VideoSender } from '../../src/live/video-sender.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { Camera } from './live-fixture.ts';

function makeRefresh() {
  const camera = new Camera();
  const consumer = new RingConsumer(camera.ring);
  const joins: number[] = [];
  const sender = { join: () => joins.push(camera.clock.nowMonoUs) } as unknown as VideoSender;
  const refresh = new PictureRefresh({ track: Track.main, consumer, sender });
  const want = () => refresh.want(camera.clock.nowMonoUs);
  const tick = () => refresh.tick(camera.clock.nowMonoUs);
  const keyframeRequests = () => camera.producer.takeKeyframeWanted(Track.main);
  return { camera, joins, want, tick, keyframeRequests };
}

describe('a wanted picture', () => {
  it('comes from the ring when its random access point is young, and the source is not asked', () => {
    const { camera, joins, want, keyframeRequests } = makeRefresh();
    camera.keyPicture(1000);
    camera.clock.advanceUs(1_900_000);
    assert.equal(want(), true);
    assert.equal(joins.length, 1);
    assert.equal(keyframeRequests(), false);
  });

  it('is asked of the source when the random access point is old or there is none', () => {
    const { camera, joins, want, keyframeRequests } = makeRefresh();
    assert.equal(want(), false);
    assert.equal(keyframeRequests(), true);
    camera.keyPicture(1000);
    camera.clock.advanceUs(2_100_000);
    assert.equal(want(), false);
    assert.equal(keyframeRequests(), true);
    assert.equal(joins.length, 0);
  });

  it('is answered at most once in 500 ms, however often it is asked for', () => {
    const { camera, joins, want } = makeRefresh();
    camera.keyPicture(1000);
    for (let i = 0; i < 1990; i++) {
      want();
      camera.clock.advanceUs(1000);
    }
    assert.equal(joins.length, 4);
    for (const [i, atUs] of joins.slice(1).entries()) assert.ok(atUs - joins[i]! >= 500_000);
  });

  it('starts again at the old random access point when the source gives no new one', () => {
    const { camera, joins, want, tick } = makeRefresh();
    camera.keyPicture(1000);
    camera.clock.advanceUs(3_000_000);
    want();
    camera.clock.advanceUs(400_000);
    assert.equal(tick(), false, 'the source has some time');
    camera.clock.advanceUs(200_000);
    assert.equal(tick(), true);
    assert.equal(joins.length, 1);
    camera.clock.advanceUs(1_000_000);
    assert.equal(tick(), false, 'once');
  });

  it('starts again at the old one also when the viewer keeps asking meanwhile', () => {
    const { camera, joins, want, tick } = makeRefresh();
    camera.keyPicture(1000);
    camera.clock.advanceUs(3_000_000);
    for (let ms = 0; ms < 3000; ms += 50) {
      want();
      // The stage ticks each second, at any phase.
      if (ms % 1000 === 300) tick();
      camera.clock.advanceUs(50_000);
    }
    assert.ok(joins.length >= 2 && joins.length <= 6, `${joins.length} restarts in 3 s`);
    assert.ok(joins[0]! <= 1_000_000 + 3_000_000 + 1_000_000, 'the first within a second');
  });

  it('does not start again when the new random access point came: the viewer was sent it', () => {
    const { camera, joins, want, tick } = makeRefresh();
    camera.keyPicture(1000);
    camera.clock.advanceUs(3_000_000);
    want();
    camera.clock.advanceUs(100_000);
    camera.keyPicture(1000);
    camera.clock.advanceUs(600_000);
    tick();
    assert.equal(joins.length, 0);
  });

  it('asks again for each later request when the source answers', () => {
    const { camera, joins, want, tick, keyframeRequests } = makeRefresh();
    camera.keyPicture(1000);
    for (let i = 0; i < 3; i++) {
      camera.clock.advanceUs(3_000_000);
      assert.equal(want(), false);
      assert.equal(keyframeRequests(), true);
      camera.clock.advanceUs(200_000);
      camera.keyPicture(1000);
      camera.clock.advanceUs(500_000);
      tick();
    }
    assert.equal(joins.length, 0);
  });
});
