/** The page's requests: what they carry and where, and what becomes of refusals. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import * as api from '../../src/web/api/camera-api.ts';

const nobody = { email: '', password: '' };

interface Sent extends RequestInit {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const secrets = ['T0KEN', 'SETUP-T0KEN', 'p ä:ssword', encodeURIComponent('p ä:ssword')];

/** Answers every request so, and keeps what was sent. */
function answering(
  t: TestContext,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Sent[] {
  const sent: Sent[] = [];
  t.mock.method(globalThis, 'fetch', async (path: string, init: Sent) => {
    sent.push({ ...init, path });
    return new Response(JSON.stringify(body), { status, headers });
  });
  return sent;
}

test('no secret is ever part of an address, and no cookie or remembered password goes along', async t => {
  const sent = answering(t, 200, {});
  const camera = new api.CameraApi('T0KEN', () => {});
  await api.isSetupRequired();
  await api.createUser('SETUP-T0KEN', { email: 'a@b', password: 'p ä:ssword' });
  await api.logIn('a@b', 'p ä:ssword', 'Firefox on Linux');
  await camera.refresh();
  await camera.openSession('v=0', 'main');
  await camera.describeSession('id');
  await camera.closeSession('id');
  await camera.logOut();
  assert.deepEqual(
    sent.map(({ method, path }) => `${method} ${path}`),
    [
      'GET /api/v1/user/setup',
      'POST /api/v1/user',
      'POST /api/v1/user/token/obtain',
      'POST /api/v1/user/token/refresh',
      'POST /api/v1/media/live/session',
      'GET /api/v1/media/live/session/id',
      'DELETE /api/v1/media/live/session/id',
      'GET /api/v1/user/logout',
    ],
  );
  for (const { path, credentials, referrerPolicy, cache } of sent) {
    for (const secret of secrets) assert.ok(!path.includes(secret), path);
    assert.deepEqual([credentials, referrerPolicy, cache], ['omit', 'no-referrer', 'no-store']);
  }
  assert.deepEqual(sent[0]?.headers, {});
  assert.equal(sent[1]?.headers['x-token'], 'SETUP-T0KEN');
  assert.match(sent[2]?.headers.authorization ?? '', /^Basic [A-Za-z0-9+/]+=*$/);
  for (const { headers } of sent.slice(3)) assert.equal(headers['x-token'], 'T0KEN');
});

test('tells how long a session lives by the clock of the camera', async t => {
  const valid = { access_token: 'T0KEN', valid_until: '2001-01-01T12:00:00.000Z' };
  answering(t, 200, valid, { date: 'Mon, 01 Jan 2001 00:00:00 GMT' });
  assert.equal((await api.logIn('a@b', 'x', '')).lifeMs, 12 * 3_600_000);
});

test('tells the page of every 401 that a session meets, and not of a wrong setup token', async t => {
  answering(t, 401, { code: 'unauthorized' });
  let told = 0;
  const camera = new api.CameraApi('T0KEN', () => {
    told += 1;
  });
  await assert.rejects(api.createUser('x', nobody), { code: 'unauthorized', status: 401 });
  assert.equal(told, 0);
  await assert.rejects(camera.refresh(), { code: 'unauthorized' });
  await assert.rejects(camera.describeSession('id'), { code: 'unauthorized' });
  await camera.closeSession('id');
  assert.equal(told, 3);
});

test('tells how long the camera asks to wait, and what it refuses', async t => {
  answering(t, 429, { code: 'login-throttled' }, { 'retry-after': '7' });
  await assert.rejects(api.logIn('a@b', 'x', ''), { status: 429, retryAfterMs: 7000 });
  t.mock.reset();
  const details = { rule: 'too-short', lengthMin: 8 };
  answering(
    t,
    400,
    { code: 'password-unacceptable', details },
    { 'retry-after': 'Mon, 01 Jan 2001 00:00:00 GMT' },
  );
  await assert.rejects(api.createUser('x', nobody), {
    code: 'password-unacceptable',
    details,
    retryAfterMs: 0,
  });
});

test('takes no answer, and an answer that is none, for a camera that cannot be reached', async t => {
  t.mock.method(globalThis, 'fetch', async () => new Response('<html>', { status: 502 }));
  await assert.rejects(api.isSetupRequired(), { code: 'unreachable', retryAfterMs: 0 });
  t.mock.reset();
  t.mock.method(globalThis, 'fetch', async () => {
    throw new TypeError('Failed to fetch');
  });
  await assert.rejects(api.isSetupRequired(), { code: 'unreachable' });
});
