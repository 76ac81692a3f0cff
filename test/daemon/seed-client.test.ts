/**
 * A client that knows the seed document alone: its fields, the paths of its operations, and its printed examples as
 * request bodies, to the letter. It goes through the whole life of a camera; whatever ends a token ends it at once.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon } from '../support/daemon.ts';

// The request examples as the seed prints them; text, so that nothing here improves them.
const userExample = `{
"id": 10,
"firstName": "John",
"lastName": "James",
"email": "john@email.com",
"password": 12345,
"phone": "12345"
}`;
const resetExample = '123456';
const configurationExample = `{
"ice_servers": [
"stun.l.google.com:19302"
]
}`;
const offerExample = `{
"type": "offer",
"sdp": "",
"valid_until": "2022-02-02T00:00:00.000Z"
}`;

const offerSdp = readFileSync(
  path.join(import.meta.dirname, '../fixtures/offers/chromium-sendrecv.sdp'),
  'utf8',
);

let daemon: Daemon;
before(async () => {
  daemon = await Daemon.start({ claim: false });
  await daemon.until(
    async () => (await fetch(new URL('/healthz', daemon.url))).ok || undefined,
    'the first picture',
  );
});
after(() => daemon?.stop());

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly json: Record<string, unknown>;
}

async function call(
  method: string,
  operation: string,
  options: { token?: string; basic?: string; body?: string } = {},
): Promise<Answer> {
  const headers: Record<string, string> = {};
  if (options.token !== undefined) headers['x-token'] = options.token;
  if (options.basic !== undefined)
    headers.authorization = `Basic ${Buffer.from(options.basic).toString('base64')}`;
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(new URL(`/api/v1${operation}`, daemon.url), {
    method,
    headers,
    ...(options.body === undefined ? {} : { body: options.body }),
  });
  const type = response.headers.get('content-type') ?? '';
  return {
    status: response.status,
    type,
    json: type.includes('json') ? ((await response.json()) as Record<string, unknown>) : {},
  };
}

async function obtain(basic: string): Promise<string> {
  const { status, json } = await call('POST', '/user/token/obtain', { basic });
  assert.equal(status, 200, JSON.stringify(json));
  assert.equal(typeof json.access_token, 'string');
  assertFutureDate(json.valid_until);
  return json.access_token as string;
}

/** The form that the seed prints: UTC with milliseconds. */
function assertFutureDate(value: unknown): void {
  assert.match(String(value), /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
  assert.ok(Date.parse(String(value)) > Date.now(), String(value));
}

async function assertDead(token: string, why: string): Promise<void> {
  for (const [method, operation] of [
    ['GET', '/device'],
    ['GET', '/system'],
    ['POST', '/user/token/refresh'],
    ['GET', '/user/logout'],
    ['PUT', '/user/reset'],
  ] as const) {
    const body = method === 'PUT' ? resetExample : undefined;
    const answer = await call(method, operation, { token, ...(body === undefined ? {} : { body }) });
    assert.equal(answer.status, 401, `${method} ${operation} after ${why}`);
    assert.equal(answer.type, 'application/problem+json');
  }
}

test('the whole life: create, obtain, device, system, configuration, live session, refresh, reset, log out', async () => {
  const setupToken = daemon.token;
  const created = await call('POST', '/user', { token: setupToken, body: userExample });
  assert.equal(created.status, 200, JSON.stringify(created.json));
  assert.deepEqual(created.json, {
    id: 10,
    firstName: 'John',
    lastName: 'James',
    email: 'john@email.com',
    phone: '12345',
  });
  await assertDead(setupToken, 'the first user was created');
  assert.equal((await call('POST', '/user', { token: setupToken, body: userExample })).status, 401);

  const token = await obtain('john@email.com:12345');
  const other = await obtain('john@email.com:12345:phone');
  assert.equal((await call('POST', '/user', { token, body: userExample })).status, 409);

  const device = await call('GET', '/device', { token });
  assert.equal(device.status, 200);
  assert.match(String(device.json.uuid), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.ok(Number.isInteger(device.json.uptime) && (device.json.uptime as number) >= 0);
  assert.match(String(device.json.resolution), /^\d+x\d+$/);
  assert.ok(Number.isInteger(device.json.fps));
  assert.ok(['H.264', 'H.265'].includes(String(device.json.video_codec)));
  assert.equal(device.json.audio_codec, 'G.711');

  const system = await call('GET', '/system', { token });
  assert.equal(system.status, 200);
  assert.equal(typeof system.json.firmwareVersion, 'string');
  assert.ok(Number.isInteger(system.json.sdcard_free) && Number.isInteger(system.json.sdcard_total));
  assert.deepEqual(system.json.live_session_config, { ice_servers: [] });

  const configured = await call('PUT', '/media/live/config', { token, body: configurationExample });
  assert.equal(configured.status, 200, JSON.stringify(configured.json));
  const seen = await call('GET', '/system', { token });
  assert.deepEqual(seen.json.live_session_config, { ice_servers: ['stun.l.google.com:19302'] });
  // This machine may have no network; the seed's server would only be waited for.
  assert.equal((await call('PUT', '/media/live/config', { token, body: '{"ice_servers":[]}' })).status, 200);

  const literal = await call('POST', '/media/live/session', { token, body: offerExample });
  assert.equal(literal.status, 400);
  const { valid_until: _, ...withoutEnd } = JSON.parse(offerExample) as Record<string, unknown>;
  for (const validUntil of [undefined, new Date(Date.now() + 600_000).toISOString()]) {
    const offer = {
      ...withoutEnd,
      sdp: offerSdp,
      ...(validUntil === undefined ? {} : { valid_until: validUntil }),
    };
    const live = await call('POST', '/media/live/session', { token, body: JSON.stringify(offer) });
    assert.equal(live.status, 200, JSON.stringify(live.json));
    assert.equal(live.json.type, 'answer');
    assert.match(String(live.json.sdp), /^v=0\r\n[\s\S]*\r\nm=video /);
    assertFutureDate(live.json.valid_until);
    if (validUntil !== undefined) assert.equal(live.json.valid_until, validUntil);
  }

  const refreshed = await call('POST', '/user/token/refresh', { token });
  assert.equal(refreshed.status, 200);
  assert.deepEqual(Object.keys(refreshed.json), ['valid_until']);
  assertFutureDate(refreshed.json.valid_until);

  const reset = await call('PUT', '/user/reset', { token, body: resetExample });
  assert.equal(reset.status, 200, JSON.stringify(reset.json));
  assert.deepEqual(reset.json, created.json);
  await assertDead(other, 'the password was reset');
  assert.equal((await call('GET', '/device', { token })).status, 200, 'the session that reset lives on');
  assert.equal((await call('POST', '/user/token/obtain', { basic: 'john@email.com:12345' })).status, 400);

  const second = await obtain('john@email.com:123456');
  assert.equal((await call('GET', '/user/logout', { token })).status, 200);
  await assertDead(token, 'log-out');
  assert.equal((await call('GET', '/device', { token: second })).status, 200, 'another session lives on');
  assert.equal((await call('GET', '/user/logout', { token: second })).status, 200);
  await assertDead(second, 'log-out');
});

test('without credentials 401, with wrong ones 400, as the seed lists them', async () => {
  assert.equal((await call('POST', '/user/token/obtain')).status, 401);
  assert.equal((await call('POST', '/user/token/obtain', { basic: 'john@email.com:wrong' })).status, 400);
  for (const [method, operation] of [
    ['GET', '/device'],
    ['GET', '/system'],
    ['GET', '/user/logout'],
    ['POST', '/system/upgrade'],
  ] as const)
    assert.equal((await call(method, operation)).status, 401, `${method} ${operation}`);
});

test('a recording that is not there is 404, a firmware image that nobody can trust is 403', async () => {
  const token = await obtain('john@email.com:123456');
  const clip = await call('GET', '/media/vod/2022-02-02T00:00:00.000Z/2022-02-02T01:00:00.000Z', { token });
  assert.equal(clip.status, 404);
  const form = new FormData();
  form.set('img_file', new Blob(['image']), 'firmware.bin');
  const response = await fetch(new URL('/api/v1/system/upgrade', daemon.url), {
    method: 'POST',
    headers: { 'x-token': token },
    body: form,
  });
  assert.equal(response.status, 403);
  await daemon.until(
    () =>
      readFileSync(path.join(daemon.state, 'audit.log'), 'utf8').includes('"event":"upgrade-refused"') ||
      undefined,
    'the line in the audit log',
  );
});
