/** The parts of the page that need no browser: its words for the camera's codes, and the arithmetic of the latency. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problems } from '../../src/http/problems.ts';
import { CameraProblem } from '../../src/web/api/camera-problem.ts';
import { type CaptureTimes, PictureLatency } from '../../src/web/live/picture-latency.ts';

test('has words for every problem that a viewer can meet', () => {
  for (const [code, { detail }] of Object.entries(problems))
    assert.ok(new CameraProblem({ code, detail }).message.length > 10, code);
  // A viewer cannot do anything about HTTP, so these must not fall back on the words of the protocol.
  for (const code of [
    'unauthorized',
    'credentials-invalid',
    'login-throttled',
    'hashing-busy',
    'accounts-damaged',
    'rate-limited',
    'connections-limited',
    'codec-unsupported',
    'viewer-limit',
    'source-not-ready',
    'worker-unavailable',
  ])
    assert.notEqual(new CameraProblem({ code, detail: 'x' }).message, 'x', code);
  assert.ok(new CameraProblem({ code: 'codec-unsupported' }).isLasting);
  assert.ok(!new CameraProblem({ code: 'viewer-limit' }).isLasting);
});

/** A receiver whose newest frame was captured at this time of the camera's clock. */
function receiverOf(captureTimestamp: number, rtpTimestamp: number): CaptureTimes {
  return { getSynchronizationSources: () => [{ captureTimestamp, rtpTimestamp }] };
}

test('measures from capture to screen on the clock of the camera', () => {
  const latency = new PictureLatency();
  const cameraAheadMs = 5000;
  const shownAt = 1000;
  const shownCameraUnixMs = performance.timeOrigin + shownAt + cameraAheadMs;
  const receiver = receiverOf(shownCameraUnixMs - 40, 90_000);
  assert.equal(latency.measure(receiver, { rtpTimestamp: 90_000, presentationTime: shownAt }), undefined);
  // The reading with the short round trip counts, not the later one.
  latency.addClockReading(performance.timeOrigin + 501 + cameraAheadMs, 500, 502);
  latency.addClockReading(performance.timeOrigin + 600 + cameraAheadMs, 600, 900);
  const near = (measured: number | undefined, expected: number): void =>
    assert.ok(Math.abs((measured ?? Number.NaN) - expected) < 0.1, `${measured}`);
  near(latency.measure(receiver, { rtpTimestamp: 90_000, presentationTime: shownAt }), 40);
  // The frame on the screen is one before the newest: it was captured 1/30 s earlier.
  near(latency.measure(receiver, { rtpTimestamp: 87_000, presentationTime: shownAt }), 40 + 1000 / 30);
  // RTP timestamps wrap around.
  const wrapped = receiverOf(shownCameraUnixMs - 40, 1000);
  near(latency.measure(wrapped, { rtpTimestamp: 2 ** 32 - 2000, presentationTime: shownAt }), 40 + 1000 / 30);
  // Some browsers count from the epoch of NTP.
  const ntp = receiverOf(shownCameraUnixMs - 40 + 2_208_988_800_000, 90_000);
  near(latency.measure(ntp, { rtpTimestamp: 90_000, presentationTime: shownAt }), 40);
});

test('takes an impossible age for no measurement', () => {
  const latency = new PictureLatency();
  latency.addClockReading(performance.timeOrigin + 1, 0, 2);
  const measure = (captureUnixMs: number): unknown =>
    latency.measure(receiverOf(captureUnixMs, 0), { rtpTimestamp: 0, presentationTime: 10 });
  assert.equal(measure(performance.timeOrigin + 1000), undefined);
  assert.equal(measure(performance.timeOrigin - 100_000), undefined);
  assert.equal(latency.measure({}, { rtpTimestamp: 0, presentationTime: 10 }), undefined);
});

test('estimates from jitter buffer, half the round trip and the decoder', () => {
  assert.equal(PictureLatency.estimate({ jitterBufferMs: 20, roundTripMs: 10, decodeMs: 2 }), 27);
  assert.equal(PictureLatency.estimate({ jitterBufferMs: 20 }), 20);
  assert.equal(PictureLatency.estimate({}), undefined);
});
