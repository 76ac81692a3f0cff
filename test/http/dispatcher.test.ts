/** The order in which a request is judged, and what becomes of one that is slow, abandoned or answered wrongly. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { HttpServer } from '../../src/http/server.ts';
import { owner, setupToken } from './fake-accounts.ts';
import { FakeCamera, token, video } from './fake-services.ts';
import { connected, raw } from './raw-client.ts';

let camera: FakeCamera;
let servers: HttpServer[];
beforeEach(() => {
  camera = new FakeCamera();
  servers = [];
});
afterEach(async () => {
  for (const server of servers) await server.close();
});

async function serve(options: Parameters<FakeCamera['serve']>[0] = {}): Promise<HttpServer> {
  const server = await camera.serve(options);
  servers.push(server);
  return server;
}

function call(server: HttpServer, method: string, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(new URL(path, server.url), { method, ...init });
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { code: string }).code;
}

describe('the order', () => {
  const useless = '{"unknown":1,"unknown":2';

  test('nothing is said of query, type, size and body without a good token', async () => {
    const server = await serve();
    for (const headers of [{}, { 'x-token': 'wrong' }, { 'x-token': setupToken }])
      for (const type of ['application/json', 'text/plain'])
        for (const body of [useless, 'x'.repeat(20_000)])
          for (const [method, path] of [
            ['PUT', '/api/v1/user/reset?unknown=1'],
            ['POST', '/api/v1/user?unknown=1'],
            ['POST', '/api/v1/media/vod/link'],
            ['PUT', '/api/v1/media/live/config'],
          ] as const) {
            const response = await call(server, method, path, {
              headers: { ...headers, 'content-type': type },
              body,
            });
            assert.equal(response.status, 401, `${method} ${path} ${type} ${body.length}`);
            assert.equal(await codeOf(response), 'unauthorized');
          }
  });

  test('with a good token parameters come before type and size, those before the body', async () => {
    const server = await serve();
    const reset = (query: string, type: string, body: string): Promise<string> =>
      call(server, 'PUT', `/api/v1/user/reset${query}`, {
        headers: { 'x-token': token, 'content-type': type },
        body,
      }).then(codeOf);
    assert.equal(await reset('?unknown=1', 'text/plain', useless), 'parameters-invalid');
    assert.equal(await reset('', 'text/plain', 'x'.repeat(20_000)), 'body-too-large');
    assert.equal(await reset('', 'text/plain', useless), 'media-type-unsupported');
    assert.equal(await reset('', 'application/json', useless), 'body-invalid');
  });

  test('with the setup token a useless request learns why, and the user can still be created', async () => {
    const server = await serve();
    camera.accounts.user = undefined;
    const create = (query: string, body: string, key = setupToken): Promise<Response> =>
      call(server, 'POST', `/api/v1/user${query}`, {
        headers: { 'x-token': key, 'content-type': 'application/json' },
        body,
      });
    assert.equal(await codeOf(await create('', useless)), 'body-invalid');
    assert.equal(await codeOf(await create('', '[]')), 'body-invalid');
    assert.equal(await codeOf(await create('?unknown=1', '[]')), 'parameters-invalid');
    assert.equal(await codeOf(await create('', 'x'.repeat(20_000))), 'body-too-large');
    assert.equal((await create('', JSON.stringify(owner))).status, 200);
    assert.equal((await create('', useless)).status, 401);
    assert.equal((await create('', useless, token)).status, 409);
  });

  test('a bad token is answered while the body is still on its way', async () => {
    const server = await serve();
    const socket = await connected(server.port);
    socket.write(
      'PUT /api/v1/user/reset HTTP/1.1\r\nHost: a\r\nx-token: wrong\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"',
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 401 /);
    socket.destroy();
  });
});

describe('a deadline', () => {
  const head = (length: number): string =>
    `PUT /api/v1/user/reset HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

  test('ends a body that does not come, with 408 and the connection', async () => {
    const server = await serve({ deadlineMs: 30 });
    const { responses, closed } = await raw(server.port, `${head(100)}"abc`);
    assert.equal(responses[0]?.status, 408);
    assert.ok(closed);
  });

  test('ends an authentication that does not answer, with 503', async () => {
    const server = await serve({ deadlineMs: 30 });
    camera.accounts.authenticate = () => new Promise(() => {});
    const { responses } = await raw(server.port, `${head(8)}"123456"`, { expect: 1 });
    assert.equal(responses[0]?.status, 503);
    assert.match(responses[0]?.body ?? '', /request-timeout/);
    assert.equal(responses[0]?.headers.get('retry-after'), '5');
  });

  test('is configured', async () => {
    camera.http = { ...camera.http, requestTimeoutSeconds: 0.03 };
    const server = await serve();
    camera.answer = () => new Promise(() => {});
    const response = await call(server, 'DELETE', '/api/v1/media/live/session/a', {
      headers: { 'x-token': token },
    });
    assert.equal(await codeOf(response), 'request-timeout');
  });
});

test('a handler does not run for a client that left while it was authenticated', async () => {
  const server = await serve();
  let arrived!: () => void;
  const arrival = new Promise<void>(resolve => {
    arrived = resolve;
  });
  let decide!: () => void;
  const authenticate = camera.accounts.authenticate.bind(camera.accounts);
  camera.accounts.authenticate = async given => {
    arrived();
    await new Promise<void>(resolve => {
      decide = resolve;
    });
    return authenticate(given);
  };
  const socket = await connected(server.port);
  socket.write(`DELETE /api/v1/media/live/session/a HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\n\r\n`);
  await arrival;
  socket.resetAndDestroy();
  // A new connection is served in a later turn of the server's event loop than the reset that came before it.
  await call(server, 'GET', '/healthz');
  await call(server, 'GET', '/healthz');
  decide();
  await call(server, 'GET', '/healthz');
  assert.deepEqual(camera.liveRequests, []);
});

describe('replies', () => {
  const device = (server: HttpServer): Promise<Response> =>
    call(server, 'GET', '/api/v1/device', { headers: { 'x-token': token } });

  test('that break the document are a 500 and an error in the log, where they are checked', async () => {
    const server = await serve();
    camera.tracks = [{ ...video, framesPerSecond: Number.NaN } as typeof video];
    const response = await device(server);
    assert.equal(response.status, 500);
    assert.equal(await codeOf(response), 'internal');
    const line = camera.log.find(({ level }) => level === 'error');
    assert.match(String(line?.fields.fault), /the body at '\/fps' breaks type: must be integer/);
    assert.equal(line?.fields.requestId, response.headers.get('x-request-id'));
  });

  test('go out as they are where they are not', async () => {
    camera.http = { ...camera.http, validateReplies: false };
    const server = await serve();
    camera.tracks = [{ ...video, framesPerSecond: Number.NaN } as typeof video];
    assert.equal((await device(server)).status, 200);
  });
});

test('metrics are open where they are configured so, and nothing else is', async () => {
  camera.http = { ...camera.http, openMetrics: true };
  const server = await serve();
  assert.equal((await call(server, 'GET', '/metrics')).status, 200);
  assert.equal((await call(server, 'GET', '/metrics?unknown=1')).status, 400);
  assert.equal((await call(server, 'GET', '/api/v1/system')).status, 401);
});

test('the document is served to the byte, and 304 to those who have it', async () => {
  const server = await serve();
  const response = await call(server, 'GET', '/api/v1/openapi.json');
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(response.headers.get('cache-control'), 'no-cache');
  const { openapi } = (await response.json()) as { openapi: string };
  assert.equal(openapi, '3.1.0');
  const etag = response.headers.get('etag') ?? '';
  const again = await call(server, 'GET', '/api/v1/openapi.json', { headers: { 'if-none-match': etag } });
  assert.equal(again.status, 304);
  assert.equal(await again.text(), '');
});
