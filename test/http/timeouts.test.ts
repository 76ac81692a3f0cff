/**
 * Connections that never get as far as a request: the library's time-out of about 11 s ends them, and others are served
 * meanwhile. They all wait together.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { HttpServer } from '../../src/http/server.ts';
import { FakeCamera, token } from './fake-services.ts';
import { connected, raw } from './raw-client.ts';

const camera = new FakeCamera();
let server: HttpServer;
before(async () => {
  server = await camera.serve();
});
after(() => server.close());

const head = `Host: a\r\nx-token: ${token}\r\n`;
const device = 'GET /api/v1/device HTTP/1.1';
const post = `POST /api/v1/media/live/session HTTP/1.1\r\n${head}Content-Type: application/json\r\n`;
const waiting = { concurrency: true, timeout: 20_000 };

/** Sends what it is told to and a byte ten times a second after it, whatever the server says, until the server has closed. */
async function dripOn(port: number, start: string): Promise<{ text: string; answeredMs: number }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(start);
  const beginMs = performance.now();
  let answeredMs = Number.POSITIVE_INFINITY;
  let text = '';
  socket.on('data', chunk => {
    answeredMs = Math.min(answeredMs, performance.now() - beginMs);
    text += chunk.toString('latin1');
  });
  const timer = setInterval(() => socket.write('x'), 100);
  await new Promise(resolve => socket.once('close', resolve));
  clearInterval(timer);
  return { text, answeredMs };
}

/** Sends a byte twice a second after the start of a request; resolves when the server has closed. */
async function drip(start: string): Promise<void> {
  const socket = await connected(server.port);
  socket.on('error', () => {});
  socket.resume();
  socket.write(start);
  const timer = setInterval(() => socket.write('x'), 500);
  await once(socket, 'close');
  clearInterval(timer);
}

describe('the time-out', waiting, () => {
  for (const [name, bytes] of Object.entries({
    'a connection without a request': '',
    'a bare line feed in a header': `${device}\r\nX: a\n${head}\r\n`,
    'a NUL in a header': `${device}\r\nX: a\0b\r\n${head}\r\n`,
    'a folded header': `${device}\r\nX: a\r\n b\r\n${head}\r\n`,
    'a space before the colon': `${device}\r\nHost : a\r\nx-token: ${token}\r\n\r\n`,
    'a space before the colon of a length': `${post}Content-Length : 3\r\n\r\nabc`,
    'two hundred header fields': `${device}\r\n${head}${'A: b\r\n'.repeat(200)}\r\n`,
  }))
    test(`ends ${name} without an answer`, async () => {
      const { closed, responses } = await raw(server.port, bytes);
      assert.ok(closed);
      assert.deepEqual(responses, []);
      assert.deepEqual(camera.liveRequests, []);
    });

  test('answers 408 to a body that stops', async () => {
    const { closed, responses } = await raw(server.port, `${post}Content-Length: 100\r\n\r\n{`);
    assert.ok(closed);
    assert.deepEqual(
      responses.map(({ status }) => status),
      [408],
    );
    assert.deepEqual(camera.liveRequests, []);
  });

  test('answers 408 to a body that drips on, and ends the connection', async () => {
    const impatient = new FakeCamera();
    impatient.http = { ...impatient.http, requestTimeoutSeconds: 1 };
    const quick = await impatient.serve();
    const { text, answeredMs } = await dripOn(quick.port, `${post}Content-Length: 10000\r\n\r\n{`);
    assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
    assert.match(text, /"code":"body-timeout"/);
    assert.ok(answeredMs < 5000, `${answeredMs} ms`);
    assert.deepEqual(impatient.liveRequests, []);
    await quick.close();
  });

  test('ends a hundred slow headers and slow bodies and serves others meanwhile', async () => {
    const slow = Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        drip(index % 2 === 0 ? `${post}X: ` : `${post}Content-Length: 10000\r\n\r\n`),
      ),
    );
    assert.equal((await fetch(new URL('/healthz', server.url))).status, 200);
    await slow;
    assert.equal((await fetch(new URL('/healthz', server.url))).status, 200);
  });
});
