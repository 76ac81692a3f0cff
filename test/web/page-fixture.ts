/** A camera and its page in Chromium, at the size of a desk or of a phone; what goes wrong in the page is kept. */
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openChromium, untilInPage } from '../support/chromium.ts';
import { Daemon, type DaemonOptions } from '../support/daemon.ts';

export const devices = {
  desk: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
} as const satisfies Record<string, BrowserContextOptions>;

export type Device = keyof typeof devices;

export interface Scene {
  readonly browser: Browser;
  readonly daemon: Daemon;
  readonly page: Page;
  /** Every request of the page, as `METHOD URL`. */
  readonly requests: string[];
  /** Exceptions of the page's scripts, and breaches of its policy. */
  readonly faults: string[];
}

/** Undefined, with the test skipped, where there is no Chromium. */
export async function openScene(
  t: TestContext,
  device: Device,
  options: DaemonOptions = {},
): Promise<Scene | undefined> {
  const browser = await openChromium(t);
  if (!browser) return undefined;
  const daemon = await Daemon.start(options);
  t.after(() => daemon.stop());
  const context = await browser.newContext({ ...devices[device], acceptDownloads: true });
  const page = await context.newPage();
  await page.addInitScript({ path: fileURLToPath(new URL('../support/in-page.js', import.meta.url)) });
  const requests: string[] = [];
  const faults: string[] = [];
  page.on('request', request => requests.push(`${request.method()} ${request.url()}`));
  page.on('pageerror', error => faults.push(error.message));
  page.on('console', message => {
    if (/Content Security Policy/.test(message.text())) faults.push(message.text());
  });
  return { browser, daemon, page, requests, faults };
}

/** Goes to a view of a page that is logged in, without loading it anew. */
export async function showView(page: Page, fragment: string): Promise<void> {
  await page.evaluate(`location.hash = '${fragment}'`);
}

/** Resolves when the player stands still on a picture, to the moment that it says it shows. */
export async function shownMoment(page: Page): Promise<number> {
  await untilInPage(page, `__camera.playerState === 'ready' && !__camera.isBusy`);
  return untilInPage<number>(
    page,
    `(video => !video.seeking && video.readyState >= 2 && __camera.positionUnixMs)(document.querySelector('video'))`,
  );
}

/** The words of an element; '' when it is not there. */
export function wordsOf(page: Page, selector: string): Promise<string> {
  return page.evaluate<string>(`document.querySelector('${selector}')?.textContent ?? ''`);
}
