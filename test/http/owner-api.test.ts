/** What the owner's page asks beyond the contract: sessions, the log, a try of ICE servers, room for recordings. */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import type { HttpServer } from '../../src/http/server.ts';
import { nowUnixMs } from './fake-recordings.ts';
import { FakeCamera, token } from './fake-services.ts';

let camera: FakeCamera;
let server: HttpServer;
const servers: HttpServer[] = [];
beforeEach(async () => {
  camera = new FakeCamera();
  server = await camera.serve();
  servers.push(server);
});
after(async () => {
  for (const each of servers) await each.close();
});

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

async function call(method: string, path: string, body?: unknown, withToken = token): Promise<Answer> {
  const response = await fetch(new URL(`/api/v1${path}`, server.url), {
    method,
    headers: {
      'x-token': withToken,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

test('the owner sees who is logged in, which of them it is, and ends one of the others', async () => {
  camera.accounts.open('another', 'sid-of-another');
  const { json } = await call('GET', '/user/sessions');
  const sessions = json.sessions as readonly { id: string; is_current: boolean }[];
  assert.deepEqual(
    sessions.map(({ id, is_current }) => [id, is_current]),
    [
      ['sid-of-another', false],
      ['session-of-the-test', true],
    ],
  );
  assert.equal((await call('DELETE', '/user/sessions/sid-of-another')).status, 200);
  assert.equal((await call('GET', '/device', undefined, 'another')).status, 401);
  assert.equal((await call('GET', '/device')).status, 200);
  const gone = await call('DELETE', '/user/sessions/sid-of-another');
  assert.deepEqual([gone.status, gone.json.code], [404, 'not-found']);
});

test('the end of the log is given from any line on, without what is secret', async () => {
  const logger = camera.logTail.following(camera.services().logger);
  logger.debug('not kept at this level');
  logger.info('first', { n: 1, stack: 'long' });
  logger.warn('rtsp://user:secret@192.0.2.1/stream failed', { url: 'http://a:b@c/' });
  const { json } = await call('GET', '/system/logs');
  const entries = json.entries as readonly { id: number; message: string; fields: object }[];
  assert.deepEqual(
    entries.map(({ id, message, fields }) => ({ id, message, fields })),
    [
      { id: 1, message: 'first', fields: { n: 1 } },
      { id: 2, message: 'rtsp://***@192.0.2.1/stream failed', fields: { url: 'http://***@c/' } },
    ],
  );
  assert.equal(json.last, 2);
  assert.equal(((await call('GET', '/system/logs?after=1')).json.entries as unknown[]).length, 1);
  assert.equal(((await call('GET', '/system/logs?after=2')).json.entries as unknown[]).length, 0);
  for (let i = 0; i < 2000; i++) logger.info('x'.repeat(10_000));
  const many = (await call('GET', '/system/logs')).json.entries as readonly { message: string }[];
  assert.equal(many.length, 500);
  assert.ok(many.every(({ message }) => message.length < 500));
});

test('ICE servers are tried with the credentials that are stored, and shown without them', async () => {
  camera.accounts.ice = ['turn:user:secret@turn.example.org:3478'];
  const body = { ice_servers: ['stun.example.org:3478', 'turn:***:***@turn.example.org:3478'] };
  const { status, json } = await call('POST', '/media/live/config/test', body);
  assert.equal(status, 200);
  assert.deepEqual(json.results, [
    {
      server: body.ice_servers[0],
      is_usable: true,
      reason: null,
      address: '192.0.2.9:4000',
      round_trip_ms: 12.3,
    },
    {
      server: body.ice_servers[1],
      is_usable: true,
      reason: null,
      address: '192.0.2.9:4000',
      round_trip_ms: 12.3,
    },
  ]);
  const [request] = camera.liveRequests;
  assert.ok(request?.kind === 'test-ice-servers');
  assert.equal(request.iceServers[1]?.password, 'secret');
  assert.deepEqual(camera.accounts.ice, ['turn:user:secret@turn.example.org:3478']);
  assert.equal((await call('POST', '/media/live/config/test', { ice_servers: ['http://x'] })).status, 400);
});

test('the estimate of days goes by what a day has taken, and by what may be taken', async () => {
  const storage = async (): Promise<Record<string, number | string | null>> =>
    (await call('GET', '/system')).json.storage as Record<string, number | string | null>;
  assert.deepEqual((await storage()).days_estimated, null);
  camera.recordings.add({ baseWallUnixMs: nowUnixMs - 600_000, fragments: 120 });
  const { bytes_recorded: bytes, bytes_per_day: perDay, days_estimated: days, oldest } = await storage();
  assert.equal(oldest, new Date(nowUnixMs - 600_000).toISOString());
  assert.equal(perDay, Math.round((Number(bytes) / 120) * 86_400));
  camera.recordings.rules = { keepFreeBytes: 0, maxAgeMs: 0, maxBytes: 10 * Number(perDay) };
  assert.equal((await storage()).days_estimated, 10);
  camera.recordings.rules = { keepFreeBytes: 0, maxAgeMs: 3 * 86_400_000, maxBytes: 10 * Number(perDay) };
  assert.equal((await storage()).days_estimated, 3);
  assert.ok(Number(days) > 0);
});

test('the stream that a viewer wants reaches the live worker', async () => {
  await call('POST', '/media/live/session', { type: 'offer', sdp: 'v=0\r\n', stream: 'sub' });
  const [request] = camera.liveRequests;
  assert.ok(request?.kind === 'open-session');
  assert.equal(request.stream, 'sub');
  assert.equal(
    (await call('POST', '/media/live/session', { type: 'offer', sdp: 'v=0\r\n', stream: 'x' })).status,
    400,
  );
});
