/** The user and the sessions of the real daemon: what opens what, and what a bad request gets (faults.md, 7 to 13 and 18). */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon, owner } from '../support/daemon.ts';

const offerSdp = readFileSync(
  path.join(import.meta.dirname, '../fixtures/offers/chromium-sendrecv.sdp'),
  'utf8',
);

interface Options {
  readonly token?: string;
  readonly body?: unknown;
  /** A body as it stands. */
  readonly text?: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function call(
  daemon: Daemon,
  method: string,
  target: string,
  options: Options = {},
): Promise<Response> {
  const text = options.text ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  return fetch(new URL(`/api/v1${target}`, daemon.url), {
    method,
    headers: {
      ...(options.token === undefined ? {} : { 'x-token': options.token }),
      ...(text === undefined ? {} : { 'content-type': options.type ?? 'application/json' }),
      ...options.headers,
    },
    ...(text === undefined ? {} : { body: text }),
  });
}

async function statusOf(...parameters: Parameters<typeof call>): Promise<number> {
  const response = await call(...parameters);
  await response.arrayBuffer();
  return response.status;
}

const basic = (email: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${email}:${password}`).toString('base64')}`,
});

async function obtain(daemon: Daemon, email: string, password: string): Promise<number> {
  return statusOf(daemon, 'POST', '/user/token/obtain', { headers: basic(email, password) });
}

async function liveSession(daemon: Daemon, token: string): Promise<string> {
  const response = await call(daemon, 'POST', '/media/live/session', {
    token,
    body: { type: 'offer', sdp: offerSdp },
  });
  const answer = (await response.json()) as { session_id: string };
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer.session_id;
}

async function setupRequired(daemon: Daemon): Promise<boolean> {
  const state = (await (await call(daemon, 'GET', '/user/setup')).json()) as { setup_required: boolean };
  return state.setup_required;
}

async function firstPicture(daemon: Daemon): Promise<void> {
  await daemon.until(
    async () => (await fetch(new URL('/healthz', daemon.url))).ok || undefined,
    'the first picture',
  );
}

const everyOtherRoute: readonly (readonly [string, string])[] = [
  ['GET', '/device'],
  ['GET', '/system'],
  ['POST', '/system/upgrade'],
  ['POST', '/user/token/refresh'],
  ['GET', '/user/logout'],
  ['PUT', '/user/reset'],
  ['PUT', '/media/live/config'],
  ['POST', '/media/live/session'],
  ['GET', '/media/live/session/x'],
  ['DELETE', '/media/live/session/x'],
  ['GET', '/media/vod/1/2'],
  ['POST', '/media/vod/link'],
];

describe('a camera at factory state', () => {
  let daemon: Daemon;
  before(async () => {
    daemon = await Daemon.start({ claim: false });
  });
  after(() => daemon?.stop());

  test('says that it wants to be set up', async () => {
    assert.equal(await setupRequired(daemon), true);
  });

  test('the setup token opens nothing but POST /user', async () => {
    for (const [method, target] of everyOtherRoute)
      for (const headers of [{ 'x-token': daemon.token }, { authorization: `Bearer ${daemon.token}` }])
        assert.equal(await statusOf(daemon, method, target, { headers }), 401, `${method} ${target}`);
    assert.equal(await obtain(daemon, owner.email, daemon.token), 400);
  });

  test('guessing the setup token is 401, then 429 with Retry-After, and changes nothing', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 20; i++) {
      const token = i % 4 === 0 ? {} : { token: ['', 'ABCDEFGHJKMNPQRS', 'x'.repeat(4096)][i % 3]! };
      const response = await call(daemon, 'POST', '/user', { ...token, body: owner });
      statuses.push(response.status);
      if (response.status === 429) assert.ok(Number(response.headers.get('retry-after')) > 0);
      assert.equal(response.headers.get('content-type'), 'application/problem+json');
      await response.arrayBuffer();
    }
    assert.equal(statuses[0], 401);
    assert.equal(statuses.at(-1), 429);
    assert.deepEqual(
      statuses.filter(status => status !== 401 && status !== 429),
      [],
    );
    assert.ok(existsSync(path.join(daemon.state, 'setup-token')));
    await daemon.restart();
    assert.equal(await setupRequired(daemon), true, 'still at factory state');
    await daemon.claim();
    assert.equal(await setupRequired(daemon), false);
    assert.ok(
      !existsSync(path.join(daemon.state, 'setup-token')),
      'the setup token died with the first user',
    );
  });
});

describe('creating the user', () => {
  let daemon: Daemon;
  before(async () => {
    daemon = await Daemon.start({
      claim: false,
      flags: ['--accounts-setup-tries-per-minute', '1000000'],
    });
  });
  after(() => daemon?.stop());

  const user = {
    id: 1,
    firstName: 'A',
    lastName: 'B',
    email: 'a@b.example',
    password: 'long enough',
    phone: '1',
  };
  const text = JSON.stringify(user);
  for (const [name, body] of [
    ['no e-mail', JSON.stringify({ ...user, email: undefined })],
    ['no password', JSON.stringify({ ...user, password: undefined })],
    ['an e-mail of 255 characters', JSON.stringify({ ...user, email: `${'a'.repeat(247)}@b.examp` })],
    ['an empty e-mail', JSON.stringify({ ...user, email: '' })],
    ['an e-mail without @', JSON.stringify({ ...user, email: 'ab.example' })],
    ['an e-mail with a colon, which Basic cannot carry', JSON.stringify({ ...user, email: 'a:b@c.example' })],
    ['an e-mail with CRLF', JSON.stringify({ ...user, email: 'a@b.example\r\nx: y' })],
    ['an e-mail with a right-to-left override', JSON.stringify({ ...user, email: 'a\u202e@b.example' })],
    ['an e-mail that is a list', JSON.stringify({ ...user, email: ['a@b.example'] })],
    ['two e-mail members', text.replace('"email"', '"email":"x@y.example","email"')],
    ['two e-mail members, one escaped', text.replace('"email"', '"e\\u006dail":"x@y.example","email"')],
    ['__proto__', text.replace('"id"', '"__proto__":{"id":1},"id"')],
    ['a list', JSON.stringify([user])],
    ['null', 'null'],
    ['nothing', ''],
    ['an id that is text', JSON.stringify({ ...user, id: '1' })],
    ['an id that is no whole number', JSON.stringify({ ...user, id: 1.5 })],
    ['a first name with a NUL', JSON.stringify({ ...user, firstName: 'a\0b' })],
    ['a phone number of 10,000 digits', JSON.stringify({ ...user, phone: '1'.repeat(10_000) })],
    ['a password that is null', JSON.stringify({ ...user, password: null })],
    ['a password that is a fraction', JSON.stringify({ ...user, password: 12345.5 })],
    ['a password that is a huge number', text.replace('"long enough"', '123456789012345678901')],
    ['a password of four characters', JSON.stringify({ ...user, password: 'four' })],
    ['a password that is the e-mail', JSON.stringify({ ...user, password: 'A@b.example' })],
  ] as const)
    test(`${name} is 400`, async () => {
      const response = await call(daemon, 'POST', '/user', { token: daemon.token, text: body });
      const problem = await response.text();
      assert.equal(response.status, 400, problem);
      assert.equal(response.headers.get('content-type'), 'application/problem+json');
      assert.doesNotMatch(problem, /long enough|four|1234567890/);
    });

  test('the 400s changed nothing; of five at once one becomes the user', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        statusOf(daemon, 'POST', '/user', { token: daemon.token, body: { ...user, id: i } }),
      ),
    );
    assert.deepEqual(statuses.sort(), [200, ...new Array(4).fill(401)]);
    assert.equal(await obtain(daemon, 'A@B.Example', 'long enough'), 200);
  });

  test('the spent setup token opens nothing', async () => {
    assert.equal(await statusOf(daemon, 'POST', '/user', { token: daemon.token, body: user }), 401);
    assert.equal(await statusOf(daemon, 'GET', '/device', { token: daemon.token }), 401);
    const token = await daemon.logIn('a@b.example', 'long enough');
    assert.equal(await statusOf(daemon, 'PUT', '/user/reset', { token, body: 'long enough too' }), 200);
    assert.equal(await statusOf(daemon, 'POST', '/user', { token: daemon.token, body: user }), 401);
  });
});

describe('a camera with its user', () => {
  let daemon: Daemon;
  let password: string = owner.password;
  before(async () => {
    // The log-ins of these tests must not push out the session that they go on with.
    daemon = await Daemon.start({ flags: ['--accounts-max-sessions', '64'] });
    await firstPicture(daemon);
  });
  after(() => daemon?.stop());

  test('a second user is 409 and changes nothing', async () => {
    const other = { email: 'other@camera.example', password: 'another password' };
    const response = await call(daemon, 'POST', '/user', { token: daemon.token, body: other });
    assert.equal(response.status, 409);
    assert.equal(await obtain(daemon, other.email, other.password), 400);
    assert.equal(await obtain(daemon, owner.email, owner.password), 200);
  });

  for (const [name, options, statuses] of [
    ['null', { text: 'null' }, [400]],
    ['an object', { text: '{}' }, [400]],
    ['empty text', { text: '""' }, [400]],
    ['a list', { text: '["long enough"]' }, [400]],
    ['true', { text: 'true' }, [400]],
    ['nothing', { text: '' }, [400]],
    ['a fraction', { text: '123456.5' }, [400]],
    ['a negative number', { text: '-123456' }, [400]],
    ['a number with an exponent beyond whole numbers', { text: '1e300' }, [400]],
    ['one megabyte', { body: 'x'.repeat(1_048_576) }, [413]],
    ['text/plain', { text: '"long enough"', type: 'text/plain' }, [415]],
    ['four characters', { body: 'four' }, [400]],
    ['129 code points', { body: '😀'.repeat(129) }, [400]],
    ['the e-mail', { body: owner.email.toUpperCase() }, [400]],
    ['a NUL inside', { body: 'long\0enough' }, [400]],
    ['half of a surrogate pair', { text: '"long\\ud83denough"' }, [400]],
  ] as const)
    test(`reset to ${name} is refused and changes nothing`, async () => {
      const response = await call(daemon, 'PUT', '/user/reset', { token: daemon.token, ...options });
      assert.ok((statuses as readonly number[]).includes(response.status), String(response.status));
      await response.arrayBuffer();
      assert.equal(await obtain(daemon, owner.email, password), 200);
    });

  for (const [name, text, plain] of [
    ['text', '"good long one"', 'good long one'],
    ["the seed's number", '123456', '123456'],
    ['64 emoji', JSON.stringify('😀'.repeat(64)), '😀'.repeat(64)],
    ['a composed letter', '"caf\u00e9 au lait"', 'cafe\u0301 au lait'],
    ['a colon inside', '"pass:word:one"', 'pass:word:one'],
  ] as const)
    test(`reset to ${name} works at the next log-in`, async () => {
      assert.equal(await statusOf(daemon, 'PUT', '/user/reset', { token: daemon.token, text }), 200);
      password = plain;
      assert.equal(await obtain(daemon, owner.email, plain), 200);
      assert.equal(await obtain(daemon, owner.email, `${plain}:some device`), 200);
    });

  test('a reset ends all other sessions and what they watch, and keeps its own', async () => {
    const other = await daemon.logIn(owner.email, password);
    const otherLive = await liveSession(daemon, other);
    const ownLive = await liveSession(daemon, daemon.token);
    password = 'yet another one';
    assert.equal(await statusOf(daemon, 'PUT', '/user/reset', { token: daemon.token, body: password }), 200);
    assert.equal(await statusOf(daemon, 'GET', '/device', { token: other }), 401);
    const stateOf = (id: string) =>
      statusOf(daemon, 'GET', `/media/live/session/${id}`, { token: daemon.token });
    await daemon.until(async () => (await stateOf(otherLive)) === 404 || undefined, 'the end of the other');
    assert.equal(await stateOf(ownLive), 200);
    assert.equal(
      await statusOf(daemon, 'DELETE', `/media/live/session/${ownLive}`, { token: daemon.token }),
      200,
    );
  });

  test('a signed link opens its clip alone, without a token, until the password is reset', async () => {
    const body = { start: '2022-02-02T00:00:00Z', end: '2022-02-02T01:00:00Z', audio: 'none' };
    const { url } = (await (
      await call(daemon, 'POST', '/media/vod/link', { token: daemon.token, body })
    ).json()) as { url: string };
    const statusOfLink = async (target: string): Promise<number> =>
      (await fetch(new URL(target, daemon.url))).status;
    assert.equal(await statusOfLink(url), 404, 'let in, and nothing is recorded');
    assert.equal(await statusOfLink(url.replace('audio=none', 'audio=raw')), 401);
    assert.equal(await statusOfLink(url.replace('T01', 'T02')), 401);
    password = 'and another one';
    assert.equal(await statusOf(daemon, 'PUT', '/user/reset', { token: daemon.token, body: password }), 200);
    assert.equal(await statusOfLink(url), 401);
  });

  test('log-out ends what the session watches, and no other', async () => {
    const leaving = await daemon.logIn(owner.email, password);
    const ended = await liveSession(daemon, leaving);
    const kept = await liveSession(daemon, daemon.token);
    const response = await call(daemon, 'GET', '/user/logout', { token: leaving });
    assert.deepEqual(await response.json(), {});
    const stateOf = (id: string) =>
      statusOf(daemon, 'GET', `/media/live/session/${id}`, { token: daemon.token });
    await daemon.until(async () => (await stateOf(ended)) === 404 || undefined, 'the end of the session');
    assert.equal(await stateOf(kept), 200);
  });

  test('two log-outs at once: one is 200, one 401, and other sessions go on', async () => {
    for (let i = 0; i < 10; i++) {
      const token = await daemon.logIn(owner.email, password);
      const headers = { purpose: 'prefetch', 'sec-purpose': 'prefetch', 'x-moz': 'prefetch' };
      const statuses = await Promise.all([
        statusOf(daemon, 'GET', '/user/logout', { token }),
        statusOf(daemon, 'GET', '/user/logout', { token, headers }),
      ]);
      assert.deepEqual(statuses.sort(), [200, 401]);
    }
    assert.equal(await statusOf(daemon, 'GET', '/device', { token: daemon.token }), 200);
  });

  test('the wrong password, the wrong user and a broken header get one and the same answer', async () => {
    const bodies = new Set<string>();
    for (const authorization of [
      basic(owner.email, 'wrong password').authorization!,
      basic('nobody@camera.example', password).authorization!,
      'Basic',
      'Basic !!!',
      `Basic ${Buffer.from('no colon').toString('base64')}`,
      `Basic ${Buffer.from([0xff, 0x3a, 0xff]).toString('base64')}`,
    ]) {
      const response = await call(daemon, 'POST', '/user/token/obtain', { headers: { authorization } });
      const problem = (await response.json()) as Record<string, unknown>;
      assert.equal(response.status, 400, authorization);
      bodies.add(JSON.stringify({ ...problem, instance: '' }));
      // The failures of one address are few before it has to wait; a success forgets them.
      assert.equal(await obtain(daemon, owner.email, password), 200);
    }
    assert.equal(bodies.size, 1);
    const missing = await call(daemon, 'POST', '/user/token/obtain');
    assert.equal(missing.status, 401);
    assert.match(missing.headers.get('www-authenticate') ?? '', /^Basic /);
  });

  test('nothing secret is in the log or in the audit log', async () => {
    const audit = readFileSync(path.join(daemon.state, 'audit.log'), 'utf8');
    for (const text of [daemon.log.join('\n'), audit])
      for (const secret of [daemon.token, password, 'good long one', owner.password, 'wrong password'])
        assert.ok(!text.includes(secret));
    for (const event of ['login', 'login-failed', 'logout', 'password-reset', 'user-created'])
      assert.ok(audit.includes(`"event":"${event}"`), event);
  });
});

test('a session that is pushed out or expires takes its live sessions with it', async t => {
  const daemon = await Daemon.start({
    flags: ['--accounts-max-sessions', '1', '--accounts-session-seconds', '10'],
  });
  t.after(() => daemon.stop());
  await firstPicture(daemon);
  const open = async (token: string): Promise<{ id: string; validUntil: number }> => {
    const response = await call(daemon, 'POST', '/media/live/session', {
      token,
      body: { type: 'offer', sdp: offerSdp },
    });
    const answer = (await response.json()) as { session_id: string; valid_until: string };
    assert.equal(response.status, 200, JSON.stringify(answer));
    return { id: answer.session_id, validUntil: Date.parse(answer.valid_until) };
  };
  const isGone = async (id: string, token: string): Promise<true | undefined> =>
    (await statusOf(daemon, 'GET', `/media/live/session/${id}`, { token })) === 404 || undefined;

  const first = await open(await daemon.logIn());
  const second = await daemon.logIn();
  assert.equal(await statusOf(daemon, 'GET', '/device', { token: daemon.token }), 401);
  await daemon.until(() => isGone(first.id, second), 'the end of what the session pushed out had opened');

  const last = await open(second);
  assert.ok(last.validUntil <= Date.now() + 10_000, 'a live session ends with its session');
  await daemon.until(
    async () => (await statusOf(daemon, 'GET', '/device', { token: second })) === 401 || undefined,
    'the expiry of the session',
  );
  const third = await daemon.logIn();
  await daemon.until(() => isGone(last.id, third), 'the end of what the expired session had opened');
});
