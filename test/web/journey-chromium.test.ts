/** The owner's way through the whole page, on a desk and on a phone, with the real daemon: nothing in it is made up. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import {
  inboundStatistics,
  logInOnPage,
  playingSession,
  readFrameNumbers,
  untilInPage,
} from '../support/chromium.ts';
import { oracleOf, recordingStart, testFolder, until } from '../support/recorded.ts';
import type { RecordingOracle } from '../support/recording-oracle.ts';
import { requireProgram } from '../support/requires.ts';
import { demoMedia } from '../support/test-media.ts';
import { freePort, upgradeFirmware } from './firmware-steps.ts';
import { type Device, openScene, type Scene, shownMoment, showView, wordsOf } from './page-fixture.ts';

const user = { email: 'owner@camera.example', password: 'four words that rhyme' };
const frameMs = 1000 / demoMedia.framesPerSecond;

async function setUp({ page, daemon }: Scene): Promise<void> {
  await page.goto(`${daemon.url}#setup=${daemon.token}`);
  await untilInPage(page, `__camera.state === 'setup'`);
  await page.fill('#setup-email', user.email);
  await page.fill('#setup-password', 'too short');
  await page.press('#setup-password', 'Enter');
  assert.match(await wordsOf(page, '#setup-message'), /3 more characters/);
  await page.fill('#setup-password', user.password);
  await page.fill('#setup-repeat', user.password);
  await page.press('#setup-repeat', 'Enter');
  await playingSession(page, '');
  daemon.token = await page.evaluate<string>(`sessionStorage.getItem('camera-token')`);
}

async function watchLive({ page }: Scene): Promise<void> {
  const numbers = await readFrameNumbers(page, 1500);
  // A browser that is late may present a picture again; it never goes back to an earlier one.
  const shown = numbers.filter((number, i) => number !== numbers[i - 1]);
  assert.ok(shown.length >= 10 && !shown.includes(-1), `${numbers}`);
  assert.equal(new Set(shown).size, shown.length, `the counter does not advance: ${numbers}`);
  const { totalAudioEnergy } = await inboundStatistics(page, 'audio');
  await page.click('#sound');
  await untilInPage(page, `testing.inbound('audio').then(now => now.totalAudioEnergy > ${totalAudioEnergy})`);
  const [snapshot] = await Promise.all([page.waitForEvent('download'), page.click('#snapshot')]);
  assert.match(snapshot.suggestedFilename(), /^camera-\d{4}-.*\.png$/);
  await page.click('#statistics');
  await untilInPage(page, `/H\\.264/.test(document.querySelector('.facts')?.textContent ?? '')`);
  await untilInPage(page, `/\\d ms/.test(document.querySelector('.facts').textContent)`);
}

/**
 * The picture's number has to be one that was taken within a frame of the moment. A browser under load shows the picture
 * of a seek a moment after it says that the seek is over.
 */
async function checkPicture(page: Page, unixMs: number, oracle: RecordingOracle): Promise<void> {
  const near = oracle.moments
    .filter(moment => Math.abs(moment.unixMs - unixMs) <= frameMs + 2)
    .map(({ number }) => number);
  assert.ok(near.length > 0);
  await untilInPage(page, `[${near}].includes(testing.frameNumber())`);
}

async function scrub(t: TestContext, scene: Scene, device: Device): Promise<void> {
  const { page, daemon } = scene;
  const startUnixMs = await recordingStart(daemon);
  await until(startUnixMs + 11_000);
  const range = { startUnixMs, endUnixMs: startUnixMs + 9_000 };
  const oracle = await oracleOf(daemon, range, { media: demoMedia, folder: testFolder(t) });
  for (const ms of [5123, 1510, 8040]) {
    await showView(page, `timeline/${new Date(startUnixMs + ms).toISOString()}`);
    await untilInPage(page, `Math.abs(__camera.positionUnixMs - ${startUnixMs + ms}) < 1`);
    assert.ok(Math.abs((await shownMoment(page)) - (startUnixMs + ms)) < 2);
    await checkPicture(page, startUnixMs + ms, oracle);
  }
  // Dragged to the right, the line shows what was before; how far is the scale's to say.
  for (let i = 0; i < 9; i++) await page.press('.strip', '+');
  const before = await shownMoment(page);
  const box = (await page.locator('.strip').boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (const dx of [20, 45, 80]) await page.mouse.move(x + dx, y);
  await page.mouse.up();
  await untilInPage(page, `__camera.positionUnixMs < ${before} - 500`);
  await checkPicture(page, await shownMoment(page), oracle);
  if (device === 'phone') return;
  const paused = await shownMoment(page);
  await page.press('.strip', 'Shift+ArrowLeft');
  await untilInPage(page, `Math.abs(__camera.positionUnixMs - ${paused - 1000}) < 2`);
  await page.selectOption('#speed', '2');
  await page.click('#play');
  await untilInPage(page, `__camera.positionUnixMs > ${paused}`);
  assert.equal(await page.evaluate(`document.querySelector('video').playbackRate`), 2);
}

async function exportClip(t: TestContext, { page, daemon }: Scene): Promise<void> {
  const start = Math.ceil((await recordingStart(daemon)) / 1000) * 1000;
  const iso = (ms: number): string => new Date(start + ms).toISOString();
  await showView(page, `export/${iso(1000)}/${iso(8000)}`);
  const bytes = await untilInPage<number>(page, `__camera.bytes`);
  assert.match(await wordsOf(page, '#clip-facts'), /Length7 s.*nothing is missing/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')]);
  assert.match(download.suggestedFilename(), /^camera-.*\.mp4$/);
  const file = path.join(testFolder(t), 'clip.mp4');
  await download.saveAs(file);
  assert.equal(statSync(file).size, bytes);
  const probed = spawnSync(
    'ffprobe',
    ['-v', 'error', '-show_entries', 'format=duration:stream=codec_name', '-of', 'json', file],
    { encoding: 'utf8' },
  );
  const { format, streams } = JSON.parse(probed.stdout) as {
    format: { duration: string };
    streams: readonly { codec_name: string }[];
  };
  assert.ok(Math.abs(Number(format.duration) - 7) < 0.1, format.duration);
  assert.deepEqual(streams.map(({ codec_name: name }) => name).sort(), ['flac', 'h264']);

  await page.click('#share');
  const link = await untilInPage<string>(page, `document.querySelector('#link')?.value`);
  const shared = await fetch(link, { headers: { range: 'bytes=0-9' } });
  assert.equal(shared.status, 206);
  await shared.arrayBuffer();
}

async function changeSettings({ page, daemon }: Scene): Promise<void> {
  const other = await daemon.logIn(user.email, user.password);
  await showView(page, 'settings');
  await untilInPage(page, `document.querySelectorAll('#sessions li').length === 2`);
  await untilInPage(page, `/Recording/.test(document.querySelector('#storage').textContent)`);
  await page.click('#sessions .danger');
  await untilInPage(page, `document.querySelectorAll('#sessions li').length === 1`);
  assert.equal((await daemon.fetch('/api/v1/device', { headers: { 'x-token': other } })).status, 401);

  await page.click('#ice-add');
  await page.fill('.server input', 'no-such-name.invalid:3478');
  await page.click('.server .quiet');
  await untilInPage(
    page,
    `/Does not work/.test(document.querySelector('.server [role=status]').textContent)`,
  );
  await page.fill('.server input', 'http://wrong');
  await page.click('#ice-save');
  await untilInPage(
    page,
    `/Server 1: write host:port/.test(document.querySelector('#ice-message').textContent)`,
  );
  await page.fill('.server input', 'stun.example.org:3478');
  await page.click('#ice-save');
  await untilInPage(page, `/Saved/.test(document.querySelector('#ice-message').textContent)`);

  await untilInPage(page, `/audit: session-ended/.test(document.querySelector('#log').textContent)`);

  await page.fill('#new-password', 'another four words');
  await page.fill('#new-repeat', 'another four words');
  await page.press('#new-repeat', 'Enter');
  await untilInPage(page, `/is changed/.test(document.querySelector('#password-message').textContent)`);
}

async function logOut({ page }: Scene): Promise<void> {
  await page.click('#log-out');
  await untilInPage(page, `__camera.state === 'login'`);
  assert.match(await wordsOf(page, '#login-message'), /You are logged out/);
  assert.equal(await page.evaluate(`sessionStorage.length`), 0);
  await logInOnPage(page, { ...user, password: 'another four words' });
  await untilInPage(page, `__camera.state === 'settings'`);
}

for (const device of ['desk', 'phone'] as const)
  test(`first boot, live, time line, export, settings, firmware, log-out: ${device}`, async t => {
    if (!requireProgram(t, 'ffprobe')) return;
    const scene = await openScene(t, device, {
      claim: false,
      flags: [
        ...demoMedia.flags,
        ...['--recorder-segment-seconds', '10', '--port', await freePort()],
        ...['--firmware-development-key', 'true', '--firmware-uploads-per-hour', '100'],
      ],
    });
    if (!scene) return;
    await setUp(scene);
    await watchLive(scene);
    await scrub(t, scene, device);
    await exportClip(t, scene);
    await changeSettings(scene);
    await upgradeFirmware(scene, device, testFolder(t));
    await logOut(scene);
    assert.ok(
      await scene.page.evaluate(
        `(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.documentElement)`,
      ),
      'the page is wider than the screen',
    );
    assert.deepEqual(scene.faults, []);
    const origin = new URL(scene.daemon.url).origin;
    const foreign = scene.requests.filter(
      request => !request.includes(` ${origin}/`) && !request.includes(' blob:'),
    );
    assert.deepEqual(foreign, []);
  });
