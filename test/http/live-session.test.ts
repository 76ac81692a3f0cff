/** POST, GET and DELETE of a live session; the live worker is a function of the test. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, beforeEach, test } from 'node:test';
import { CameraError, type ErrorCode } from '../../src/base/errors.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { FakeCamera, token } from './fake-services.ts';
import { connected, raw } from './raw-client.ts';

const path = '/api/v1/media/live/session';
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

function post(body: unknown, contentType: string | null = 'application/json'): Promise<Response> {
  return fetch(new URL(path, server.url), {
    method: 'POST',
    headers: { 'x-token': token, ...(contentType === null ? {} : { 'content-type': contentType }) },
    body: typeof body === 'string' || body instanceof Uint8Array ? new Blob([body]) : JSON.stringify(body),
  });
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { code: string }).code;
}

const offer = { type: 'offer', sdp: 'v=0\r\n' };
const nowUnixMs = 1_700_000_000_000;

test('an offer gets its answer, with the session in body and Location', async () => {
  const response = await post(offer);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('location'), `${path}/session-1`);
  assert.deepEqual(await response.json(), {
    type: 'answer',
    sdp: 'v=0\r\n',
    valid_until: '2023-11-14T23:13:20.000Z',
    session_id: 'session-1',
  });
  assert.deepEqual(camera.liveRequests, [
    {
      kind: 'open-session',
      sdp: 'v=0\r\n',
      validUntilUnixMs: nowUnixMs + 3_600_000,
      iceServers: [],
      stream: undefined,
    },
  ]);
});

test('the stream that is wanted reaches the live worker; one that does not exist is 400', async () => {
  for (const stream of ['main', 'sub']) await post({ ...offer, stream });
  const wanted = camera.liveRequests.map(request => request.kind === 'open-session' && request.stream);
  assert.deepEqual(wanted, ['main', 'sub']);
  for (const stream of ['third', '', null, 1])
    assert.equal(await codeOf(await post({ ...offer, stream })), 'body-invalid');
});

test('valid_until is kept when it is near and cut to the longest session when it is far', async () => {
  for (const [asked, expectedUnixMs] of [
    ['2023-11-14T22:23:20Z', nowUnixMs + 600_000],
    ['2023-11-14T23:23:20+01:00', nowUnixMs + 600_000],
    ['9999-12-31T23:59:59Z', nowUnixMs + 3_600_000],
  ] as const) {
    const answer = (await (await post({ ...offer, valid_until: asked })).json()) as { valid_until: string };
    assert.equal(Date.parse(answer.valid_until), expectedUnixMs, asked);
  }
});

test('valid_until in the past, of another type or form is 400', async () => {
  assert.equal(
    await codeOf(await post({ ...offer, valid_until: '2022-02-02T00:00:00.000Z' })),
    'valid-until-past',
  );
  for (const value of [
    1_800_000_000_000,
    null,
    {},
    [],
    '',
    'tomorrow',
    '2099-02-30T00:00:00Z',
    '2099-01-01',
  ]) {
    const response = await post({ ...offer, valid_until: value });
    assert.equal(response.status, 400, JSON.stringify(value));
    assert.equal(await codeOf(response), 'body-invalid');
  }
  assert.deepEqual(camera.liveRequests, []);
});

test('a body that is not an offer is 400 and never reaches the live worker', async () => {
  for (const body of [
    '',
    '{',
    'null',
    '[]',
    '"offer"',
    '1',
    {},
    { type: 'offer' },
    { sdp: 'v=0' },
    { type: 'answer', sdp: 'v=0' },
    { type: 'rollback', sdp: 'v=0' },
    { type: 1, sdp: 'v=0' },
    { type: 'offer', sdp: ['v=0'] },
    { type: 'offer', sdp: null },
    { ...offer, unknown: 1 },
    '{"type":"offer","sdp":"v=0","__proto__":{"x":1}}',
    '{"type":"offer","sdp":"v=0"} trailing',
    '\ufeff{"type":"offer","sdp":"v=0"}',
    new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    '['.repeat(100_000),
  ]) {
    const response = await post(body);
    assert.equal(response.status, 400, String(body).slice(0, 40));
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    assert.equal(await codeOf(response), 'body-invalid');
  }
  assert.deepEqual(camera.liveRequests, []);
});

test('the fault says where it is and never what was sent', async () => {
  const response = await post({ ...offer, secret_member: 'secret' });
  const text = await response.text();
  assert.doesNotMatch(text, /secret/);
  const details = (JSON.parse(text) as { details: unknown }).details;
  assert.deepEqual(details, { pointer: '', rule: 'additionalProperties', expected: 'no other members' });
});

test('a session description that is empty, too long or no text is sdp-invalid', async () => {
  for (const sdp of ['', 'x'.repeat(65_537), 'é'.repeat(32_769), 'v=0\0', 'v=0\ud800']) {
    const response = await post({ type: 'offer', sdp });
    assert.equal(response.status, 400);
    assert.equal(await codeOf(response), 'sdp-invalid');
  }
  assert.equal((await post({ type: 'offer', sdp: `${'x'.repeat(65_534)}\r\n` })).status, 200);
});

test('a large body is 413 as soon as its length is known, and the connection ends', async () => {
  const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\nContent-Type: application/json\r\n`;
  const { responses, closed } = await raw(server.port, `${head}Content-Length: 1048576\r\n\r\n{`);
  assert.equal(responses[0]?.status, 413);
  assert.ok(closed);
  assert.equal((await post('x'.repeat(1_048_576))).status, 413);
});

test('a content type other than JSON in UTF-8 is 415', async () => {
  for (const type of [
    null,
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-7',
    'application/json; charset=utf-8; x=y',
    'application/jsonp',
    'application/json, text/plain',
  ]) {
    const response = await post(JSON.stringify(offer), type);
    assert.equal(response.status, 415, String(type));
  }
  for (const type of [
    'application/json',
    'Application/JSON;charset=UTF-8',
    'application/json ; charset="utf-8"',
  ])
    assert.equal((await post(offer, type)).status, 200, type);
});

test('a POST without a body and without a length is 400', async () => {
  const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\nContent-Type: application/json\r\n\r\n`;
  const { responses } = await raw(server.port, head, { expect: 1 });
  assert.equal(responses[0]?.status, 400);
});

test('the token is asked for before type, length and body', async () => {
  const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 9999999\r\n\r\n`;
  const { responses } = await raw(server.port, head, { expect: 1 });
  assert.equal(responses[0]?.status, 401);
});

test('a body in small pieces arrives whole', async () => {
  const body = JSON.stringify({ type: 'offer', sdp: 'a=x\r\n'.repeat(2000) });
  const socket = await connected(server.port);
  socket.setNoDelay(true);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
  );
  for (let at = 0; at < body.length; at += 1000) {
    socket.write(body.slice(at, at + 1000));
    await new Promise(resolve => setImmediate(resolve));
  }
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
  const [request] = camera.liveRequests;
  assert.equal(request?.kind === 'open-session' && request.sdp, 'a=x\r\n'.repeat(2000));
  socket.destroy();
});

const workerFaults: readonly (readonly [ErrorCode, number])[] = [
  ['sdp-invalid', 400],
  ['codec-unsupported', 400],
  ['viewer-limit', 503],
  ['offers-pending', 503],
  ['source-not-ready', 503],
  ['worker-unavailable', 503],
  ['request-timeout', 503],
  ['internal', 500],
];
for (const [code, status] of workerFaults)
  test(`${code} of the live worker is ${status}`, async () => {
    camera.failWith(new CameraError(code, 'the words of the worker', { offered: 'VP8' }));
    const response = await post(offer);
    assert.equal(response.status, status);
    assert.equal(response.headers.has('retry-after'), status === 503);
    const problem = (await response.json()) as {
      code: string;
      detail: string;
      details?: { offered: string };
    };
    assert.equal(problem.code, code);
    assert.doesNotMatch(problem.detail, /words of the worker/);
    if (code === 'codec-unsupported') assert.equal(problem.details?.offered, 'VP8');
  });

test('GET shows state, statistics and the clock of the camera', async () => {
  const response = await fetch(new URL(`${path}/session-1`, server.url), { headers: { 'x-token': token } });
  assert.equal(response.status, 200);
  const body = (await response.json()) as Record<string, unknown>;
  assert.equal(body.state, 'connected');
  assert.equal(body.frames_sent, 30);
  assert.equal(body.valid_until, '2023-11-14T22:23:20.000Z');
  assert.equal(body.now_unix_ms, nowUnixMs);
});

test('DELETE ends the session', async () => {
  const response = await fetch(new URL(`${path}/session-1`, server.url), {
    method: 'DELETE',
    headers: { 'x-token': token },
  });
  assert.deepEqual(await response.json(), { session_id: 'session-1', state: 'ended' });
  assert.deepEqual(camera.liveRequests, [{ kind: 'close-session', sessionId: 'session-1' }]);
});

test('an unknown session is 404, and what cannot be an id is not asked for', async () => {
  camera.failWith(new CameraError('session-unknown', ''));
  for (const method of ['GET', 'DELETE'])
    for (const id of ['gone', 'a'.repeat(65), '%2e%2e', 'a.b']) {
      const response = await fetch(new URL(`${path}/${id}`, server.url), {
        method,
        headers: { 'x-token': token },
      });
      assert.equal(response.status, 404, id);
    }
  assert.equal(camera.liveRequests.length, 2);
});

test('a client that leaves while its offer is pending leaves no session behind', async () => {
  let arrived!: () => void;
  let open!: () => void;
  let closedSession!: (id: string) => void;
  const arrival = new Promise<void>(resolve => {
    arrived = resolve;
  });
  const closed = new Promise<string>(resolve => {
    closedSession = resolve;
  });
  camera.answer = request => {
    if (request.kind === 'close-session') {
      closedSession(request.sessionId);
      return Promise.resolve({ closed: true });
    }
    arrived();
    return new Promise(resolve => {
      open = () => resolve({ sessionId: 'late', sdp: 'v=0\r\n', validUntilUnixMs: nowUnixMs });
    });
  };
  const body = JSON.stringify(offer);
  const socket = await connected(server.port);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  await arrival;
  socket.resetAndDestroy();
  // A new connection is served in a later turn of the server's event loop than the reset that came before it.
  await fetch(new URL('/healthz', server.url));
  await fetch(new URL('/healthz', server.url));
  open();
  assert.equal(await closed, 'late');
});

test('an offer that the deadline overtook leaves no session behind', async () => {
  server = await camera.serve({ deadlineMs: 20 });
  servers.push(server);
  let closedSession!: (id: string) => void;
  const closed = new Promise<string>(resolve => {
    closedSession = resolve;
  });
  let open!: () => void;
  camera.answer = request => {
    if (request.kind === 'close-session') {
      closedSession(request.sessionId);
      return Promise.resolve({ closed: true });
    }
    return new Promise(resolve => {
      open = () => resolve({ sessionId: 'late', sdp: 'v=0\r\n', validUntilUnixMs: nowUnixMs });
    });
  };
  assert.equal((await post(offer)).status, 503);
  open();
  assert.equal(await closed, 'late');
});
