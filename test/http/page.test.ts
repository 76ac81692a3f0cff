import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { loadPageAssets } from '../../src/http/page-assets.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { FakeCamera } from './fake-services.ts';
import { raw } from './raw-client.ts';

let server: HttpServer;
before(async () => {
  server = await new FakeCamera().serve();
});
after(() => server.close());

test('the page and everything that it names are served with the right types and without a token', async () => {
  const page = await fetch(server.url);
  assert.equal(page.status, 200);
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  const html = await page.text();
  const names = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(match => match[1]!);
  const files = names.filter(name => !name.startsWith('data:') && !name.startsWith('#'));
  assert.ok(files.length >= 2);
  for (const file of files) {
    const response = await fetch(new URL(file, server.url));
    assert.equal(response.status, 200, file);
    const type = file.endsWith('.js') ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8';
    assert.equal(response.headers.get('content-type'), type);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  }
});

test('the page may run its own script and reach its own camera only', async () => {
  const policy = (await fetch(server.url)).headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'/);
  assert.match(policy, /connect-src 'self'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|http/);
});

test('the page names every script beforehand, and has none and no style in its own text', async () => {
  const folder = new URL('../../assets/page/', import.meta.url);
  const html = await readFile(new URL('index.html', folder), 'utf8');
  const scripts = (await readdir(folder)).filter(name => name.endsWith('.js') && name !== 'page.js');
  // Each import of an import that the page does not name costs another round trip.
  const named = [...html.matchAll(/rel="modulepreload" href="([^"]+)"/g)].map(match => match[1]!);
  assert.deepEqual(named.sort(), scripts.sort());
  assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:/i);
});

test('every field has a label, and says to password managers what it is', async () => {
  const html = await (await fetch(server.url)).text();
  const fields = [...html.matchAll(/<input ([^>]*)>/g)].map(match => match[1]!);
  assert.equal(fields.length, 9);
  for (const field of fields) {
    const id = /\bid="([^"]+)"/.exec(field)?.[1] ?? '';
    assert.ok(html.includes(`<label for="${id}">`), id);
  }
  const of = (id: string): string =>
    fields
      .filter(field => field.includes(`id="${id}"`))
      .map(field => /autocomplete="([^"]+)"/.exec(field)?.[1])[0] ?? '';
  assert.equal(of('login-email'), 'username');
  assert.equal(of('login-password'), 'current-password');
  assert.equal(of('setup-email'), 'username');
  assert.equal(of('setup-password'), 'new-password');
  assert.equal(of('setup-repeat'), 'new-password');
  assert.equal(of('setup-token'), 'off');
  // What a browser sends of a form by itself, were the script missing, must not land in an address.
  const forms = [...html.matchAll(/<form [^>]*>/g)].map(match => match[0]);
  assert.ok(forms.length === 2 && forms.every(form => form.includes('method="post"')));
});

test('a browser that has the page gets 304 without a body', async () => {
  const etag = (await fetch(server.url)).headers.get('etag') ?? '';
  assert.match(etag, /^"[\w-]+"$/);
  for (const list of [etag, `"x", ${etag}`, `W/${etag}`, '*']) {
    const request = `GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: ${list}\r\n\r\n`;
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

test('the entity tag changes with the content and the same content has the same', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'page-'));
  try {
    await writeFile(path.join(folder, 'index.html'), 'one');
    await writeFile(path.join(folder, 'notes.txt'), 'not of the page');
    const [first, ...others] = await loadPageAssets(folder);
    assert.deepEqual(others, []);
    assert.equal(first?.path, '/');
    assert.equal((await loadPageAssets(folder))[0]?.etag, first?.etag);
    await writeFile(path.join(folder, 'index.html'), 'two');
    assert.notEqual((await loadPageAssets(folder))[0]?.etag, first?.etag);
    await writeFile(path.join(folder, 'large.js'), Buffer.alloc(300_000));
    await assert.rejects(loadPageAssets(folder), { code: 'internal' });
  } finally {
    await rm(folder, { recursive: true });
  }
});
