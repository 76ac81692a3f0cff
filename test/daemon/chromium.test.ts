/** What an owner sees: the page of the real daemon in real Chromium, its picture and its sound. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  inboundStatistics,
  openChromium,
  openPage,
  playCamera,
  playingSession,
  readFrameNumbers,
  untilInPage,
} from '../support/chromium.ts';
import { Daemon } from '../support/daemon.ts';

/** Pictures in the demo's loop, after which its counter begins again. */
const demoFrames = 300;

test('the page shows the moving, sounding demo camera after the token was entered', async t => {
  const browser = await openChromium(t);
  if (!browser) return;
  const daemon = await Daemon.start();
  t.after(() => daemon.stop());
  const page = await openPage(browser);
  await playCamera(page, daemon.url, daemon.token);

  const numbers = await readFrameNumbers(page, 3000);
  const steps = numbers.slice(1).map((number, i) => (number - numbers[i]! + demoFrames) % demoFrames);
  assert.ok(!numbers.includes(-1), 'a picture had no readable counter');
  assert.ok(numbers.length >= 45, `${numbers.length} pictures in 3 s`);
  assert.ok(
    steps.every(step => step < demoFrames / 2),
    `the counter went backwards: ${numbers}`,
  );

  await page.evaluate(`document.querySelector('video').muted = false`);
  const { totalAudioEnergy } = await inboundStatistics(page, 'audio');
  await untilInPage(
    page,
    `testing.inbound('audio').then(now => now.totalAudioEnergy > ${totalAudioEnergy} + 0.001)`,
  );
  const video = await inboundStatistics(page, 'video');
  const audio = await inboundStatistics(page, 'audio');
  t.diagnostic(
    JSON.stringify({ pictures: numbers.length, decoded: video.framesDecoded, freezes: video.freezeCount }),
  );
  assert.equal(video.packetsLost, 0);
  assert.equal(audio.packetsLost, 0);

  await page.close();
  await daemon.until(
    async () => (await daemon.metric('opencamera_live_viewers')) === 0 || undefined,
    'leaving',
  );
});

test('the page plays again by itself after its session was ended', async t => {
  const browser = await openChromium(t);
  if (!browser) return;
  const daemon = await Daemon.start();
  t.after(() => daemon.stop());
  const page = await openPage(browser);
  const session = await playCamera(page, daemon.url, daemon.token);
  assert.equal(
    (await daemon.fetch(`/api/v1/media/live/session/${session}`, { method: 'DELETE' })).status,
    200,
  );
  assert.notEqual(await playingSession(page, session), session);
});
