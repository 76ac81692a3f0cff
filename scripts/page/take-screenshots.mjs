// Takes pictures of every view of the web page, light and dark, at the sizes of a desk and of a phone, with a camera that
// plays the demo: `node scripts/page/take-screenshots.mjs FOLDER [SECONDS]` after `npm run build`. Needs Chromium. The camera
// records for so many seconds first (60 unless told), so that there is something on its time line.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { openScene, owner, sizes, until } from './scene.mjs';

const [folder = 'screenshots', seconds = '60'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const { browser, daemon, url, token, claim, close } = await openScene();

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
  await page.fill('#setup-email', owner.email);
  await page.fill('#setup-password', owner.password);
  await shoot(page, `setup-${size}`, true);
  await page.goto('about:blank');
}
await claim();
for (const [size, page] of pages) {
  await page.goto(url);
  await until(page, `__camera.state === 'login'`);
  await page.fill('#login-email', owner.email);
  await shoot(page, `login-${size}`);
  await page.fill('#login-password', 'wrong password');
  await page.press('#login-password', 'Enter');
  await page.waitForTimeout(1500);
  await shoot(page, `login-wrong-${size}`);
  await page.waitForTimeout(1500);
  await page.fill('#login-password', owner.password);
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
  // The sentence about the link has gone by then.
  await page.waitForTimeout(3500);
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
await close();
