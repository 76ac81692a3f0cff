// Measures the web page in Chromium on this machine: what it costs to load it cold and again, how it shifts, and what it takes
// while it shows the live picture: `node scripts/page/measure.mjs [MINUTES]` after `npm run build` (5 unless told). Prints
// Markdown. The browser's memory is that of the process of the page (/proc), after the garbage of each reading was collected.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { openScene, owner, sizes, until } from './scene.mjs';

const minutes = Number(process.argv[2] ?? 5);
const coldLoads = 9;
const readingEveryMs = 60_000;
const { browser, url, claim, close } = await openScene();
await claim();

const observe = `
  window.shifts = [];
  new PerformanceObserver(list => {
    for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) shifts.push(value);
  }).observe({ type: 'layout-shift', buffered: true });`;
const load = `new Promise(resolve => new PerformanceObserver(() => resolve({
  paintMs: performance.getEntriesByName('first-contentful-paint')[0].startTime,
  bytes: [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .filter(({ name }) => !name.includes('/api/')).reduce((sum, { transferSize }) => sum + transferSize, 0),
  requests: performance.getEntriesByType('resource').filter(({ name }) => !name.includes('/api/')).length + 1,
})).observe({ type: 'paint', buffered: true }))`;

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function coldLoad(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(url);
  await until(page, `__camera.state === 'login'`);
  await page.waitForTimeout(300);
  const figures = await page.evaluate(load);
  await context.close();
  return figures;
}

async function logIn(page) {
  await page.goto(url);
  await until(page, `__camera.state === 'login'`);
  await page.fill('#login-email', owner.email);
  await page.fill('#login-password', owner.password);
  await page.press('#login-password', 'Enter');
  await until(page, `__camera.state === 'playing'`);
}

/** Memory of the page's own process, with its share of what it shares, in MB. */
function rendererMb(before) {
  const pids = rendererPids().filter(pid => !before.has(pid));
  const sizes = pids.map(pid =>
    Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]),
  );
  // A renderer that the browser keeps in reserve is the smaller one.
  return Math.max(...sizes) / 1024;
}

function rendererPids() {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  return lines
    .filter(line => /chrom.*--type=renderer/.test(line))
    .map(line => Number(line.trim().split(' ')[0]));
}

console.log('| | desk | phone |\n|---|---|---|');
const rows = {};
for (const [size, options] of Object.entries(sizes)) {
  const loads = [];
  for (let i = 0; i < coldLoads; i++) loads.push(await coldLoad(options));
  const page = await (await browser.newContext(options)).newPage();
  await page.addInitScript(observe);
  await logIn(page);
  const shown = [await page.evaluate('__camera.firstFrameMs')];
  let shift = 0;
  for (const view of ['live', 'timeline', 'export', 'settings']) {
    await page.goto('about:blank');
    await page.goto(`${url}#${view}`);
    await until(page, `__camera.state === '${view === 'live' ? 'playing' : view}'`);
    await page.waitForTimeout(2500);
    shift = Math.max(shift, await page.evaluate('shifts.reduce((sum, value) => sum + value, 0)'));
    if (view === 'live') shown.push(await page.evaluate('__camera.firstFrameMs'));
  }
  const again = await page.evaluate(load);
  await page.context().close();
  rows[size] = [
    ['first contentful paint, cold, median', `${Math.round(median(loads.map(each => each.paintMs)))} ms`],
    ['transferred, cold', `${(loads[0].bytes / 1000).toFixed(1)} kB in ${loads[0].requests} requests`],
    ['transferred, again', `${(again.bytes / 1000).toFixed(1)} kB`],
    ['first picture after the offer', shown.map(ms => `${Math.round(ms)} ms`).join(', ')],
    ['layout shift, the worst view', shift.toFixed(4)],
  ];
}
for (const [i, [name, value]] of rows.desk.entries())
  console.log(`| ${name} | ${value} | ${rows.phone[i][1]} |`);

const before = new Set(rendererPids());
const page = await (await browser.newContext(sizes.desk)).newPage();
await logIn(page);
await page.click('#statistics');
await until(page, `__camera.framesDecoded > 0`);
const devTools = await page.context().newCDPSession(page);
console.log(
  '\n| live view since | script heap | DOM nodes | renderer (PSS) | frames | dropped |\n|---|---|---|---|---|---|',
);
for (const start = Date.now(); ; await page.waitForTimeout(readingEveryMs)) {
  await devTools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devTools.send('Runtime.getHeapUsage');
  const { nodes } = await devTools.send('Memory.getDOMCounters');
  const { framesDecoded, framesDropped } = await page.evaluate('__camera');
  const since = (Date.now() - start) / 1000;
  console.log(
    `| ${since.toFixed(0)} s | ${(usedSize / 1e6).toFixed(2)} MB | ${nodes} | ${rendererMb(before).toFixed(0)} MB | ${framesDecoded} | ${framesDropped} |`,
  );
  if (since >= minutes * 60) break;
}
await close();
