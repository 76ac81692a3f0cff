/** Clips and their links over HTTP (contract §11, §12; faults.md, 52 as far as parameters go). There is no recorder yet. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { HttpServer } from '../../src/http/server.ts';
import { FakeCamera, token } from './fake-services.ts';

const camera = new FakeCamera();
let server: HttpServer;
before(async () => {
  server = await camera.serve();
});
after(() => server?.close());

const nowUnixMs = 1_700_000_000_000;

async function get(
  target: string,
  key: string | null = token,
): Promise<{ status: number; code: string; details: unknown }> {
  const response = await fetch(new URL(target, server.url), {
    headers: key === null ? {} : { 'x-token': key },
  });
  const { code, details } = (await response.json()) as { code: string; details: unknown };
  return { status: response.status, code, details };
}

const clip = (start: string, end: string): string => `/api/v1/media/vod/${start}/${end}`;

for (const [name, start, end] of [
  ['RFC 3339', '2022-02-02T00:00:00.000Z', '2022-02-02T01:00:00Z'],
  ['RFC 3339 with an offset', '2022-02-02T00:00:00+01:00', '2022-02-02T00:00:01-01:00'],
  [
    'RFC 3339 as generated clients encode it',
    '2022-02-02T00%3A00%3A00%2B01%3A00',
    '2022-02-02T01%3A00%3A00Z',
  ],
  ['Unix seconds', '1643760000', '1643760000.001'],
  ['Unix milliseconds', '1643760000000', '1643760000001'],
  ['the end now', '1699999000', 'now'],
  ['the longest clip', '1643760000', '1643846400'],
  ['the future', '1800000000', '1800000060'],
  ['before the first recording', '0', '60'],
] as const)
  test(`${name} is understood, and nothing is recorded there: 404 with the nearest`, async () => {
    assert.deepEqual(await get(clip(start, end)), {
      status: 404,
      code: 'recording-not-found',
      details: { nearest_before: null, nearest_after: null },
    });
  });

for (const [name, start, end, details] of [
  ['the end before the start', '1643760001', '1643760000', { rule: 'order' }],
  ['the end at the start', '1643760000', '1643760000', { rule: 'order' }],
  ['more than the longest clip', '1643760000', '1643846400.001', { rule: 'length', clipSecondsMax: 86_400 }],
  ['a start now', 'now', '1643760000', { parameter: 'start', rule: 'format' }],
  ['a date alone', '2022-02-02', 'now', { parameter: 'start', rule: 'format' }],
  ['no offset', '2022-02-02T00:00:00', 'now', { parameter: 'start', rule: 'format' }],
  ['words', '1643760000', 'yesterday', { parameter: 'end', rule: 'format' }],
  ['a slash inside', '1643760000', '1643760060%2f..', { parameter: 'end', rule: 'format' }],
] as const)
  test(`${name} is 400 and says so`, async () => {
    assert.deepEqual(await get(clip(start, end)), { status: 400, code: 'clip-range-invalid', details });
  });

test('options of the clip are checked, unknown ones refused', async () => {
  const target = clip('1643760000', '1643760060');
  assert.equal((await get(`${target}?format=fmp4&audio=none`)).status, 404);
  for (const query of ['format=avi', 'audio=', 'format=mp4&format=mp4', 'speed=2', 'x-token=abc'])
    assert.equal((await get(`${target}?${query}`)).status, 400, query);
});

test('a clip needs the token or a link', async () => {
  const target = clip('1643760000', '1643760060');
  assert.equal((await get(target, null)).status, 401);
  assert.equal((await get(target, 'wrong')).status, 401);
  for (const link of ['', 'x', encodeURIComponent(target)])
    assert.deepEqual(await get(`${target}?link=${link}`, null), {
      status: 401,
      code: 'unauthorized',
      details: undefined,
    });
});

async function link(body: unknown): Promise<{ status: number; url: string; json: Record<string, unknown> }> {
  const response = await fetch(new URL('/api/v1/media/vod/link', server.url), {
    method: 'POST',
    headers: { 'x-token': token, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const json = (await response.json()) as Record<string, unknown>;
  return { status: response.status, url: String(json.url), json };
}

test('a link opens its clip without a token', async () => {
  const { status, url, json } = await link({ start: '2022-02-02T00:00:00.000Z', end: 1643760060 });
  assert.equal(status, 200, JSON.stringify(json));
  assert.deepEqual(Object.keys(json).sort(), ['url', 'valid_until']);
  assert.equal(json.valid_until, '2023-11-14T23:13:20.000Z');
  assert.ok(
    decodeURIComponent(url).startsWith(
      '/api/v1/media/vod/2022-02-02T00:00:00.000Z/2022-02-02T00:01:00.000Z?link=',
    ),
  );
  assert.equal((await get(url, null)).status, 404);
});

test('now in a link is the moment of its making', async () => {
  const { url } = await link({ start: nowUnixMs / 1000 - 60, end: 'now' });
  assert.ok(
    decodeURIComponent(url).startsWith(
      '/api/v1/media/vod/2023-11-14T22:12:20.000Z/2023-11-14T22:13:20.000Z?link=',
    ),
  );
  assert.equal((await get(url, null)).status, 404);
});

test('a link opens that path and query only', async () => {
  const { url } = await link({ start: 1643760000, end: 1643760060, format: 'fmp4', audio: 'none' });
  assert.equal((await get(url, null)).status, 404);
  // The order of the options and the encoding of a colon are the client's business.
  assert.equal((await get(url.replaceAll('%3A', ':'), null)).status, 404);
  const [path, query] = url.split('?') as [string, string];
  assert.equal((await get(`${path}?${query.split('&').reverse().join('&')}`, null)).status, 404);
  for (const other of [
    url.replace('00.000Z?', '00.001Z?'),
    url.replace(/vod\/[^/]+/, 'vod/1643760000'),
    url.replace('00.000Z?', '00.000Z%3f'),
    url.replace('format=fmp4', 'format=mp4'),
    url.replace('format=fmp4&', ''),
    url.replace('audio=none', 'audio=raw'),
    `${url}x`,
    url.replace(/link=.*/, 'link='),
    `/api/v1/device?${query.replace(/.*(link=)/, '$1')}`,
  ])
    assert.notEqual((await get(other, null)).status, 404, other);
  assert.equal((await get(`/api/v1/system?${query}`, null)).status, 401);
});

test('a link to what was long ago means what was asked for', async () => {
  const { url } = await link({ start: 60, end: '1969-12-31T23:00:00-02:00' });
  assert.ok(
    decodeURIComponent(url).startsWith(
      '/api/v1/media/vod/1970-01-01T00:01:00.000Z/1970-01-01T01:00:00.000Z?link=',
    ),
  );
});

test('a range that no clip can have gets no link', async () => {
  for (const body of [
    { start: 2, end: 1 },
    { start: 0, end: 86_401 },
    { start: 'now', end: 'now' },
    { start: 1e21, end: 'now' },
    { start: '1', end: '2', format: 'avi' },
    { start: '1' },
    { start: '1', end: '2', lifetime: 1e9 },
    { start: -1, end: 1 },
  ])
    assert.equal((await link(body)).status, 400, JSON.stringify(body));
});
