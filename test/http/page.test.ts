/** The files of the web page over HTTP: what they name, how they are packed, what the browser may keep and may do. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { codingFor } from '../../src/http/content-coding.ts';
import { loadPageAssets } from '../../src/http/page-assets.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { FakeCamera } from './fake-services.ts';
import { type RawResponse, raw } from './raw-client.ts';

let server: HttpServer;
before(async () => {
  server = await new FakeCamera().serve();
});
after(() => server.close());

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

async function page(): Promise<{ html: string; files: readonly string[] }> {
  const html = await (await fetch(server.url)).text();
  const files = [...html.matchAll(/(?:src|href)="?([^\s">]+)"?/g)].map(match => match[1]!);
  return { html, files };
}

/** The answer as it goes over the wire. */
async function packed(target: string, coding: string): Promise<{ head: RawResponse; bytes: Buffer }> {
  const request = `GET ${target} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ${coding}\r\n\r\n`;
  const { responses } = await raw(server.port, request, { expect: 1 });
  const [answer] = responses;
  return { head: answer!, bytes: Buffer.from(answer!.body, 'latin1') };
}

test('the page and everything that it names are served with the right types and without a token', async () => {
  const { files } = await page();
  assert.ok(files.length >= 4);
  for (const file of files) {
    const response = await fetch(new URL(file, server.url));
    assert.equal(response.status, 200, file);
    assert.equal(response.headers.get('content-type'), types[path.extname(file)], file);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    await response.arrayBuffer();
  }
});

test('the page may run its own script and reach its own camera only', async () => {
  const policy = (await fetch(server.url)).headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
  assert.match(policy, /style-src 'self'(;|$)/);
  assert.match(policy, /connect-src 'self'(;|$)/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|http/);
});

test('no script, no style and no foreign address stands in the text of the page', async () => {
  const { html, files } = await page();
  assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:/i);
  assert.doesNotMatch(files.join(' '), /^\w+:|\/\//);
});

test('files with a hash in their name are kept for good, the others are asked for each time', async () => {
  const { files } = await page();
  const cacheOf = async (file: string): Promise<string | null> =>
    (await fetch(new URL(file, server.url))).headers.get('cache-control');
  assert.equal(await cacheOf('/'), 'no-cache');
  const hashed = files.filter(file => /-[A-Z0-9]{8}\./.test(file));
  assert.deepEqual(hashed.map(file => path.extname(file)).sort(), ['.css', '.js']);
  for (const file of hashed) assert.equal(await cacheOf(file), 'public, max-age=31536000, immutable');
});

test('every coding gives the same content, has its own tag, and says what it depends on', async () => {
  const { files } = await page();
  for (const target of ['/', ...files]) {
    const plain = Buffer.from(
      await (
        await fetch(new URL(target, server.url), { headers: { 'accept-encoding': 'identity' } })
      ).arrayBuffer(),
    );
    const tags = new Set<string>();
    for (const [coding, unpack] of [
      ['gzip', gunzipSync],
      ['br', brotliDecompressSync],
    ] as const) {
      const { head, bytes } = await packed(target, coding);
      assert.equal(head.headers.get('content-encoding'), coding);
      assert.match(head.headers.get('vary') ?? '', /Accept-Encoding/);
      assert.ok(unpack(bytes).equals(plain), `${target} as ${coding}`);
      tags.add(head.headers.get('etag') ?? '');
    }
    tags.add(
      (await fetch(new URL(target, server.url), { headers: { 'accept-encoding': 'identity' } })).headers.get(
        'etag',
      )!,
    );
    assert.equal(tags.size, 3, target);
  }
});

test('all of the page is less than 100 KB on the way', async () => {
  const { files } = await page();
  let bytes = 0;
  for (const target of ['/', ...files]) bytes += (await packed(target, 'gzip')).bytes.length;
  assert.ok(bytes < 100_000, `${bytes} bytes`);
});

test('the best coding that a client takes is chosen, and none that it refuses', () => {
  const of = (text: string): string | undefined => codingFor([text]);
  assert.equal(of('gzip, deflate, br, zstd'), 'br');
  assert.equal(of('gzip, deflate'), 'gzip');
  assert.equal(of('GZIP;Q=0.5'), 'gzip');
  assert.equal(of('br;q=0, *'), 'gzip');
  assert.equal(of('*;q=0'), undefined);
  assert.equal(of('gzip;q=0, identity'), undefined);
  assert.equal(of('gzip;q=nonsense'), undefined);
  assert.equal(codingFor([]), undefined);
  assert.equal(codingFor(['deflate', 'gzip']), 'gzip');
});

test('a browser that has the page gets 304 without a body', async () => {
  const etag = (await packed('/', 'gzip')).head.headers.get('etag') ?? '';
  assert.match(etag, /^"[\w-]+"$/);
  for (const list of [etag, `"x", ${etag}`, `W/${etag}`, '*']) {
    const request = `GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nIf-None-Match: ${list}\r\n\r\n`;
    const { responses, text } = await raw(server.port, request, { expect: 1 });
    assert.equal(responses[0]?.status, 304, list);
    assert.equal(responses[0]?.headers.get('etag'), etag);
    assert.ok(text.endsWith('\r\n\r\n'));
    // The connection goes on after it, so no length was promised that does not come.
    assert.equal((await raw(server.port, request.repeat(2), { expect: 2 })).responses.length, 2);
  }
  const other = await fetch(server.url, { headers: { 'if-none-match': '"other"' } });
  assert.equal(other.status, 200);
});

test('a page that was not built, or is too large, is told at start', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'page-'));
  try {
    await assert.rejects(loadPageAssets(folder), { code: 'internal' });
    for (const suffix of ['br', 'gz'])
      await writeFile(path.join(folder, `index.html.${suffix}`), gzipSync('one'));
    await writeFile(path.join(folder, 'notes.md'), 'not of the page');
    const assets = await loadPageAssets(folder);
    assert.deepEqual(
      assets.map(asset => asset.path),
      ['/'],
    );
    for (const suffix of ['br', 'gz'])
      await writeFile(path.join(folder, `large.js.${suffix}`), Buffer.alloc(300_000));
    await assert.rejects(loadPageAssets(folder), { code: 'internal' });
  } finally {
    await rm(folder, { recursive: true });
  }
});
