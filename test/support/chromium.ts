/** Debian's Chromium, driven by playwright-core: headless, quiet, in a new empty profile. */
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { requireProgram } from './requires.ts';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

/** A browser that is closed after the test; undefined, with the test skipped, where there is none. */
export async function openChromium(t: TestContext): Promise<Browser | undefined> {
  if (!requireProgram(t, 'chromium')) return undefined;
  const executablePath = spawnSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).stdout.trim();
  const browser = await chromium.launch({ executablePath, headless: true, args: flags });
  t.after(() => browser.close());
  return browser;
}

/** A page in which `window.testing` of in-page.js is there. */
export async function openPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
  await page.addInitScript({ path: fileURLToPath(new URL('./in-page.js', import.meta.url)) });
  return page;
}

/** What the tests read of inbound-rtp statistics. */
export interface InboundStatistics {
  readonly packetsLost: number;
  readonly framesDecoded: number;
  readonly freezeCount: number;
  readonly totalAudioEnergy: number;
  readonly totalSamplesReceived: number;
  readonly concealedSamples: number;
}

export function inboundStatistics(page: Page, kind: 'video' | 'audio'): Promise<InboundStatistics> {
  return page.evaluate<InboundStatistics>(`testing.inbound('${kind}')`);
}

/** The numbers of the pictures that the page presents within `ms`; -1 where none could be read. */
export function readFrameNumbers(page: Page, ms: number): Promise<number[]> {
  return page.evaluate<number[]>(`testing.frameNumbers(${ms})`);
}

/** Opens the camera's page, logs in and resolves to the id of the live session once the picture plays. */
export async function playCamera(page: Page, url: string, user: Credentials): Promise<string> {
  await page.goto(url);
  await untilInPage(page, `__camera.state === 'login'`);
  await logInOnPage(page, user);
  return playingSession(page, '');
}

/** Fills in the log-in that the page shows, and sends it as the Enter key does. */
export async function logInOnPage(page: Page, { email, password }: Credentials): Promise<void> {
  await page.fill('#login-email', email);
  await page.fill('#login-password', password);
  await page.press('#login-password', 'Enter');
}

/** What one logs in with. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** Resolves when the page plays a session other than `earlier`, to its id. */
export function playingSession(page: Page, earlier: string): Promise<string> {
  return untilInPage(
    page,
    `__camera.state === 'playing' && __camera.sessionId !== '${earlier}' && __camera.sessionId`,
  );
}

/** Asks the page until the expression is truthy; Playwright's own waiting would need eval, which the page forbids. */
export async function untilInPage<T>(page: Page, expression: string): Promise<T> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    const value = await page.evaluate<T>(expression);
    if (value) return value;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`not in 20 s: ${expression}; ${await page.evaluate('JSON.stringify(__camera)')}`);
}
