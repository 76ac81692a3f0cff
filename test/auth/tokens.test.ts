import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { EncryptJWT, SignJWT } from 'jose';
import { Tokens, tokenLengthMax } from '../../src/auth/tokens.ts';

const key = randomBytes(32);
const tokens = new Tokens(key);
const sid = randomBytes(16).toString('base64url');
const goodHeader = { alg: 'HS256', typ: 'JWT' };
const goodPayload = { sid, iss: 'urn:opencamerad', aud: 'urn:opencamerad:api', iat: 1_700_000_000 };

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const sign = (text: string, secret: string | Buffer = key): string =>
  `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
/** A token whose signature is right, whatever else is not. */
const forged = (header: unknown, payload: unknown, secret: string | Buffer = key): string =>
  sign(`${part(header)}.${part(payload)}`, secret);

test('a token opens the session that it was made for, with any header of ours and no expiry', async () => {
  const token = await tokens.sign(sid, 1_700_000_000_123);
  assert.equal(await tokens.sidOf(token), sid);
  const [header, payload] = token.split('.').map(text => Buffer.from(text, 'base64url').toString());
  assert.deepEqual(JSON.parse(header!), goodHeader);
  assert.deepEqual(JSON.parse(payload!), goodPayload);
  // The forger below knows the form: without a fault its tokens are good.
  assert.equal(await tokens.sidOf(forged(goodHeader, goodPayload)), sid);
});

const headers: Record<string, unknown> = {
  'alg none': { alg: 'none', typ: 'JWT' },
  'alg None': { alg: 'None', typ: 'JWT' },
  'alg nOnE': { alg: 'nOnE', typ: 'JWT' },
  'alg HS384': { alg: 'HS384', typ: 'JWT' },
  'alg RS256': { alg: 'RS256', typ: 'JWT' },
  'no typ': { alg: 'HS256' },
  'another typ': { alg: 'HS256', typ: 'at+jwt' },
  'kid with a path': { ...goodHeader, kid: '../../dev/null' },
  'kid of 10 KiB': { ...goodHeader, kid: 'k'.repeat(10_240) },
  jku: { ...goodHeader, jku: 'http://192.0.2.1/keys' },
  jwk: { ...goodHeader, jwk: { kty: 'oct', k: 'AAAA' } },
  x5c: { ...goodHeader, x5c: ['AAAA'] },
  crit: { ...goodHeader, crit: ['b64'] },
  'b64 false': { ...goodHeader, b64: false, crit: ['b64'] },
  zip: { ...goodHeader, zip: 'DEF' },
  'fields in another order': { typ: 'JWT', alg: 'HS256' },
};

for (const [name, header] of Object.entries(headers))
  test(`a token with a right signature and ${name} in its header is refused`, async () => {
    assert.equal(await tokens.sidOf(forged(header, goodPayload)), undefined);
    // And as an attacker has it: unsigned, or signed with nothing.
    assert.equal(await tokens.sidOf(`${part(header)}.${part(goodPayload)}.`), undefined);
    assert.equal(await tokens.sidOf(forged(header, goodPayload, '')), undefined);
  });

const payloads: Record<string, unknown> = {
  'no sid': { ...goodPayload, sid: undefined },
  'an array as sid': { ...goodPayload, sid: [sid] },
  'a number as sid': { ...goodPayload, sid: 1 },
  'a sid of another form': { ...goodPayload, sid: '../user' },
  'a sid with __proto__': { ...goodPayload, sid: '__proto__' },
  'another aud': { ...goodPayload, aud: 'urn:other' },
  'no aud': { ...goodPayload, aud: undefined },
  'another iss': { ...goodPayload, iss: 'urn:other' },
  'no iat': { ...goodPayload, iat: undefined },
  'an iat that is text': { ...goodPayload, iat: 'now' },
  'an exp in the past': { ...goodPayload, exp: 1 },
  'an array as payload': [goodPayload],
};

for (const [name, payload] of Object.entries(payloads))
  test(`a token with a right signature and ${name} is refused`, async () => {
    assert.equal(await tokens.sidOf(forged(goodHeader, payload)), undefined);
  });

test('another key, an empty key, and a public key taken for a shared one are refused', async () => {
  assert.equal(await tokens.sidOf(forged(goodHeader, goodPayload, randomBytes(32))), undefined);
  assert.equal(await tokens.sidOf(forged(goodHeader, goodPayload, '')), undefined);
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  assert.equal(await tokens.sidOf(forged(goodHeader, goodPayload, pem)), undefined);
  const rsa = await new SignJWT(goodPayload).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
  assert.equal(await tokens.sidOf(rsa), undefined);
});

test('each token has one spelling: padding, white space, other spare bits and other parts are refused', async () => {
  const token = await tokens.sign(sid, 0);
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(signature.at(-1)!);
  const spare = [1, 2, 3].map(bits => token.slice(0, -1) + alphabet[last + bits]);
  for (const other of [
    ...spare,
    `${token}=`,
    `${token}\n`,
    ` ${token}`,
    `${token} `,
    `${token}.`,
    `.${token}`,
    `${token}.${signature}`,
    `${header}.${payload}.${signature}.x.y`,
    `${header}..${signature}`,
    `${header}.${payload}`,
    `${header}=.${payload}.${signature}`,
    token.replace('.', '%2e'),
    token.toUpperCase(),
    '....',
    '',
    'null',
  ])
    assert.equal(await tokens.sidOf(other), undefined, JSON.stringify(other));
});

test('a flipped character anywhere makes a token worthless', async () => {
  const token = await tokens.sign(sid, 0);
  for (let i = 0; i < token.length; i++) {
    if (token[i] === '.') continue;
    const other = token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1);
    assert.equal(await tokens.sidOf(other), undefined, String(i));
  }
});

test('a token that is longer than any of ours is not looked at', async () => {
  const long = forged(goodHeader, { ...goodPayload, more: 'x'.repeat(tokenLengthMax) });
  assert.equal(await tokens.sidOf(long), undefined);
  assert.equal(await tokens.sidOf('a'.repeat(4096)), undefined);
  assert.equal(await tokens.sidOf(`${'a'.repeat(4096)}.a.${'A'.repeat(43)}`), undefined);
});

test('an encrypted token is refused without being opened or inflated', async () => {
  const jwe = await new EncryptJWT(goodPayload)
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(key);
  assert.equal(await tokens.sidOf(jwe), undefined);
  const bomb = deflateRawSync(Buffer.alloc(1_000_000)).toString('base64url');
  const header = part({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' });
  assert.equal(
    await tokens.sidOf(`${header}..AAAAAAAAAAAAAAAA.${bomb.slice(0, 500)}.AAAAAAAAAAAAAAAAAAAAAA`),
    undefined,
  );
});
