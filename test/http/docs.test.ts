/** The documentation page: its files, packed and not, and the page itself in Chromium. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { docsFiles, findDocsFile } from '../../src/http/docs-assets.ts';
import { docsFilesAtOnce } from '../../src/http/limits.ts';
import { loadApiDocument } from '../../src/http/openapi/document.ts';
import { operationsOf } from '../../src/http/openapi/operation-table.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { openChromium } from '../support/chromium.ts';
import { owner } from './fake-accounts.ts';
import { FakeCamera, token } from './fake-services.ts';

const camera = new FakeCamera();
let server: HttpServer;
before(async () => {
  server = await camera.serve();
});
after(() => server.close());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Unlike fetch this leaves the body as it came. */
function ask(target: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(new URL(target, server.url), { headers }, response => {
      const chunks: Buffer[] = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    }).on('error', reject);
  });
}

/** The bucket of files that are handed out is full again. */
const wait = (): void => camera.clock.advanceUs(docsFilesAtOnce * 1_000_000);

test('every file comes with its type, its policy and an entity tag, packed for those who take it', async () => {
  for (const { path: target, contentType } of docsFiles) {
    wait();
    const plain = await ask(target);
    assert.equal(plain.status, 200, target);
    assert.equal(plain.headers['content-type'], contentType);
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.match(String(plain.headers['content-security-policy']), /^default-src 'none'; script-src 'self';/);
    assert.doesNotMatch(String(plain.headers['content-security-policy']), /\*|http|unsafe-eval/);
    assert.match(String(plain.headers.vary), /Accept-Encoding/);
    const packed = await ask(target, { 'accept-encoding': 'br, gzip;q=0.8' });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.ok(gunzipSync(packed.body).equals(plain.body));
    const same = await ask(target, { 'if-none-match': String(plain.headers.etag) });
    assert.equal(same.status, 304);
    assert.equal(same.body.length, 0);
    for (const list of ['br', 'gzip;q=0', 'x-gzip2', 'identity'])
      assert.equal(
        (await ask(target, { 'accept-encoding': list })).headers['content-encoding'],
        undefined,
        list,
      );
  }
});

test('what is not on the list is not served, wherever it lies', async () => {
  for (const target of [
    '/api/docs/LICENSE',
    '/api/docs/..%2fpage.js',
    '/api/docs/index.html',
    '/api/docs/swagger-ui.js',
  ])
    assert.equal((await ask(target)).status, 404, target);
});

test('half a megabyte is handed out so often and no more, and asking whether it has changed is free', async () => {
  wait();
  const target = '/api/docs/swagger-ui.css';
  const etag = String((await ask(target)).headers.etag);
  const statuses: number[] = [];
  for (let i = 0; i < docsFilesAtOnce; i++) statuses.push((await ask(target)).status);
  assert.equal(statuses.filter(status => status === 200).length, docsFilesAtOnce - 1);
  const refused = await ask(target);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers['retry-after'], '1');
  assert.equal((await ask(target, { 'if-none-match': etag })).status, 304);
  wait();
  assert.equal((await ask(target)).status, 200);
});

test('the viewer comes packed out of the build, or from node_modules, or not at all', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'docs-'));
  try {
    const viewer = docsFiles.find(
      ({ path: target }) => target.endsWith('.css') && !target.endsWith('docs.css'),
    )!;
    assert.equal(await findDocsFile(viewer, () => undefined), undefined);
    const packed = path.join(folder, 'a.gz');
    writeFileSync(packed, gzipSync('a {}'));
    const built = await findDocsFile(viewer, place => (place.startsWith('dist/') ? packed : undefined));
    assert.equal(Buffer.from(await built!.read(false)).toString(), 'a {}');
    assert.equal(gunzipSync(await built!.read(true)).toString(), 'a {}');
    const plain = path.join(folder, 'b.css');
    writeFileSync(plain, 'b {}');
    const source = await findDocsFile(viewer, place =>
      place.startsWith('node_modules/') ? plain : undefined,
    );
    assert.equal(Buffer.from(await source!.read(false)).toString(), 'b {}');
    assert.equal(gunzipSync(await source!.read(true)).toString(), 'b {}');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('Chromium shows every operation, asks nobody else, meets no policy, and tries a request out', async t => {
  const browser = await openChromium(t);
  if (!browser) return;
  wait();
  const page = await browser.newPage({ viewport: { width: 1200, height: 1600 } });
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', request => requests.push(request.url()));
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type()))
      complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', error => complaints.push(String(error)));
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', e => console.error('policy', e.violatedDirective, e.blockedURI))",
  );
  await page.goto(new URL('/api/docs', server.url).href);
  const operations = operationsOf(loadApiDocument());
  await page
    .locator('.opblock')
    .nth(operations.length - 1)
    .waitFor();
  const shown = await page.locator('.opblock-summary-path').allInnerTexts();
  assert.deepEqual(
    shown.map(text => text.replaceAll('\u200b', '')).sort(),
    operations.map(operation => operation.path).sort(),
  );

  await page.locator('.btn.authorize').click();
  const dialog = page.locator('.dialog-ux');
  const scheme = (name: string) => dialog.locator('.auth-container', { hasText: `${name} ` });
  await scheme('token').first().locator('input').first().fill(token);
  await scheme('token').first().locator('button.authorize').click();
  const basic = scheme('basic').last();
  await basic.locator('input[name=username]').fill(owner.email);
  await basic.locator('input[name=password]').fill(owner.password);
  await basic.locator('button.authorize').click();
  await dialog.locator('.close-modal').click();

  for (const [id, answer] of [
    ['getDevice', '"1280x720"'],
    ['obtainToken', 'access_token'],
  ] as const) {
    const operation = page.locator(`.opblock[id$="-${id}"]`);
    await operation.locator('.opblock-summary').click();
    await operation.locator('.try-out__btn').click();
    await operation.locator('.btn.execute').click();
    const live = operation.locator('.live-responses-table .response');
    await live.waitFor();
    assert.match((await live.textContent()) ?? '', /200/);
    assert.match((await live.textContent()) ?? '', new RegExp(answer));
  }
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  assert.deepEqual(complaints, []);
  assert.deepEqual(
    requests.filter(url => !url.startsWith(server.url) && !/^(data|blob):/.test(url)),
    [],
  );
  assert.equal(await page.evaluate('localStorage.length'), 0);
});
