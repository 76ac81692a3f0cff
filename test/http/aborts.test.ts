/** Row 6 of the fault list and a flood of the others: clients that leave at any byte, and ten thousand requests that are wrong. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { HttpServer } from '../../src/http/server.ts';
import { FakeCamera, token } from './fake-services.ts';
import { connected, raw } from './raw-client.ts';

const camera = new FakeCamera();
let server: HttpServer;
before(async () => {
  server = await camera.serve();
  await fetch(new URL('/healthz', server.url));
});
after(() => server.close());

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const path = '/api/v1/media/live/session';
const body = JSON.stringify({ type: 'offer', sdp: 'a=x\r\n'.repeat(200) });
const head = `Host: a\r\nx-token: ${token}\r\n`;
const json = (text: string): string =>
  `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;

/** One of each class of routes: from memory, behind a token, behind a worker, with a body, open, a page, unknown, refused. */
const requests = [
  `GET /api/v1/device HTTP/1.1\r\n${head}\r\n`,
  `GET /api/v1/system HTTP/1.1\r\n${head}\r\n`,
  `GET /page.js HTTP/1.1\r\n${head}\r\n`,
  `GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n`,
  `GET ${path}/x HTTP/1.1\r\n${head}\r\n`,
  `DELETE ${path}/x HTTP/1.1\r\n${head}\r\n`,
  `POST ${path} HTTP/1.1\r\n${head}${json(body)}`,
  `PUT /api/v1/media/live/config HTTP/1.1\r\n${head}${json('{"ice_servers":["stun.example:3478"]}')}`,
  `GET /api/v1/media/vod/0/now HTTP/1.1\r\n${head}\r\n`,
  `GET /none HTTP/1.1\r\n${head}\r\n`,
];

/** A fixed sequence, so that a failure can be repeated (Park and Miller). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const descriptors = (): number => readdirSync('/proc/self/fd').length;

/** Until no connection is left and the descriptors are what they were. */
async function settled(before: number): Promise<void> {
  for (let i = 0; i < 2000 && (server.connections() > 0 || descriptors() > before); i++)
    await new Promise(resolve => setTimeout(resolve, 5));
  assert.equal(server.connections(), 0);
  assert.ok(descriptors() <= before, `${descriptors()} descriptors after ${before}`);
}

/** What a heap holds when nothing is held any more. */
function heapBytes(): number {
  for (let i = 0; i < 3; i++) collectGarbage();
  return process.memoryUsage().heapUsed;
}

test('row 6: survives 10,000 requests of all classes reset at a random byte, and keeps nothing of theirs', async t => {
  // The replies come a little later, so that resets meet pending requests too.
  const answer = camera.answer;
  camera.answer = async request => {
    await turn();
    return answer(request);
  };
  const random = randomFrom(20_221);
  const uncaught: unknown[] = [];
  const onUncaught = (error: unknown): number => uncaught.push(error);
  process.on('uncaughtException', onUncaught).on('unhandledRejection', onUncaught);
  const resetOne = async (index: number): Promise<void> => {
    const request = requests[index % requests.length]!;
    const socket = await connected(server.port);
    socket.on('error', () => {});
    socket.write(request.slice(0, 1 + Math.floor(random() * request.length)));
    if (random() < 0.5) await turn();
    socket.resetAndDestroy();
    if (!socket.closed) await once(socket, 'close');
  };
  const round = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += 50)
      await Promise.all(Array.from({ length: 50 }, (_, index) => resetOne(done + index)));
    camera.liveRequests.length = 0;
    camera.log.length = 0;
  };
  const before = descriptors();
  await round(1000);
  await settled(before);
  const heap = heapBytes();
  await round(9000);
  await settled(before);
  const growth = heapBytes() - heap;
  process.off('uncaughtException', onUncaught).off('unhandledRejection', onUncaught);
  t.diagnostic(`heap ${Math.round(growth / 1024)} KiB more after 9,000 resets`);
  assert.deepEqual(uncaught, []);
  assert.ok(growth < 2 * 1024 * 1024, `${growth} bytes`);
  const response = await fetch(new URL('/api/v1/device', server.url), { headers: { 'x-token': token } });
  assert.equal(response.status, 200);
});

test('a request behind a pending one ends the connection and is not run', async () => {
  camera.liveRequests.length = 0;
  const answer = camera.answer;
  camera.answer = () => new Promise(() => {});
  const { closed, responses } = await raw(server.port, requests[5]!.repeat(2));
  assert.ok(closed);
  assert.deepEqual(responses, []);
  assert.ok(camera.liveRequests.length <= 1);
  camera.answer = answer;
});

/** What a hostile client may send, with what must come: a status, or none and an end. */
const bad: readonly (readonly [request: string, statuses: readonly number[]])[] = [
  ['GET  / HTTP/1.1\r\nHost: a\r\n\r\n', [400, 505]],
  [`GET /api/v1/device HTTP/1.1\r\nHost: evil.example\r\nx-token: ${token}\r\n\r\n`, [421]],
  [`GET /api/v1/device HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n`, [400]],
  [`GET /api/v1/device HTTP/1.1\r\nHost: a\r\n\r\n`, [401]],
  [`GET /api/v1/device HTTP/1.1\r\nHost: a\r\nx-token: ${'x'.repeat(5000)}\r\n\r\n`, [401]],
  [`GET /api/v1/device HTTP/1.1\r\n${head}x-token: b\r\n\r\n`, [400]],
  [`GET /api/v1/device HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \r\n\r\n`, [401]],
  [`PUT /api/v1/device HTTP/1.1\r\n${head}\r\n`, [405]],
  [`BREW /api/v1/device HTTP/1.1\r\n${head}\r\n`, [405]],
  [`GET /${'a/'.repeat(1000)} HTTP/1.1\r\n${head}\r\n`, [404]],
  [`GET /../../etc/passwd HTTP/1.1\r\n${head}\r\n`, [404]],
  [`GET /%00 HTTP/1.1\r\n${head}\r\n`, [404]],
  // The library's own answer to a request line that is none.
  [`GET /\u0001 HTTP/1.1\r\n${head}\r\n`, [400, 505]],
  [`GET /api/v1/media/vod/x/y HTTP/1.1\r\n${head}\r\n`, [400]],
  [`GET /api/v1/media/vod/now/0 HTTP/1.1\r\n${head}\r\n`, [400]],
  [`GET ${path}/%2e%2e HTTP/1.1\r\n${head}Origin: null\r\n\r\n`, [200, 404]],
  [`DELETE ${path}/x HTTP/1.1\r\n${head}Origin: http://evil.example\r\n\r\n`, [403]],
  [`POST ${path} HTTP/1.1\r\n${head}Sec-Fetch-Site: cross-site\r\n${json(body)}`, [403]],
  [`POST ${path} HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`, [400]],
  [`POST ${path} HTTP/1.1\r\n${head}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, [400]],
  [`POST ${path} HTTP/1.1\r\n${head}Content-Length: x\r\n\r\n`, [400]],
  [`POST ${path} HTTP/1.1\r\n${head}Content-Length: 999999999\r\n\r\n`, [413]],
  [`POST ${path} HTTP/1.1\r\n${head}Content-Length: 3\r\n\r\nabc`, [415]],
  [`POST ${path} HTTP/1.1\r\n${head}${json('{')}`, [400]],
  [`POST ${path} HTTP/1.1\r\n${head}${json('{}')}`, [400]],
  [`POST ${path} HTTP/1.1\r\n${head}${json('[[[[[[')}`, [400]],
  [`POST ${path} HTTP/1.1\r\n${head}${json('{"type":1,"sdp":[]}')}`, [400]],
  [`POST ${path} HTTP/1.1\r\n${head}${json('\xff\xfe')}`, [400]],
  [`POST ${path} HTTP/1.1\r\n${head}${json('{"__proto__":{"a":1}}')}`, [400]],
  [`PUT /api/v1/media/live/config HTTP/1.1\r\n${head}${json('{"ice_servers":["http://x"]}')}`, [400]],
  [`PUT /api/v1/media/live/config HTTP/1.1\r\n${head}${json('null')}`, [400]],
  [`PUT /api/v1/user/reset HTTP/1.1\r\n${head}${json('{}')}`, [400]],
  [`POST /api/v1/user HTTP/1.1\r\n${head}${json('{"email":"a"}')}`, [400, 401, 409]],
  [`POST /api/v1/user/token/obtain HTTP/1.1\r\nHost: a\r\n\r\n`, [401]],
  [`POST /api/v1/user/token/obtain HTTP/1.1\r\nHost: a\r\nAuthorization: Basic !!!\r\n\r\n`, [400]],
  [
    `OPTIONS /api/v1/device HTTP/1.1\r\n${head}Origin: http://evil\r\nAccess-Control-Request-Method: GET\r\n\r\n`,
    [405],
  ],
];

test('10,000 wrong requests: each refused, none a 5xx, nothing kept', async t => {
  const statusOf = (request: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1');
      socket.once('data', chunk => {
        resolve(Number(chunk.toString('latin1', 9, 12)));
        socket.resetAndDestroy();
      });
      socket.once('end', () => resolve(0)).once('error', reject);
      socket.write(Buffer.from(request, 'latin1'));
    });
  const round = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += 50)
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const [request, expected] = bad[(done + index) % bad.length]!;
          const status = await statusOf(request);
          assert.ok(expected.includes(status), `${status} for ${JSON.stringify(request.slice(0, 200))}`);
        }),
      );
    camera.liveRequests.length = 0;
    camera.log.length = 0;
  };
  const before = descriptors();
  await round(1500);
  await settled(before);
  const heap = heapBytes();
  await round(10_000);
  await settled(before);
  const growth = heapBytes() - heap;
  t.diagnostic(`heap ${Math.round(growth / 1024)} KiB more after 10,000 wrong requests`);
  assert.ok(growth < 2 * 1024 * 1024, `${growth} bytes`);
  const response = await fetch(new URL('/api/v1/device', server.url), { headers: { 'x-token': token } });
  assert.equal(response.status, 200);
});
