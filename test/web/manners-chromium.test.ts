/** The page's manners in Chromium: usable without eyes and without a mouse, light, and still while it loads. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { logInOnPage, playCamera, playingSession, untilInPage } from '../support/chromium.ts';
import { owner } from '../support/daemon.ts';
import { recordingStart, until } from '../support/recorded.ts';
import { openScene, shownMoment, showView } from './page-fixture.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** What axe-core finds, all of its rules but those that are experimental; [] when nothing. */
async function violations(page: Page, what: string): Promise<string[]> {
  // By the debugger and not by a script element: the page's policy lets no foreign script in.
  await page.evaluate(axe);
  const found = await page.evaluate<readonly Violation[]>(
    `axe.run(document).then(({ violations }) => violations)`,
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${what}: ${id} ${html} ${failureSummary}`),
  );
}

async function settled(page: Page): Promise<void> {
  await page.evaluate(
    `Promise.all(document.getAnimations().map(animation => animation.finished.catch(() => {})))`,
  );
}

for (const [device, colorScheme] of [
  ['desk', 'light'],
  ['phone', 'dark'],
] as const)
  test(`axe finds nothing in any view: ${device}, ${colorScheme}`, async t => {
    const scene = await openScene(t, device, { claim: false });
    if (!scene) return;
    const { page, daemon } = scene;
    const found: string[] = [];
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const look = async (what: string): Promise<void> => {
      await settled(page);
      found.push(...(await violations(page, what)));
    };
    await page.goto(`${daemon.url}#setup=${daemon.token}`);
    await untilInPage(page, `__camera.state === 'setup'`);
    await page.fill('#setup-email', 'not an address');
    await page.press('#setup-email', 'Enter');
    await look('setup');
    await daemon.claim();
    await page.goto('about:blank');
    await page.goto(daemon.url);
    await untilInPage(page, `__camera.state === 'login'`);
    await look('log-in');
    await logInOnPage(page, owner);
    await playingSession(page, '');
    await page.click('#statistics');
    await look('live');
    await until((await recordingStart(daemon)) + 3000);
    await showView(page, 'timeline');
    await shownMoment(page);
    await look('time line');
    await showView(page, 'export');
    await untilInPage(page, `__camera.bytes > 0`);
    await look('export');
    await showView(page, 'settings');
    await untilInPage(
      page,
      `document.querySelectorAll('#log li').length > 3 && document.querySelector('#sessions li')`,
    );
    await page.click('#ice-add');
    await look('settings');
    assert.deepEqual(found, []);
    assert.deepEqual(scene.faults, []);
  });

test('everything can be reached and used by the keyboard', async t => {
  const scene = await openScene(t, 'desk');
  if (!scene) return;
  const { page, daemon } = scene;
  await playCamera(page, daemon.url, owner);
  const focus = (): Promise<string> =>
    page.evaluate<string>(`document.activeElement.id || document.activeElement.textContent`);
  const seen: string[] = [];
  await page.evaluate('document.activeElement.blur()');
  for (let i = 0; i < 14; i++) {
    await page.keyboard.press('Tab');
    seen.push(await focus());
  }
  for (const control of [
    'Live',
    'Timeline',
    'Export',
    'Settings',
    'theme',
    'log-out',
    'sound',
    'snapshot',
    'fullscreen',
  ])
    assert.ok(seen.includes(control), `${control} is not among ${seen}`);
  await page.keyboard.press('m');
  await untilInPage(page, `__camera.muted === false`);
  await page.focus('#theme');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(`document.documentElement.dataset.theme`), 'light');
  await page.reload();
  await playingSession(page, '');
  assert.equal(await page.evaluate(`document.documentElement.dataset.theme`), 'light');
});

/** Layout shifts and paints from the first moment on, as the browser's own observers tell them. */
async function observe(page: Page): Promise<void> {
  await page.addInitScript(`
    window.shifts = [];
    new PerformanceObserver(list => {
      for (const entry of list.getEntries())
        if (!entry.hadRecentInput) shifts.push({ value: entry.value, at: entry.startTime,
          nodes: entry.sources.map(({ node }) => node?.className || node?.nodeName) });
    }).observe({ type: 'layout-shift', buffered: true });
  `);
}

interface Shift {
  readonly value: number;
}

async function checkShifts(t: TestContext, page: Page, what: string): Promise<void> {
  const shifts = await page.evaluate<readonly Shift[]>('shifts');
  const sum = shifts.reduce((total, { value }) => total + value, 0);
  t.diagnostic(`${what}: layout shift ${sum.toFixed(4)}`);
  assert.ok(sum < 0.02, `${what}: ${JSON.stringify(shifts)}`);
}

for (const device of ['desk', 'phone'] as const)
  test(`nothing jumps while it loads, and little is loaded: ${device}`, async t => {
    const scene = await openScene(t, device);
    if (!scene) return;
    const { page, daemon } = scene;
    await observe(page);
    await playCamera(page, daemon.url, owner);
    await checkShifts(t, page, 'log-in and live');
    await page.reload();
    await playingSession(page, '');
    await checkShifts(t, page, 'live');
    const timing = await page.evaluate<{ paintMs: number; bytes: number }>(`({
      paintMs: performance.getEntriesByName('first-contentful-paint')[0].startTime,
      bytes: [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .filter(({ name }) => !name.includes('/api/'))
        .reduce((sum, { transferSize }) => sum + transferSize, 0),
    })`);
    await until((await recordingStart(daemon)) + 3000);
    await page.goto('about:blank');
    await page.goto(`${daemon.url}#timeline`);
    await shownMoment(page);
    await checkShifts(t, page, 'time line');
    for (const [view, isThere] of [
      ['export', `__camera.bytes > 0`],
      ['settings', `document.querySelector('#sessions li') && document.querySelector('#log li')`],
    ] as const) {
      await page.goto('about:blank');
      await page.goto(`${daemon.url}#${view}`);
      await untilInPage(page, isThere);
      await settled(page);
      await checkShifts(t, page, view);
    }
    const cold = await (await scene.browser.newContext()).newPage();
    await cold.goto(daemon.url);
    const bytes = await cold.evaluate<number>(`[...performance.getEntriesByType('navigation'),
      ...performance.getEntriesByType('resource')].filter(({ name }) => !name.includes('/api/'))
      .reduce((sum, { transferSize }) => sum + transferSize, 0)`);
    const paintMs = await cold.evaluate<number>(`new Promise(resolve => new PerformanceObserver(list =>
      resolve(list.getEntries()[0].startTime)).observe({ type: 'paint', buffered: true }))`);
    t.diagnostic(JSON.stringify({ reload: timing, cold: { paintMs, bytes } }));
    assert.ok(bytes > 10_000 && bytes < 100_000, `${bytes} bytes`);
    // The browser has the hashed files for good.
    assert.ok(timing.bytes < 3000, `${timing.bytes} bytes at a reload`);
  });
