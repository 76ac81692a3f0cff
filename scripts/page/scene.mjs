// A camera that plays the demo and a Chromium to look at it, for the scripts beside this one; all of it goes with `close`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../../', import.meta.url));

export const owner = { email: 'owner@example.com', password: 'four words that rhyme' };

export const sizes = {
  desk: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

const sources = ['--source', 'demo', '--sub-source', 'demo', '--audio-source', 'demo'];

/** The camera has no user until `claim`. */
export async function openScene() {
  const state = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-page-'));
  const flags = ['--state', state, '--host', '127.0.0.1', '--port', '0', '--recorder-segment-seconds', '10'];
  const daemon = spawn(process.execPath, [path.join(root, 'dist/cli.js'), 'start', ...flags, ...sources], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await new Promise((resolve, reject) => {
    daemon.stdout.on('data', text => resolve(/http\S+/.exec(text)[0]));
    daemon.on('exit', () => reject(new Error('the camera ended')));
  });
  const token = readFileSync(path.join(state, 'setup-token'), 'utf8').trim();
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--autoplay-policy=no-user-gesture-required',
      '--disable-gpu',
      '--enable-precise-memory-info',
    ],
  });
  const claim = () =>
    fetch(`${url}api/v1/user`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-token': token },
      body: JSON.stringify(owner),
    });
  const close = async () => {
    await browser.close();
    daemon.kill('SIGKILL');
    rmSync(state, { recursive: true, force: true });
  };
  return { browser, daemon, url, token, claim, close };
}

/** Asks the page until the expression is true; Playwright's own waiting would need eval, which the page forbids. */
export async function until(page, expression) {
  for (const end = Date.now() + 30_000; Date.now() < end; await page.waitForTimeout(50))
    if (await page.evaluate(expression)) return;
  throw new Error(`not in 30 s: ${expression} ${await page.evaluate('JSON.stringify(__camera)')}`);
}
