/** Every route over a real socket: its answer, and each refusal that it has. */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { CameraError } from '../../src/base/errors.ts';
import { Codec, Track } from '../../src/base/tracks.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { FakeCamera, token, video } from './fake-services.ts';
import { raw } from './raw-client.ts';

let camera: FakeCamera;
let server: HttpServer;
const servers: HttpServer[] = [];
beforeEach(async () => {
  camera = new FakeCamera();
  await serve();
});
after(async () => {
  for (const each of servers) await each.close();
});

async function serve(options: { deadlineMs?: number } = {}): Promise<void> {
  server = await camera.serve(options);
  servers.push(server);
}

async function call(path: string, init: RequestInit = {}, key: string | null = token): Promise<Response> {
  const headers = new Headers(init.headers);
  if (key !== null) headers.set('x-token', key);
  return fetch(new URL(path, server.url), { ...init, headers });
}

async function problemOf(response: Response): Promise<{ status: number; code: string; details?: unknown }> {
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const problem = (await response.json()) as { status: number; code: string; instance: string };
  assert.equal(problem.status, response.status);
  assert.equal(problem.instance, `urn:uuid:${response.headers.get('x-request-id')}`);
  return problem;
}

test('GET /device tells the running main stream', async () => {
  const response = await call('/api/v1/device');
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
  const { uptime, ...device } = (await response.json()) as Record<string, unknown>;
  assert.deepEqual(device, {
    uuid: '123e4567-e89b-12d3-a456-426614174000',
    resolution: '1280x720',
    fps: 30,
    video_codec: 'H.264',
    audio_codec: 'G.711',
  });
  assert.ok(Number.isInteger(uptime) && (uptime as number) > 0);
});

test('GET /device prefers the main track to the sub track and knows H.265', async () => {
  const main = { ...video, codec: Codec.h265, width: 3840, height: 2160 } as typeof video;
  camera.tracks = [{ ...video, track: Track.sub } as typeof video, main];
  const device = (await (await call('/api/v1/device')).json()) as Record<string, unknown>;
  assert.equal(device.resolution, '3840x2160');
  assert.equal(device.video_codec, 'H.265');
});

test('GET /device before the first picture is 503 with Retry-After', async () => {
  camera.tracks = [{ kind: 'audio', track: Track.audio, codec: Codec.pcmu }];
  const response = await call('/api/v1/device');
  assert.equal(response.status, 503);
  assert.ok(response.headers.get('retry-after'));
  assert.equal((await problemOf(response)).code, 'source-not-ready');
});

test('GET /system tells version and whole gigabytes', async () => {
  const system = (await (await call('/api/v1/system')).json()) as Record<string, number>;
  assert.equal(system.firmwareVersion, '1.2.3');
  assert.ok(Number.isInteger(system.sdcard_free) && Number.isInteger(system.sdcard_total));
  assert.ok(system.sdcard_total! > 0 && system.sdcard_free! <= system.sdcard_total!);
  assert.deepEqual(system.live_session_config, { ice_servers: [] });
});

test('GET /system without a card is 200 with zeros', async () => {
  camera.recordings.folder = '/nowhere/at/all';
  await serve();
  const response = await call('/api/v1/system');
  assert.equal(response.status, 200);
  const system = (await response.json()) as Record<string, unknown>;
  assert.deepEqual([system.sdcard_free, system.sdcard_total], [0, 0]);
});

test('GET /healthz needs no token, is 200 when well and 503 when not, and tells no reason', async () => {
  const well = await call('/healthz', {}, null);
  assert.equal(well.status, 200);
  const text = await well.text();
  assert.doesNotMatch(text, /secret/);
  assert.deepEqual((JSON.parse(text) as { workers: unknown[] }).workers[1], {
    name: 'live',
    state: 'running',
    restarts: 1,
    since: '2023-11-14T22:13:20.000Z',
  });
  camera.health = { ...camera.health, status: 'degraded' };
  const ill = await call('/healthz', {}, null);
  assert.equal(ill.status, 503);
  assert.equal(((await ill.json()) as { status: string }).status, 'degraded');
});

test('GET /metrics is text for Prometheus, for the token only', async () => {
  const response = await call('/metrics');
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(await response.text(), /^# TYPE up gauge\nup 1\n$/);
  assert.equal((await call('/metrics', {}, null)).status, 401);
});

const protectedRoutes: readonly (readonly [string, string])[] = [
  ['GET', '/api/v1/device'],
  ['GET', '/api/v1/system'],
  ['GET', '/metrics'],
  ['POST', '/api/v1/media/live/session'],
  ['GET', '/api/v1/media/live/session/session-1'],
  ['DELETE', '/api/v1/media/live/session/session-1'],
];
for (const [method, path] of protectedRoutes)
  test(`${method} ${path} without the right token is 401 and does nothing`, async () => {
    for (const key of [null, '', 'wrong', token.toLowerCase(), `${token} `.repeat(2), `${token}x`]) {
      const response = await call(path, { method }, key);
      assert.equal(response.status, 401);
      assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer/);
      assert.equal((await problemOf(response)).code, 'unauthorized');
    }
    assert.deepEqual(camera.liveRequests, []);
  });

test('the token may come as a bearer token, and never in the query', async () => {
  const bearer = (value: string) => call('/api/v1/device', { headers: { authorization: value } }, null);
  assert.equal((await bearer(`Bearer ${token}`)).status, 200);
  assert.equal((await bearer(`bearer ${token}`)).status, 200);
  assert.equal((await bearer(token)).status, 401);
  assert.equal((await bearer(`Basic ${btoa(`x:${token}`)}`)).status, 401);
  assert.equal((await call(`/api/v1/device?x-token=${token}`, {}, null)).status, 401);
});

test('an unknown path is 404, whatever the method and the token', async () => {
  for (const path of ['/api/v1/devices', '/api/v1/device/', '/api/v1/%64evice', '/api', '/index.html'])
    assert.equal((await problemOf(await call(path, {}, null))).code, 'not-found', path);
  assert.equal((await call('/api/v1/media/live/session/', { method: 'DELETE' })).status, 404);
  const dots = await raw(server.port, 'GET /api/../page.js HTTP/1.1\r\nHost: a\r\n\r\n', { expect: 1 });
  assert.equal(dots.responses[0]?.status, 404);
});

test('another method is 405 with the methods that there are', async () => {
  const allow: Record<string, string> = {
    '/api/v1/device': 'GET, HEAD',
    '/api/v1/media/live/session': 'POST',
    '/api/v1/media/live/session/x': 'GET, DELETE, HEAD',
    '/healthz': 'GET, HEAD',
    '/': 'GET, HEAD',
  };
  for (const [path, methods] of Object.entries(allow))
    for (const method of ['PUT', 'OPTIONS', 'PATCH', 'BREW']) {
      const response = await call(path, { method });
      assert.equal(response.status, 405, `${method} ${path}`);
      assert.equal(response.headers.get('allow'), methods);
    }
  const { responses } = await raw(server.port, `get /healthz HTTP/1.1\r\nHost: a\r\n\r\n`, { expect: 1 });
  assert.equal(responses[0]?.status, 405);
});

test('HEAD is GET without the body, length and all, for every GET route', async () => {
  for (const path of [
    '/api/v1/device',
    '/api/v1/system',
    '/api/v1/openapi.json',
    '/api/v1/user/setup',
    '/healthz',
    '/metrics',
    '/',
    '/icon.svg',
    '/api/v1/none',
  ]) {
    const get = await call(path);
    const length = (await get.arrayBuffer()).byteLength;
    const request = `HEAD ${path} HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\n\r\n`;
    // A second answer right behind the first proves that no body came between.
    const { responses } = await raw(server.port, request, { expect: 1, head: true });
    assert.equal(responses[0]?.status, get.status, path);
    assert.equal(responses[0]?.headers.get('content-length'), String(length), path);
    assert.equal(responses[0]?.headers.get('content-type'), get.headers.get('content-type'), path);
    // Behind an asynchronous answer, as every one that needs a token and every file that is unpacked is, the library takes no second request.
    if (['/api/v1/device', '/api/v1/system', '/metrics', '/', '/icon.svg'].includes(path)) continue;
    const two = await raw(server.port, request.repeat(2), { expect: 2, head: true });
    assert.equal(two.responses.length, 2, path);
  }
});

test('every API answer forbids sniffing, caching and running, and names no server', async () => {
  const answers = [
    await call('/api/v1/device'),
    await call('/api/v1/device', {}, null),
    await call('/healthz'),
    await call('/none'),
    await call('/api/v1/device', { method: 'PUT' }),
    await call('/api/v1/media/live/session', { method: 'POST', body: '{' }),
  ];
  for (const { status, headers } of answers) {
    assert.equal(headers.get('x-content-type-options'), 'nosniff', String(status));
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'/);
    assert.match(headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(headers.get('access-control-allow-origin'), null);
    assert.equal(headers.get('server'), null);
    assert.equal(headers.get('uwebsockets'), null);
  }
});

test('a body where none is taken is dropped when small and 413 when large', async () => {
  const small = await call('/api/v1/media/live/session/session-1', { method: 'DELETE', body: '{}' });
  assert.equal(small.status, 200);
  const large = await call('/api/v1/media/live/session/session-1', {
    method: 'DELETE',
    body: 'x'.repeat(5000),
  });
  assert.equal(large.status, 413);
});

test('a fault of a worker is a 500 that tells nothing, with the request id in the log', async () => {
  camera.failWith(new CameraError('ring-invalid', 'magic 0x00000000 at /dev/shm'));
  const response = await call('/api/v1/media/live/session/session-1');
  const problem = await problemOf(response);
  assert.equal(problem.status, 500);
  assert.equal(problem.code, 'internal');
  const line = camera.log.find(each => each.level === 'error');
  assert.equal(line?.fields.requestId, response.headers.get('x-request-id'));
  assert.equal(line?.fields.code, 'ring-invalid');
});

test('a worker that does not answer becomes request-timeout', async () => {
  await serve({ deadlineMs: 20 });
  camera.answer = () => new Promise(() => {});
  const response = await call('/api/v1/media/live/session/session-1');
  assert.equal(response.status, 503);
  assert.equal((await problemOf(response)).code, 'request-timeout');
});

test('the token is in no log line', async () => {
  await call('/api/v1/device');
  await call('/api/v1/media/live/session', { method: 'POST', body: '{}' });
  assert.ok(camera.log.length > 0);
  assert.ok(!JSON.stringify(camera.log).includes(token));
});

test('a second server on the same port fails as listen-failed', async () => {
  const { startHttpServer } = await import('../../src/http/server.ts');
  await assert.rejects(startHttpServer({ host: '127.0.0.1', port: server.port }, camera.services()), {
    code: 'listen-failed',
  });
});

test('after close nothing listens and open connections are closed', async () => {
  const open = raw(server.port, 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
  await call('/healthz');
  await server.close();
  assert.ok((await open).closed);
  await assert.rejects(call('/healthz'));
});
