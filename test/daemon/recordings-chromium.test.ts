/** A clip in Chromium, by a signed link as the source of a `<video>` element: it plays, with sound, and seeks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openChromium, openPage } from '../support/chromium.ts';
import { clipPath } from '../support/clip-client.ts';
import { Daemon } from '../support/daemon.ts';
import { oracleOf, recordingStart, testFolder, until } from '../support/recorded.ts';
import { demoMedia } from '../support/test-media.ts';

test('a clip plays and seeks in Chromium from a signed link', async t => {
  const browser = await openChromium(t);
  if (!browser) return;
  const folder = testFolder(t);
  const daemon = await Daemon.start({ flags: [...demoMedia.flags, '--recorder-segment-seconds', '10'] });
  t.after(() => daemon.stop());
  const startUnixMs = await recordingStart(daemon);
  await until(startUnixMs + 12_500);
  const range = { startUnixMs: startUnixMs + 1234, endUnixMs: startUnixMs + 12_000 };
  const oracle = await oracleOf(daemon, range, { media: demoMedia, folder });
  const linked = await daemon.fetch('/api/v1/media/vod/link', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ start: String(range.startUnixMs), end: String(range.endUnixMs) }),
  });
  const { url } = (await linked.json()) as { url: string };
  assert.match(url, new RegExp(`^${clipPath({ ...range, format: 'mp4', audio: 'flac' }).slice(0, 18)}`));

  const page = await openPage(browser);
  // A page of the test's own on the camera's origin, so that the pictures may be read.
  await page.route('**/clip-in-a-page', route =>
    route.fulfill({
      contentType: 'text/html',
      body: `<video controls width="1000" src="${url.replaceAll('&', '&amp;')}"></video>`,
    }),
  );
  await page.goto(`${daemon.url}clip-in-a-page`);
  const video = `document.querySelector('video')`;
  await page.evaluate(`new Promise((resolve, reject) => {
    ${video}.addEventListener('error', () => reject(new Error(${video}.error.message)));
    if (${video}.readyState >= 2) resolve(); else ${video}.addEventListener('loadeddata', () => resolve());
  })`);
  const seconds = await page.evaluate<number>(`${video}.duration`);
  assert.ok(Math.abs(seconds - (range.endUnixMs - range.startUnixMs) / 1000) < 0.05, `${seconds} s`);

  /** The number of the picture shown after a seek, and when it is shown by the element's own clock. */
  async function seek(to: number): Promise<{ number: number; mediaTime: number }> {
    return page.evaluate<{ number: number; mediaTime: number }>(`new Promise(resolve => {
      ${video}.requestVideoFrameCallback(async (_, { mediaTime }) => {
        const canvas = new OffscreenCanvas(1280, 2);
        const context = canvas.getContext('2d');
        context.drawImage(${video}, 0, 16, 1280, 2, 0, 0, 1280, 2);
        const { data } = context.getImageData(0, 0, 1280, 1);
        let number = 0;
        for (let cell = 2; cell < 18; cell++)
          number = number * 2 + (data[4 * Math.floor(((cell + 0.5) * 1280) / 24)] > 128 ? 1 : 0);
        resolve({ number, mediaTime });
      });
      ${video}.currentTime = ${to};
    })`);
  }

  for (const to of [9.5, 0.5, 5.01, 10.2]) {
    const { number } = await seek(to);
    const near = oracle.moments.filter(
      ({ unixMs }) => Math.abs(unixMs - (range.startUnixMs + to * 1000)) <= 40,
    );
    assert.ok(
      near.some(moment => moment.number === number),
      `at ${to} s: ${number}, not one of ${near.map(moment => moment.number)}`,
    );
  }

  await seek(1);
  const { decoded } = await page.evaluate<{ decoded: number }>(`(async () => {
    await ${video}.play();
    const from = ${video}.webkitAudioDecodedByteCount;
    await new Promise(resolve => {
      const look = () => (${video}.currentTime > 3 ? resolve() : ${video}.requestVideoFrameCallback(look));
      look();
    });
    return { decoded: ${video}.webkitAudioDecodedByteCount };
  })()`);
  assert.ok(decoded > 0, 'no sound was decoded');
  assert.equal(await page.evaluate(`${video}.error`), null);
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
});
