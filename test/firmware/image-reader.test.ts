/** Firmware images: what is taken, and that nothing else is (faults.md, 28). */
import assert from 'node:assert/strict';
import { randomBytes, sign } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CameraError } from '../../src/base/errors.ts';
import {
  imageHeadBytes,
  imageMagic,
  manifestBytesMax,
  preambleBytes,
} from '../../src/firmware/image-format.ts';
import { ImageReader } from '../../src/firmware/image-reader.ts';
import { signedBytes } from '../../src/firmware/sign-image.ts';
import { imageOf, keyPair, manifestOf, read } from './images.ts';

const { privateKey, trusted } = keyPair();
const payload = randomBytes(5000);
const image = imageOf(payload, privateKey);

function codeOf(pieces: Iterable<Uint8Array>, keys = [trusted]): string {
  try {
    read(pieces, keys);
    return 'taken';
  } catch (error) {
    return (error as CameraError).code;
  }
}

/** The same bytes in pieces that end at these places. */
function* cut(bytes: Uint8Array, places: readonly number[]): Generator<Uint8Array> {
  let from = 0;
  for (const place of [...places].sort((a, b) => a - b)) {
    yield bytes.subarray(from, place);
    from = place;
  }
  yield bytes.subarray(from);
}

/** An image with another manifest text, signed rightly. */
function imageWithText(text: string): Buffer {
  const manifest = Buffer.from(text, 'utf8');
  const head = Buffer.concat([image.subarray(0, imageHeadBytes), manifest]);
  head.writeUInt32BE(manifest.length, imageMagic.length);
  head.set(sign(null, signedBytes(head), privateKey), preambleBytes);
  return Buffer.concat([head, payload]);
}

test('an image is read in any pieces: its manifest first and once, then its payload', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: image.length }), { maxLength: 20 }), places => {
      const { heads, payload: got, lengthBytes } = read(cut(image, places), [trusted]);
      assert.deepEqual(heads, [{ manifest: manifestOf(payload), keyId: trusted.id, isTrusted: true }]);
      assert.ok(got.equals(payload));
      assert.equal(lengthBytes, image.length);
    }),
    { numRuns: 200 },
  );
});

test('of 2000 images with a change of a bit, a byte, a piece or the length none is taken', () => {
  const position = fc.integer({ min: 0, max: image.length - 1 });
  const mutation = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at: position, bit: fc.integer({ min: 0, max: 7 }) }),
    fc.record({ kind: fc.constant('cut' as const), at: position }),
    fc.record({
      kind: fc.constant('remove' as const),
      at: position,
      bytes: fc.integer({ min: 1, max: 200 }),
    }),
    fc.record({
      kind: fc.constant('insert' as const),
      at: fc.integer({ min: 0, max: image.length }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    }),
    fc.record({
      kind: fc.constant('swap' as const),
      at: position,
      bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
    }),
  );
  const refusals = new Map<string, number>();
  fc.assert(
    fc.property(mutation, change => {
      const changed = mutated(change);
      if (changed.equals(image)) return;
      const code = codeOf([changed]);
      assert.match(code, /^firmware-/);
      refusals.set(code, (refusals.get(code) ?? 0) + 1);
    }),
    { numRuns: 2000 },
  );
  // Else the mutations do not reach all that is checked.
  for (const code of ['malformed', 'untrusted', 'signature-invalid', 'truncated', 'too-long', 'corrupt'])
    assert.ok((refusals.get(`firmware-${code}`) ?? 0) > 0, `${code}: ${JSON.stringify([...refusals])}`);
});

function mutated(
  change:
    | { kind: 'flip'; at: number; bit: number }
    | { kind: 'cut'; at: number }
    | { kind: 'remove'; at: number; bytes: number }
    | { kind: 'insert' | 'swap'; at: number; bytes: Uint8Array },
): Buffer {
  const { at } = change;
  const copy = Buffer.from(image);
  switch (change.kind) {
    case 'flip':
      copy[at]! ^= 1 << change.bit;
      return copy;
    case 'cut':
      return copy.subarray(0, at);
    case 'remove':
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + change.bytes)]);
    case 'insert':
      return Buffer.concat([copy.subarray(0, at), change.bytes, copy.subarray(at)]);
    default:
      copy.set(change.bytes.subarray(0, copy.length - at), at);
      return copy;
  }
}

test('every length of an image but its own is refused', () => {
  for (let length = 0; length < image.length; length += length < 400 ? 1 : 97)
    assert.equal(codeOf([image.subarray(0, length)]), 'firmware-truncated', String(length));
  assert.equal(codeOf([image, Buffer.alloc(1)]), 'firmware-too-long');
});

test('nothing of a payload is seen before signature and manifest are checked', () => {
  let seen = 0;
  const reader = new ImageReader({
    trustedKeys: [trusted],
    onHead() {
      throw new Error('not for us');
    },
    onPayload: () => {
      seen++;
    },
  });
  assert.throws(() => reader.push(image), /not for us/);
  const flipped = Buffer.from(image);
  flipped[preambleBytes]! ^= 1;
  assert.equal(codeOf([flipped]), 'firmware-signature-invalid');
  assert.equal(seen, 0);
});

test('another key, a removed key, and a key id that lies are refused', () => {
  const other = keyPair();
  assert.equal(codeOf([imageOf(payload, other.privateKey)]), 'firmware-untrusted');
  assert.equal(codeOf([image], []), 'firmware-untrusted');
  // Signed by the other key, with the id of the trusted one.
  const forged = imageOf(payload, other.privateKey);
  forged.set(image.subarray(preambleBytes - 8, preambleBytes), preambleBytes - 8);
  assert.equal(codeOf([forged]), 'firmware-signature-invalid');
});

test('a signature over the manifest alone, or over the payload, is worth nothing', () => {
  for (const message of [image.subarray(imageHeadBytes, image.length - payload.length), payload]) {
    const changed = Buffer.from(image);
    changed.set(sign(null, message, privateKey), preambleBytes);
    assert.equal(codeOf([changed]), 'firmware-signature-invalid');
  }
});

test('a rightly signed manifest in any text but its one is refused', () => {
  const text = JSON.stringify(manifestOf(payload));
  assert.equal(codeOf([imageWithText(text)]), 'taken');
  const manifest = manifestOf(payload);
  const others = [
    ` ${text}`,
    `${text}\n`,
    `\ufeff${text}`,
    text.replace('"version"', '"version":"9.9.9","version"'),
    text.replace('"payloadSha256":', `"payloadSha256":"${'0'.repeat(64)}","payloadSha256":`),
    text.replace('}', ',"more":1}'),
    text.replace('1.2.3', '1.2.03'),
    text.replace('1.2.3', '1.2'),
    text.replace('5000', '5e3'),
    text.replace('5000', '-5000'),
    text.replace('5000', '5000.5'),
    text.replace('5000', '1099511627776'),
    text.replace('["rpi4","rpi5"]', '[]'),
    text.replace('["rpi4","rpi5"]', '["rpi4","rpi4"]'),
    text.replace('["rpi4","rpi5"]', '"rpi4"'),
    text.replace('rpi4', '../rpi4'),
    text.replace('rpi4', 'RPI4'),
    text.toUpperCase(),
    JSON.stringify({ ...manifest, payloadSha256: manifest.payloadSha256.toUpperCase() }),
    text.replace(`"version":"1.2.3",`, '').replace('}', `,"version":"1.2.3"}`),
    text.replace('"version"', '"\\u0076ersion"'),
    '{}',
    'null',
    '[]',
    '{"__proto__":{}}',
    `${'['.repeat(5000)}`,
    '\ud800',
  ];
  for (const other of others)
    assert.equal(codeOf([imageWithText(other)]), 'firmware-malformed', other.slice(0, 80));
});

test('a manifest that is too long, or of no length, is refused by its length alone', () => {
  for (const length of [0, manifestBytesMax + 1, 0xffff_ffff]) {
    const head = Buffer.from(image.subarray(0, imageHeadBytes));
    head.writeUInt32BE(length, imageMagic.length);
    assert.equal(codeOf([head]), 'firmware-malformed', String(length));
  }
});

test('a file that is something else is refused by its first bytes', () => {
  for (const start of [
    Buffer.from([0x1f, 0x8b, 8, 0]),
    Buffer.from('PK\u0003\u0004'),
    Buffer.from('OCAMFW2\n'),
  ])
    assert.equal(codeOf([start]), 'firmware-malformed');
});

test('a reader without keys shows what an image says, and says that nobody has checked it', () => {
  const flipped = Buffer.from(image);
  flipped[preambleBytes]! ^= 1;
  assert.deepEqual(read([flipped], undefined).heads, [
    { manifest: manifestOf(payload), keyId: trusted.id, isTrusted: false },
  ]);
});
