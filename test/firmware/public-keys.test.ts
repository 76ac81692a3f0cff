/** Keys for firmware: none that anybody can sign for. */
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { test } from 'node:test';
import type { CameraError } from '../../src/base/errors.ts';
import { readPublicKey } from '../../src/firmware/public-keys.ts';
import { compareVersions, isVersion } from '../../src/firmware/version.ts';

const prime = 2n ** 255n - 19n;
const mod = (value: bigint): bigint => ((value % prime) + prime) % prime;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = mod(base), rest = exponent; rest > 0n; rest >>= 1n, square = mod(square * square))
    if (rest & 1n) result = mod(result * square);
  return result;
}

/** y coordinates of points of order 8: doubling one gives y = 0, so that d·y⁴ + 2·y² − 1 = 0 (RFC 8032 §5.1, the curve). */
function orderEight(): bigint[] {
  const d = mod(-121665n * power(121666n, prime - 2n));
  const root = (value: bigint): bigint | undefined => {
    const candidate = power(value, (prime + 3n) / 8n);
    for (const each of [candidate, mod(candidate * power(2n, (prime - 1n) / 4n))])
      if (mod(each * each) === mod(value)) return each;
    return undefined;
  };
  const discriminant = root(mod(1n + d))!;
  const inverse = power(d, prime - 2n);
  return [discriminant, mod(-discriminant)]
    .map(each => root(mod((each - 1n) * inverse)))
    .filter(y => y !== undefined)
    .flatMap(y => [y, mod(-y)]);
}

/** A PEM of a point's encoding (RFC 8410 §4): y in little-endian order, the sign of x in the highest bit. */
function pemOf(y: bigint, sign: 0 | 1): string {
  const raw = Buffer.from((y | (BigInt(sign) << 255n)).toString(16).padStart(64, '0'), 'hex').reverse();
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
  return `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`;
}

function codeOf(pem: string): string {
  try {
    readPublicKey(pem);
    return 'taken';
  } catch (error) {
    return (error as CameraError).code;
  }
}

test('every key of small order is refused, in every form; OpenSSL takes one signature for any message with it', () => {
  const ys = [0n, 1n, prime - 1n, ...orderEight()];
  assert.equal(ys.length, 5);
  for (const y of ys)
    for (const sign of [0, 1] as const)
      assert.equal(codeOf(pemOf(y, sign)), 'firmware-key-invalid', String(y));
  // Not the one form of their point.
  for (const y of [prime, prime + 1n]) assert.equal(codeOf(pemOf(y, 0)), 'firmware-key-invalid');
  // That it matters: the neutral point as key and R, s = 0.
  const neutral = createPublicKey(pemOf(1n, 0));
  const signature = Buffer.alloc(64);
  signature[0] = 1;
  assert.equal(verify(null, Buffer.from('anything'), neutral, signature), true);
});

test('a key that is made by the book is taken, others and what is none are not', () => {
  const pem = (type: 'ed25519' | 'x25519'): string =>
    generateKeyPairSync(type as 'ed25519').publicKey.export({ format: 'pem', type: 'spki' }) as string;
  const { id, key } = readPublicKey(pem('ed25519'));
  assert.match(id, /^[0-9a-f]{16}$/);
  assert.equal(key.type, 'public');
  assert.equal(codeOf(pem('x25519')), 'firmware-key-invalid');
  for (const text of ['', 'key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----'])
    assert.equal(codeOf(text), 'firmware-key-invalid');
});

test('versions are three numbers, and are compared as numbers', () => {
  for (const text of ['0.0.0', '1.10.99999']) assert.ok(isVersion(text));
  for (const text of [
    '',
    '1',
    '1.2',
    '1.2.3.4',
    '01.2.3',
    '1.2.3-rc1',
    ' 1.2.3',
    '1.2.3\n',
    '1.2.100000',
    'a.b.c',
  ])
    assert.ok(!isVersion(text), text);
  assert.ok(compareVersions('1.10.0', '1.9.9') > 0);
  assert.ok(compareVersions('0.9.9', '1.0.0') < 0);
  assert.equal(compareVersions('1.2.3', '1.2.3'), 0);
  assert.throws(() => compareVersions('1.2', '1.2.3'));
});
