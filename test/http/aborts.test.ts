/** Clients that leave at any byte: the server stays, and nothing is left of them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
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

const path = '/api/v1/media/live/session';
const body = JSON.stringify({ type: 'offer', sdp: 'a=x\r\n'.repeat(200) });
const head = `Host: a\r\nx-token: ${token}\r\n`;
const requests = [
  `GET /api/v1/device HTTP/1.1\r\n${head}\r\n`,
  `GET /api/v1/system HTTP/1.1\r\n${head}\r\n`,
  `GET /page.js HTTP/1.1\r\n${head}\r\n`,
  `DELETE ${path}/x HTTP/1.1\r\n${head}\r\n`,
  `POST ${path} HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
];

/** A fixed sequence, so that a failure can be repeated (Park and Miller). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test('survives 1,000 requests reset at a random byte, and keeps no descriptor of theirs', async () => {
  // The replies come a little later, so that resets meet pending requests too.
  const answer = camera.answer;
  camera.answer = async request => {
    await new Promise(resolve => setImmediate(resolve));
    return answer(request);
  };
  const random = randomFrom(20_221);
  const descriptors = readdirSync('/proc/self/fd').length;
  for (let round = 0; round < 50; round++)
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const request = requests[index % requests.length]!;
        const socket = await connected(server.port);
        socket.on('error', () => {});
        socket.write(request.slice(0, 1 + Math.floor(random() * request.length)));
        if (random() < 0.5) await new Promise(resolve => setImmediate(resolve));
        socket.resetAndDestroy();
        await once(socket, 'close');
      }),
    );
  const response = await fetch(new URL('/api/v1/device', server.url), { headers: { 'x-token': token } });
  assert.equal(response.status, 200);
  for (let turn = 0; turn < 100 && readdirSync('/proc/self/fd').length > descriptors + 2; turn++)
    await new Promise(resolve => setImmediate(resolve));
  assert.ok(readdirSync('/proc/self/fd').length <= descriptors + 2);
});

test('a request behind a pending one ends the connection and is not run', async () => {
  camera.liveRequests.length = 0;
  camera.answer = () => new Promise(() => {});
  const { closed, responses } = await raw(server.port, requests[3]!.repeat(2));
  assert.ok(closed);
  assert.deepEqual(responses, []);
  assert.equal(camera.liveRequests.length, 1);
});
