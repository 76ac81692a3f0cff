/** What an owner sees: the page of the real daemon in real Chromium, from the first boot to picture and sound. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import {
  inboundStatistics,
  logInOnPage,
  openChromium,
  openPage,
  playCamera,
  playingSession,
  readFrameNumbers,
  untilInPage,
} from '../support/chromium.ts';
import { Daemon, type DaemonOptions, owner } from '../support/daemon.ts';

/** Pictures in the demo's loop, after which its counter begins again. */
const demoFrames = 300;

interface Scene {
  readonly browser: Browser;
  readonly daemon: Daemon;
  readonly page: Page;
  /** Addresses that the browser asked for, and what went wrong in the page's scripts. */
  readonly addresses: string[];
  readonly faults: string[];
}

/** A camera and an empty page of a new browser; undefined, with the test skipped, where there is no Chromium. */
async function open(t: TestContext, options: DaemonOptions = {}): Promise<Scene | undefined> {
  const browser = await openChromium(t);
  if (!browser) return undefined;
  const daemon = await Daemon.start(options);
  t.after(() => daemon.stop());
  const page = await openPage(browser);
  const addresses: string[] = [];
  const faults: string[] = [];
  page.on('request', request => addresses.push(request.url()));
  page.on('pageerror', error => faults.push(error.message));
  page.on('console', message => {
    // What a browser says when a policy of the page is broken, by whomever.
    if (/Content Security Policy/.test(message.text())) faults.push(message.text());
  });
  return { browser, daemon, page, addresses, faults };
}

/** The words that the view shows to people. */
function wordsOf(page: Page, view: 'login' | 'setup'): Promise<string> {
  return page.evaluate<string>(`document.getElementById('${view}-message').textContent`);
}

function focusOf(page: Page): Promise<string> {
  return page.evaluate<string>('document.activeElement.id');
}

async function checkPicture(page: Page): Promise<number[]> {
  const numbers = await readFrameNumbers(page, 3000);
  const steps = numbers.slice(1).map((number, i) => (number - numbers[i]! + demoFrames) % demoFrames);
  assert.ok(!numbers.includes(-1), 'a picture had no readable counter');
  assert.ok(numbers.length >= 45, `${numbers.length} pictures in 3 s`);
  assert.ok(
    steps.every(step => step < demoFrames / 2),
    `the counter went backwards: ${numbers}`,
  );
  return numbers;
}

async function checkSound(page: Page): Promise<void> {
  await page.evaluate(`document.querySelector('video').muted = false`);
  const { totalAudioEnergy } = await inboundStatistics(page, 'audio');
  await untilInPage(
    page,
    `testing.inbound('audio').then(now => now.totalAudioEnergy > ${totalAudioEnergy} + 0.001)`,
  );
}

test('an owner sets the camera up by its link, sees and hears it, logs out and in again', async t => {
  const scene = await open(t, { claim: false });
  if (!scene) return;
  const { daemon, page, addresses, faults } = scene;
  const user = { email: 'jörg@kamera.example', password: 'vier: Wörter, ein Doppelpunkt' };

  await page.goto(`${daemon.url}#setup=${daemon.token}`);
  await untilInPage(page, `__camera.state === 'setup'`);
  assert.equal(page.url(), daemon.url);
  assert.equal(await page.inputValue('#setup-token'), daemon.token);
  assert.equal(await focusOf(page), 'setup-email');
  await page.fill('#setup-email', user.email);
  await page.fill('#setup-password', 'abcd');
  assert.match((await page.textContent('#setup-advice')) ?? '', /8 more characters/);
  await page.fill('#setup-password', user.password);
  await page.fill('#setup-repeat', 'another');
  await page.press('#setup-repeat', 'Enter');
  assert.match(await wordsOf(page, 'setup'), /not the same/);
  assert.equal(await focusOf(page), 'setup-repeat');
  await page.fill('#setup-repeat', user.password);
  await page.press('#setup-repeat', 'Enter');

  await playingSession(page, '');
  const numbers = await checkPicture(page);
  await checkSound(page);
  const video = await inboundStatistics(page, 'video');
  const audio = await inboundStatistics(page, 'audio');
  t.diagnostic(
    JSON.stringify({ pictures: numbers.length, decoded: video.framesDecoded, freezes: video.freezeCount }),
  );
  assert.equal(video.packetsLost, 0);
  assert.equal(audio.packetsLost, 0);

  await page.reload();
  await playingSession(page, '');

  const token = await page.evaluate<string>(`sessionStorage.getItem('camera-token')`);
  await page.click('#log-out');
  await untilInPage(page, `__camera.state === 'login'`);
  assert.match(await wordsOf(page, 'login'), /You are logged out/);
  assert.equal(await focusOf(page), 'login-email');
  assert.equal(await page.evaluate('sessionStorage.length + localStorage.length'), 0);
  const withOldToken = (): Promise<Response> =>
    daemon.fetch('/api/v1/device', { headers: { 'x-token': token } });
  await daemon.until(async () => (await withOldToken()).status === 401 || undefined, 'the log-out');

  await logInOnPage(page, { ...user, password: 'vier' });
  await untilInPage(page, `document.getElementById('login-message').textContent !== ''`);
  assert.match(await wordsOf(page, 'login'), /E-mail or password is wrong/);
  assert.equal(await focusOf(page), 'login-password');
  await logInOnPage(page, user);
  await playingSession(page, '');
  await checkPicture(page);

  const newToken = await page.evaluate<string>(`sessionStorage.getItem('camera-token')`);
  for (const secret of [daemon.token, token, newToken, user.password])
    for (const form of [secret, encodeURIComponent(secret)])
      assert.ok(!addresses.some(address => address.includes(form)), 'a secret was part of an address');
  assert.deepEqual(faults, []);
  const audit = readFileSync(path.join(daemon.state, 'audit.log'), 'utf8');
  assert.match(audit, /Chrome on Linux/);

  await page.close();
  daemon.token = newToken;
  await daemon.until(
    async () => (await daemon.metric('opencamera_live_viewers')) === 0 || undefined,
    'leaving',
  );
});

test('a log-in that stays outlives its tab, and a log-out ends it in every tab', async t => {
  const scene = await open(t);
  if (!scene) return;
  const { daemon, browser } = scene;
  const profile = await browser.newContext();
  const page = await profile.newPage();
  await page.goto(daemon.url);
  await untilInPage(page, `__camera.state === 'login'`);
  await page.check('#login-stay');
  await logInOnPage(page, owner);
  await playingSession(page, '');
  const other = await profile.newPage();
  await other.goto(daemon.url);
  await playingSession(other, '');
  await other.click('#log-out');
  await untilInPage(page, `__camera.state === 'login'`);
  assert.match(await wordsOf(page, 'login'), /logged out in another tab/);
});

test('the page refreshes a short log-in by itself and goes on', async t => {
  const scene = await open(t, { flags: ['--accounts-session-seconds', '10'] });
  if (!scene) return;
  const { daemon, page, faults } = scene;
  const first = await playCamera(page, daemon.url, owner);
  await untilInPage(page, `__camera.refreshes >= 2`);
  assert.notEqual(await playingSession(page, first), first);
  const { state, reconnects } = await page.evaluate<{ state: string; reconnects: number }>('__camera');
  // A live session does not outlive the log-in that it began under; the next one took its place in time.
  assert.deepEqual({ state, reconnects }, { state: 'playing', reconnects: 0 });
  assert.deepEqual(faults, []);
});

test('a session that is ended from outside leads to the log-in, with words and without a reload', async t => {
  const scene = await open(t);
  if (!scene) return;
  const { daemon, page } = scene;
  await playCamera(page, daemon.url, owner);
  await page.evaluate('window.sameDocument = true');
  const token = await page.evaluate<string>(`sessionStorage.getItem('camera-token')`);
  const ended = await daemon.fetch('/api/v1/user/logout', { headers: { 'x-token': token } });
  assert.equal(ended.status, 200);
  await untilInPage(page, `__camera.state === 'login'`);
  assert.match(await wordsOf(page, 'login'), /ended this log-in/);
  assert.ok(await page.evaluate('window.sameDocument'));
  assert.equal(await page.evaluate(`testing.openConnections()`), 0);
  assert.equal(await page.evaluate('sessionStorage.length'), 0);
  await logInOnPage(page, owner);
  await playingSession(page, '');
});

test('a guesser at the log-in is told how long to wait, and may go on after it', async t => {
  const scene = await open(t, { flags: ['--accounts-free-login-failures', '1'] });
  if (!scene) return;
  const { daemon, page } = scene;
  await page.goto(daemon.url);
  await untilInPage(page, `__camera.state === 'login'`);
  const button = `document.querySelector('#login [type="submit"]')`;
  for (let i = 0; i < 4; i++) {
    await untilInPage(page, `${button}.textContent === 'Log in'`);
    await logInOnPage(page, { ...owner, password: `guess ${i}` });
  }
  await untilInPage(page, `/^Wait \\d+ s$/.test(${button}.textContent)`);
  assert.match(await wordsOf(page, 'login'), /Too many attempts have failed\. Please wait/);
  await untilInPage(page, `${button}.textContent === 'Log in'`);
  await logInOnPage(page, owner);
  await playingSession(page, '');
});

test('the page plays again by itself after its session was ended', async t => {
  const scene = await open(t);
  if (!scene) return;
  const { daemon, page } = scene;
  const session = await playCamera(page, daemon.url, owner);
  assert.equal(
    (await daemon.fetch(`/api/v1/media/live/session/${session}`, { method: 'DELETE' })).status,
    200,
  );
  assert.notEqual(await playingSession(page, session), session);
});

test('a phone sets the camera up and watches it under https', async t => {
  const scene = await open(t, { claim: false, flags: ['--https-enabled', 'true'] });
  if (!scene) return;
  const { daemon, browser } = scene;
  const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
  // The certificate is the camera's own, which an owner accepts once.
  const page = await (await browser.newContext({ ...phone, ignoreHTTPSErrors: true })).newPage();
  await page.goto(daemon.url);
  assert.match(daemon.url, /^https:/);
  await untilInPage(page, `__camera.state === 'setup'`);
  assert.equal(await focusOf(page), 'setup-token');
  await page.fill('#setup-token', 'WR0NGT0KEN');
  await page.fill('#setup-email', owner.email);
  await page.fill('#setup-password', owner.password);
  await page.fill('#setup-repeat', owner.password);
  await page.press('#setup-repeat', 'Enter');
  await untilInPage(page, `document.getElementById('setup-message').textContent !== ''`);
  assert.match(await wordsOf(page, 'setup'), /does not accept this setup token/);
  assert.equal(await focusOf(page), 'setup-token');
  // As somebody types it from the console: in small letters.
  await page.fill('#setup-token', daemon.token.toLowerCase());
  await page.tap('#setup [type="submit"]');
  await playingSession(page, '');
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
});

test('the page makes no further offer before the time that the camera asks for', async t => {
  const scene = await open(t, { flags: ['--live-offers-per-minute', '1'] });
  if (!scene) return;
  const { daemon, page, addresses } = scene;
  const session = await playCamera(page, daemon.url, owner);
  await daemon.fetch(`/api/v1/media/live/session/${session}`, { method: 'DELETE' });
  await untilInPage(page, `__camera.problem === 'rate-limited'`);
  const offers = (): number => addresses.filter(address => address.endsWith('/live/session')).length;
  const before = offers();
  await page.evaluate(`window.dispatchEvent(new Event('online'))`);
  await untilInPage(
    page,
    `/Next try in [1-5]\\d s/.test(document.getElementById('curtain-text').textContent)`,
  );
  assert.ok(await page.isHidden('#retry'));
  assert.equal(offers(), before);
});
