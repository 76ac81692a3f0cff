import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AudioTimestamps, VideoTimestamps } from '../../src/live/rtp-timestamps.ts';

/** Small enough for exact arithmetic, large as a machine's uptime. */
const startUs = 400_000_000_000;

describe('timestamps of video', () => {
  it('follow the capture clock at 90 kHz', () => {
    const timestamps = new VideoTimestamps();
    const first = timestamps.stamp(startUs);
    assert.equal(timestamps.stamp(startUs + 33_333) - first, 3000);
    assert.equal(timestamps.stamp(startUs + 1_000_000) - first, 90_000);
    // Ten hours on there is no drift.
    assert.equal(timestamps.stamp(startUs + 36e9) - first, 3_240_000_000);
  });

  it('always rise, whatever the capture clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3_000_000, max: 3_000_000 }), { maxLength: 50 }), steps => {
        const timestamps = new VideoTimestamps();
        let captureUs = startUs;
        let last = -1;
        for (const step of steps) {
          captureUs += step;
          const timestamp = timestamps.stamp(captureUs);
          assert.ok(timestamp > last);
          last = timestamp;
        }
      }),
    );
  });

  it('rise in least steps while older pictures are sent again, and are on the clock again afterwards', () => {
    const timestamps = new VideoTimestamps();
    const first = timestamps.stamp(startUs);
    for (let i = 1; i <= 60; i++) timestamps.stamp(startUs + i * 33_333);
    const edge = timestamps.stamp(startUs + 2_033_333);
    for (let i = 0; i < 60; i++) assert.equal(timestamps.stamp(startUs + i * 33_333), edge + 1 + i);
    assert.equal(timestamps.stamp(startUs + 3_000_000) - first, 270_000);
  });

  it('tell the timestamp of any moment by the clock, also while older pictures are sent again', () => {
    const timestamps = new VideoTimestamps();
    const first = timestamps.stamp(startUs);
    timestamps.stamp(startUs + 2_000_000);
    timestamps.stamp(startUs + 500_000);
    assert.equal(timestamps.at(startUs + 2_000_000) - first, 180_000);
  });
});

describe('timestamps of sound', () => {
  it('count samples under a jitter of the capture clock', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -25_000, max: 25_000 }), { minLength: 2 }), jitter => {
        const timestamps = new AudioTimestamps();
        const first = timestamps.stamp(startUs, 160);
        for (const [i, us] of jitter.entries())
          assert.equal(timestamps.stamp(startUs + (i + 1) * 20_000 + us, 160) - first, (i + 1) * 160);
      }),
    );
  });

  it('count the samples of records of any length', () => {
    const timestamps = new AudioTimestamps();
    const first = timestamps.stamp(startUs, 80);
    assert.equal(timestamps.stamp(startUs + 10_000, 320) - first, 80);
    assert.equal(timestamps.stamp(startUs + 50_000, 160) - first, 400);
  });

  it('leave out the samples of a gap', () => {
    const timestamps = new AudioTimestamps();
    const first = timestamps.stamp(startUs, 160);
    assert.equal(timestamps.stamp(startUs + 1_020_000, 160) - first, 8160);
    assert.equal(timestamps.stamp(startUs + 1_040_000, 160) - first, 8320);
  });

  it('never fall when the capture clock goes back, and stay a count of samples from there on', () => {
    const timestamps = new AudioTimestamps();
    const first = timestamps.stamp(startUs, 160);
    for (let i = 0; i < 100; i++)
      assert.equal(timestamps.stamp(startUs - 5_000_000 + i * 20_000, 160) - first, 160 + 160 * i);
  });

  for (const [name, partsPerMillion] of [
    ['slow', -500],
    ['fast', 500],
  ] as const)
    it(`stay a count of samples when the sound card is ${name}, and the moment of a sample is still right`, () => {
      const timestamps = new AudioTimestamps();
      const first = timestamps.stamp(startUs, 160);
      const periodUs = 20_000 * (1 - partsPerMillion / 1e6);
      // Ten minutes: 300 ms apart in the end.
      for (let i = 1; i < 30_000; i++) {
        const captureUs = startUs + i * periodUs;
        const timestamp = timestamps.stamp(captureUs, 160);
        if (timestamp - first !== i * 160) assert.fail(`frame ${i} is at ${timestamp - first}`);
        if (Math.abs(timestamps.at(captureUs) - timestamp) > 8)
          assert.fail(`frame ${i} is told off by ${timestamps.at(captureUs) - timestamp} samples`);
      }
    });

  it('tell the moment of a sample within a millisecond although each frame jitters by five', () => {
    const timestamps = new AudioTimestamps();
    const first = timestamps.stamp(startUs, 160);
    let jitter = 1;
    for (let i = 1; i < 3000; i++) {
      // A full period of all residues; its mean is 0.
      jitter = (jitter * 7919) % 10_007;
      timestamps.stamp(startUs + i * 20_000 + jitter - 5003, 160);
      if (i < 300) continue;
      const off = timestamps.at(startUs + i * 20_000) - first - i * 160;
      if (Math.abs(off) > 8) assert.fail(`frame ${i} is told off by ${off} samples`);
    }
  });
});
