/** A live session belongs to the session of the user that opened it; and offers are limited (faults.md, 35 and 38). */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { CameraError } from '../../src/base/errors.ts';
import { type HttpServer, startHttpServer } from '../../src/http/server.ts';
import type { LiveReplies, LiveRequest } from '../../src/ipc/messages.ts';
import { FakeCamera, token } from './fake-services.ts';

const path = '/api/v1/media/live/session';
const sid = 'session-of-the-test';
const nowUnixMs = 1_700_000_000_000;
let camera: FakeCamera;
let server: HttpServer;
/** Ids of live sessions that were closed, in order. */
let closed: string[];
const servers: HttpServer[] = [];
beforeEach(async () => {
  camera = new FakeCamera();
  closed = [];
  let opened = 0;
  camera.answer = async request => answer(request, `live-${++opened}`);
  server = await camera.serve();
  servers.push(server);
});
after(async () => {
  for (const each of servers) await each.close();
});

function answer(request: LiveRequest, id: string): LiveReplies[LiveRequest['kind']] {
  if (request.kind === 'close-session') {
    closed.push(request.sessionId);
    return { closed: true };
  }
  assert.equal(request.kind, 'open-session');
  const { validUntilUnixMs } = request as Extract<LiveRequest, { kind: 'open-session' }>;
  return { sessionId: id, sdp: 'v=0\r\n', validUntilUnixMs };
}

async function post(
  key = token,
  body: object = { type: 'offer', sdp: 'v=0\r\n' },
): Promise<{ status: number; headers: Headers; json: Record<string, unknown> }> {
  const response = await fetch(new URL(path, server.url), {
    method: 'POST',
    headers: { 'x-token': key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    json: (await response.json()) as Record<string, unknown>,
  };
}

/** Holds back the live worker's answer to the next offer. */
function heldOffer(): { arrived: Promise<void>; open: () => void } {
  let arrive!: () => void;
  let open!: () => void;
  const arrived = new Promise<void>(resolve => {
    arrive = resolve;
  });
  camera.answer = async request => {
    if (request.kind === 'open-session') {
      arrive();
      await new Promise<void>(resolve => {
        open = resolve;
      });
    }
    return answer(request, 'late');
  };
  return { arrived, open: () => open() };
}

test('the end of a session closes what it watches at once, and nothing of another', async () => {
  camera.accounts.open('other-token', 'other');
  assert.equal((await post()).json.session_id, 'live-1');
  assert.equal((await post('other-token')).json.session_id, 'live-2');
  assert.equal((await post()).json.session_id, 'live-3');
  camera.accounts.end(sid);
  assert.deepEqual(closed, ['live-1', 'live-3']);
  camera.accounts.end('other');
  assert.deepEqual(closed, ['live-1', 'live-3', 'live-2']);
});

test('what has ended by itself or by DELETE is not closed again', async () => {
  await post();
  await post();
  camera.endLiveSession('live-1');
  await fetch(new URL(`${path}/live-2`, server.url), { method: 'DELETE', headers: { 'x-token': token } });
  assert.deepEqual(closed, ['live-2']);
  camera.accounts.end(sid);
  assert.deepEqual(closed, ['live-2']);
});

test('a session that ends while its offer is answered gets 401, and the live session is closed', async () => {
  const { arrived, open } = heldOffer();
  const posted = post();
  await arrived;
  camera.accounts.end(sid);
  open();
  const { status, json } = await posted;
  assert.deepEqual([status, json.code], [401, 'unauthorized']);
  assert.deepEqual(closed, ['late']);
});

test('so does one whose end nobody told of, which the accounts know', async () => {
  const { arrived, open } = heldOffer();
  const posted = post();
  await arrived;
  camera.accounts.bySessionToken.delete(token);
  open();
  assert.equal((await posted).status, 401);
  assert.deepEqual(closed, ['late']);
});

test('accounts that fail after the opening leave no live session behind', async () => {
  const { arrived, open } = heldOffer();
  const posted = post();
  await arrived;
  camera.accounts.authenticate = () => Promise.reject(new CameraError('accounts-damaged', ''));
  open();
  assert.equal((await posted).status, 503);
  assert.deepEqual(closed, ['late']);
});

test('a live session never outlives the session, as its answer says', async () => {
  const soon = new Date(nowUnixMs + 60_000).toISOString();
  camera.accounts.bySessionToken.set(token, { sid, label: '', validUntilUnixMs: nowUnixMs + 60_000 });
  assert.equal((await post()).json.valid_until, soon);
  const asked = { type: 'offer', sdp: 'v=0\r\n', valid_until: '9999-12-31T23:59:59.999Z' };
  assert.equal((await post(token, asked)).json.valid_until, soon);
  const sooner = { ...asked, valid_until: new Date(nowUnixMs + 30_000).toISOString() };
  assert.equal((await post(token, sooner)).json.valid_until, sooner.valid_until);
});

test('the next live session has the servers that are stored then, with their credentials', async () => {
  camera.accounts.ice = ['stun.example:3478', 'turn:a%40b:c@turn.example?transport=tcp'];
  await post();
  camera.accounts.ice = [];
  await post();
  const servers = camera.liveRequests.map(request => request.kind === 'open-session' && request.iceServers);
  assert.deepEqual(servers, [
    [
      { kind: 'stun', host: 'stun.example', port: 3478, transport: 'udp' },
      {
        kind: 'turn',
        host: 'turn.example',
        port: 3478,
        transport: 'tcp',
        username: 'a@b',
        password: 'c',
      },
    ],
    [],
  ]);
});

async function serveLimited(offersPerMinute: number): Promise<void> {
  const services = camera.services();
  const live = { ...services.live, offersPerMinute };
  server = await startHttpServer({ host: '127.0.0.1', port: 0 }, { ...services, live });
  servers.push(server);
}

test('the same offer over and over is 429 with Retry-After after the limit, and never reaches the live worker', async () => {
  await serveLimited(10);
  const statuses: number[] = [];
  for (let i = 0; i < 100; i++) {
    const { status, headers } = await post();
    statuses.push(status);
    if (status === 429) assert.ok(Number(headers.get('retry-after')) >= 1);
  }
  assert.deepEqual(statuses, [...new Array(10).fill(200), ...new Array(90).fill(429)]);
  assert.equal(camera.liveRequests.length, 10);
  camera.clock.advanceUs(6_000_000);
  assert.equal((await post()).status, 200);
});

test('offers that cannot be used cost nothing, those that found no place do', async () => {
  await serveLimited(10);
  const works = camera.answer;
  for (const code of ['sdp-invalid', 'codec-unsupported', 'source-not-ready'] as const) {
    camera.failWith(new CameraError(code, ''));
    for (let i = 0; i < 20; i++) assert.notEqual((await post()).status, 429);
  }
  for (let i = 0; i < 20; i++) assert.equal((await post(token, { type: 'offer', sdp: '' })).status, 400);
  camera.failWith(new CameraError('offers-pending', ''));
  for (let i = 0; i < 10; i++) assert.equal((await post()).status, 503);
  camera.answer = works;
  assert.equal((await post()).status, 429);
});
