/** What happens to a page that is watched while the camera, the network or the log-in goes away: it says so and comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logInOnPage, playCamera, playingSession, untilInPage } from '../support/chromium.ts';
import { owner } from '../support/daemon.ts';
import { recordingStart, until } from '../support/recorded.ts';
import { openScene, shownMoment, showView, wordsOf } from './page-fixture.ts';

/** Asks a free port of the system, so that the camera comes back where the page knows it. */
async function freePort(): Promise<string> {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return String(port);
}

test('the picture comes back by itself after the camera was killed and started again', async t => {
  const scene = await openScene(t, 'desk', { flags: ['--port', await freePort()] });
  if (!scene) return;
  const { daemon, page } = scene;
  const first = await playCamera(page, daemon.url, owner);
  await page.evaluate('window.sameDocument = true');
  await daemon.end('SIGKILL');
  await untilInPage(page, `__camera.state === 'waiting'`);
  assert.match(await wordsOf(page, '#curtain-text'), /cannot be reached|stopped|broke|restarted/);
  assert.match(await wordsOf(page, '#state'), /Reconnecting/);
  await daemon.restart();
  await playingSession(page, first);
  assert.ok(await page.evaluate('window.sameDocument'));
  assert.equal(await page.evaluate('__camera.reconnects'), 1);
  assert.deepEqual(scene.faults, []);
});

test('a page without a network says so, and goes on as soon as there is one', async t => {
  const scene = await openScene(t, 'desk');
  if (!scene) return;
  const { daemon, page } = scene;
  const session = await playCamera(page, daemon.url, owner);
  await page.context().setOffline(true);
  // The browser's emulation leaves UDP alone; the camera ends the picture as a broken way would.
  await daemon.fetch(`/api/v1/media/live/session/${session}`, { method: 'DELETE' });
  await untilInPage(page, `__camera.problem === 'offline'`);
  assert.match(await wordsOf(page, '#curtain-text'), /This device has no network/);
  await page.context().setOffline(false);
  await playingSession(page, session);
});

test('a log-in that ends while one watches leads to the log-in and back, without a reload', async t => {
  const scene = await openScene(t, 'desk', { flags: ['--recorder-segment-seconds', '10'] });
  if (!scene) return;
  const { daemon, page } = scene;
  await playCamera(page, daemon.url, owner);
  await page.evaluate('window.sameDocument = true');
  const start = await recordingStart(daemon);
  await until(start + 4000);
  await showView(page, `timeline/${new Date(start + 1000).toISOString()}`);
  await shownMoment(page);
  const token = await page.evaluate<string>(`sessionStorage.getItem('camera-token')`);
  assert.equal((await daemon.fetch('/api/v1/user/logout', { headers: { 'x-token': token } })).status, 200);
  await untilInPage(page, `__camera.state === 'login'`);
  assert.match(await wordsOf(page, '#login-message'), /ended this log-in/);
  await logInOnPage(page, owner);
  // Where one was is where one is again.
  await untilInPage(page, `__camera.state === 'timeline'`);
  assert.ok(Math.abs((await shownMoment(page)) - (start + 1000)) < 2);
  // And while the live picture plays.
  await showView(page, 'live');
  await playingSession(page, '');
  const second = await page.evaluate<string>(`sessionStorage.getItem('camera-token')`);
  assert.equal((await daemon.fetch('/api/v1/user/logout', { headers: { 'x-token': second } })).status, 200);
  await untilInPage(page, `__camera.state === 'login'`);
  await logInOnPage(page, owner);
  await playingSession(page, '');
  assert.ok(await page.evaluate('window.sameDocument'));
  assert.deepEqual(scene.faults, []);
});

test('a page that slept through the end of its live session plays again when it wakes', async t => {
  const scene = await openScene(t, 'desk');
  if (!scene) return;
  const { daemon, page } = scene;
  const first = await playCamera(page, daemon.url, owner);
  // What a sleeping tab is: its scripts stand still while the camera goes on without it.
  const devTools = await page.context().newCDPSession(page);
  await devTools.send('Debugger.enable');
  const asleep = new Promise(resolve => devTools.once('Debugger.paused', resolve));
  await devTools.send('Debugger.pause');
  // It stands at the next line that would run: a tick of the page.
  await asleep;
  await daemon.fetch(`/api/v1/media/live/session/${first}`, { method: 'DELETE' });
  await daemon.until(
    async () => (await daemon.metric('opencamera_live_viewers')) === 0 || undefined,
    'the end of the session',
  );
  await devTools.send('Debugger.resume');
  await devTools.send('Debugger.disable');
  await playingSession(page, first);
});
