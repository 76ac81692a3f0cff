/** The operations on the user and the sessions, in the seed's form; the accounts are in the test's hand. */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { CameraError, type ErrorCode } from '../../src/base/errors.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { owner, setupToken, token } from './fake-accounts.ts';
import { FakeCamera } from './fake-services.ts';

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

interface Options {
  readonly token?: string | null;
  readonly text?: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function call(
  method: string,
  operation: string,
  options: Options = {},
): Promise<{ status: number; headers: Headers; text: string; json: Record<string, unknown> }> {
  const key = options.token === undefined ? token : options.token;
  const response = await fetch(new URL(`/api/v1/user${operation}`, server.url), {
    method,
    headers: {
      ...(key === null ? {} : { 'x-token': key }),
      ...(options.text === undefined ? {} : { 'content-type': options.type ?? 'application/json' }),
      ...options.headers,
    },
    ...(options.text === undefined ? {} : { body: options.text }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}

const basic = (text: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
});
const { password: _, ...shownOwner } = owner;
const seedUser = JSON.stringify({ ...owner, password: 12345 });

test('the created user is shown without the password, which as a number is its digits', async () => {
  camera.accounts.user = undefined;
  const { status, json } = await call('POST', '', { token: setupToken, text: seedUser });
  assert.equal(status, 200);
  assert.deepEqual(json, shownOwner);
  assert.equal(camera.accounts.user!.password, '12345');
});

test('fields that the seed does not name never leave, whatever the accounts know of the user', async () => {
  camera.accounts.user = undefined;
  const create = camera.accounts.createUser.bind(camera.accounts);
  camera.accounts.createUser = async (given, user) => ({
    ...(await create(given, user)),
    passwordHash: '$argon2id$…',
  });
  const { text } = await call('POST', '', { token: setupToken, text: seedUser });
  assert.doesNotMatch(text, /argon2|password/);
});

test('POST /user: 401 without a token and with a wrong one, 409 with that of a session', async () => {
  camera.accounts.user = undefined;
  for (const key of [null, 'wrong']) {
    const { status, json, headers } = await call('POST', '', { token: key, text: seedUser });
    assert.equal(status, 401);
    assert.equal(json.code, 'unauthorized');
    assert.match(headers.get('www-authenticate') ?? '', /^Bearer/);
  }
  assert.equal(camera.accounts.user, undefined);
  camera.accounts.user = { ...owner };
  const { status, json } = await call('POST', '', { text: seedUser });
  assert.deepEqual([status, json.code], [409, 'user-exists']);
});

for (const [name, text] of [
  ['two e-mail members', seedUser.replace('"email"', '"email":"x@y.example","email"')],
  ['two e-mail members, one escaped', seedUser.replace('"email"', '"e\\u006dail":"x@y.example","email"')],
  ['__proto__', seedUser.replace('"id"', '"__proto__":{"id":1},"id"')],
  ['a member that is not the seed’s', seedUser.replace('"id"', '"role":"admin","id"')],
  ['no e-mail', JSON.stringify({ ...owner, email: undefined })],
  ['an e-mail that is a list', JSON.stringify({ ...owner, email: ['a@b.example'] })],
  ['a list', JSON.stringify([owner])],
  ['a password that is a fraction', seedUser.replace('12345,', '12345.5,')],
  ['a password beyond exact numbers', seedUser.replace('12345,', '123456789012345678901,')],
  ['a password that is null', JSON.stringify({ ...owner, password: null })],
  ['nothing', ''],
] as const)
  test(`POST /user with ${name} is 400 and reaches no account`, async () => {
    camera.accounts.user = undefined;
    const { status } = await call('POST', '', { token: setupToken, text });
    assert.equal(status, 400);
    assert.equal(camera.accounts.user, undefined);
  });

test('a log-in gives the token and its end', async () => {
  const { status, json } = await call('POST', '/token/obtain', {
    token: null,
    headers: basic('john@email.com:12345'),
  });
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(json).sort(), ['access_token', 'valid_until']);
  assert.equal(json.valid_until, '2023-11-15T10:13:20.000Z');
  assert.ok(camera.accounts.bySessionToken.has(json.access_token as string));
});

test('a log-in may bring a body, which means nothing', async () => {
  for (const type of ['application/json', 'text/plain'])
    assert.equal(
      (
        await call('POST', '/token/obtain', {
          token: null,
          text: '{}',
          type,
          headers: basic('john@email.com:12345'),
        })
      ).status,
      200,
    );
});

test('without credentials 401 that asks for Basic, with wrong ones 400 and always the same', async () => {
  const missing = await call('POST', '/token/obtain', { token: null });
  assert.equal(missing.status, 401);
  assert.match(missing.headers.get('www-authenticate') ?? '', /^Basic realm="/);
  const bodies = new Set<string>();
  for (const text of ['john@email.com:wrong', 'nobody@email.com:12345', ':', '']) {
    const { status, json } = await call('POST', '/token/obtain', { token: null, headers: basic(text) });
    assert.equal(status, 400, text);
    bodies.add(JSON.stringify({ ...json, instance: '' }));
  }
  assert.equal(bodies.size, 1);
});

test('a refresh answers the new end and nothing else', async () => {
  const { status, json } = await call('POST', '/token/refresh');
  assert.equal(status, 200);
  assert.deepEqual(json, { valid_until: '2023-11-15T10:13:20.000Z' });
});

test('log-out answers an empty object, and ends the session once', async () => {
  const { status, json } = await call('GET', '/logout');
  assert.deepEqual([status, json], [200, {}]);
  assert.equal((await call('GET', '/logout')).status, 401);
});

test('a session that ends while its log-out is under way is 401', async () => {
  camera.accounts.logOut = () => Promise.reject(new CameraError('token-invalid', 'gone'));
  const { status, json } = await call('GET', '/logout');
  assert.deepEqual([status, json.code], [401, 'unauthorized']);
});

for (const [text, password] of [
  ['"good long one"', 'good long one'],
  ['123456', '123456'],
  ['0', '0'],
  ['9007199254740991', '9007199254740991'],
  ['1e3', '1000'],
] as const)
  test(`a reset to ${text} makes the password ${password}`, async () => {
    const { status, json } = await call('PUT', '/reset', { text });
    assert.equal(status, 200);
    assert.deepEqual(json, shownOwner);
    assert.equal(camera.accounts.user?.password, password);
  });

for (const [name, options, expected] of [
  ['null', { text: 'null' }, 400],
  ['an object', { text: '{}' }, 400],
  ['a list', { text: '["x"]' }, 400],
  ['true', { text: 'true' }, 400],
  ['nothing', { text: '' }, 400],
  ['a fraction', { text: '1.5' }, 400],
  ['a negative number', { text: '-123456' }, 400],
  ['a number that is not exact', { text: '9007199254740993' }, 400],
  ['an enormous number', { text: '1e300' }, 400],
  ['one megabyte', { text: JSON.stringify('x'.repeat(1_048_576)) }, 413],
  ['text/plain', { text: '"good long one"', type: 'text/plain' }, 415],
  ['no token', { text: '"good long one"', token: null }, 401],
] as const)
  test(`a reset to ${name} is ${expected} and changes nothing`, async () => {
    const { status } = await call('PUT', '/reset', options);
    assert.equal(status, expected);
    assert.equal(camera.accounts.user?.password, owner.password);
  });

test('GET /user/setup tells whether there is a user, to everybody; not when nobody can know', async () => {
  assert.deepEqual((await call('GET', '/setup', { token: null })).json, { setup_required: false });
  camera.accounts.user = undefined;
  assert.deepEqual((await call('GET', '/setup', { token: null })).json, { setup_required: true });
  Object.defineProperty(camera.accounts, 'state', { value: 'damaged' });
  const { status, json } = await call('GET', '/setup', { token: null });
  assert.deepEqual([status, json.code], [503, 'accounts-damaged']);
});

const faults: readonly (readonly [ErrorCode, number])[] = [
  ['login-throttled', 429],
  ['hashing-busy', 503],
  ['accounts-damaged', 503],
];
for (const [code, expected] of faults)
  test(`a log-in that ends with ${code} is ${expected} and says when to come again`, async () => {
    camera.accounts.failure = new CameraError(code, 'the words of the accounts', { retryAfterSeconds: 7 });
    const { status, headers, json, text } = await call('POST', '/token/obtain', {
      token: null,
      headers: basic('john@email.com:12345'),
    });
    assert.deepEqual([status, json.code, headers.get('retry-after')], [expected, code, '7']);
    assert.doesNotMatch(text, /words of the accounts/);
  });

test('no password and no token is in the log', async () => {
  await call('POST', '/token/obtain', { token: null, headers: basic('john@email.com:12345') });
  await call('PUT', '/reset', { text: '"good long one"' });
  await call('PUT', '/reset', { text: '{"password":"good long one"}' });
  assert.doesNotMatch(JSON.stringify(camera.log), /12345|good long one|am9obk/);
});
