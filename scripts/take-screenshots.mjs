// Takes pictures of every view of the web page, light and dark, at the sizes of a desk and of a phone, with a camera that
// plays the demo: `node scripts/take-screenshots.mjs FOLDER [SECONDS]` after `npm run build`. Needs Chromium. The camera records
// for so many seconds first (60 unless told), so that there is something on its time line.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const [folder = 'screenshots', seconds = '60'] = process.argv.slice(2);
const root = fileURLToPath(new URL('../', import.meta.url));
const user = { email: 'owner@example.com', password: 'four words that rhyme' };
const state = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-shots-'));
mkdirSync(folder, { recursive: true });

const daemon = spawn(
  process.execPath,
  [
    path.join(root, 'dist/cli.js'),
    'start',
    ...['--state', state, '--host', '127.0.0.1', '--port', '0', '--source', 'demo', '--audio-source', 'demo'],
    ...['--recorder-segment-seconds', '10', '--sub-source', 'demo'],
  ],
  { stdio: ['ignore', 'pipe', 'ignore'] },
);
const url = await new Promise((resolve, reject) => {
  daemon.stdout.on('data', text => resolve(/http\S+/.exec(text)[0]));
  daemon.on('exit', () => reject(new Error('the camera ended')));
});
const token = readFileSync(path.join(state, 'setup-token'), 'utf8').trim();
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--disable-gpu'],
});
const sizes = {
  desk: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

async function until(page, expression) {
  for (const end = Date.now() + 20_000; Date.now() < end; await page.waitForTimeout(50))
    if (await page.evaluate(expression)) return;
  throw new Error(`not in 20 s: ${expression} ${await page.evaluate('JSON.stringify(__camera)')}`);
}

async function shoot(page, name, fullPage = false) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate('scrollTo(0, 0)');
    await page.waitForTimeout(400);
    await page.screenshot({ path: path.join(folder, `${name}-${colorScheme}.png`), fullPage });
  }
}

const pages = [];
for (const [size, options] of Object.entries(sizes)) {
  const page = await (await browser.newContext(options)).newPage();
  page.on('pageerror', error => console.error(size, error.message));
  pages.push([size, page]);
  await page.goto(`${url}#setup=${token}`);
  await until(page, `__camera.state === 'setup'`);
  await page.fill('#setup-email', user.email);
  await page.fill('#setup-password', user.password);
  await shoot(page, `setup-${size}`, true);
  await page.goto('about:blank');
}
await fetch(`${url}api/v1/user`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-token': token },
  body: JSON.stringify(user),
});
for (const [size, page] of pages) {
  await page.goto(url);
  await until(page, `__camera.state === 'login'`);
  await page.fill('#login-email', user.email);
  await shoot(page, `login-${size}`);
  await page.fill('#login-password', 'wrong password');
  await page.press('#login-password', 'Enter');
  await page.waitForTimeout(1500);
  await shoot(page, `login-wrong-${size}`);
  await page.waitForTimeout(1500);
  await page.fill('#login-password', user.password);
  await page.press('#login-password', 'Enter');
  await until(page, `__camera.state === 'playing'`);
  await page.evaluate(`location.hash = 'settings'`);
}
await new Promise(resolve => setTimeout(resolve, Number(seconds) * 1000));
for (const [size, page] of pages) {
  await page.evaluate(`location.hash = 'live'`);
  await until(page, `__camera.state === 'playing'`);
  await page.waitForTimeout(2500);
  await shoot(page, `live-${size}`);
  await page.click('#statistics');
  await page.waitForTimeout(2500);
  await shoot(page, `live-facts-${size}`, size === 'phone');
  await page.evaluate(`location.hash = 'timeline'`);
  await until(page, `__camera.playerState === 'ready' && !__camera.isBusy`);
  await page.waitForTimeout(500);
  await shoot(page, `timeline-${size}`);
  await page.evaluate(`location.hash = 'export'`);
  await until(page, `__camera.bytes > 0`);
  await shoot(page, `export-${size}`, true);
  await page.click('#share');
  await page.waitForTimeout(500);
  await shoot(page, `export-link-${size}`, true);
  await page.evaluate(`location.hash = 'settings'`);
  await until(
    page,
    `document.querySelectorAll('#log li').length > 3 && document.querySelector('#sessions li')`,
  );
  await page.click('#ice-add');
  await shoot(page, `settings-${size}`, true);
  await page.evaluate(`location.hash = 'live'`);
  await until(page, `__camera.state === 'playing'`);
}
daemon.kill('SIGKILL');
for (const [size, page] of pages) {
  await until(page, `__camera.state === 'waiting'`);
  await shoot(page, `lost-${size}`);
}
await browser.close();
rmSync(state, { recursive: true, force: true });
