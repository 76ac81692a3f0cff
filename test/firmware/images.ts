/** Keys and images for tests. */
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type ImageHead, ImageReader } from '../../src/firmware/image-reader.ts';
import type { FirmwareManifest } from '../../src/firmware/manifest.ts';
import { keyIdOf, type TrustedKey } from '../../src/firmware/public-keys.ts';
import { signedHead } from '../../src/firmware/sign-image.ts';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly trusted: TrustedKey;
  /** As a file of the configuration has it. */
  readonly publicPem: string;
}

export function keyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKey,
    trusted: { id: keyIdOf(publicKey), key: publicKey },
    publicPem: String(publicKey.export({ format: 'pem', type: 'spki' })),
  };
}

export function manifestOf(payload: Uint8Array, changes: Partial<FirmwareManifest> = {}): FirmwareManifest {
  return {
    version: '1.2.3',
    boards: ['rpi4', 'rpi5'],
    minimumVersion: '0.1.0',
    payloadBytes: payload.length,
    payloadSha256: createHash('sha256').update(payload).digest('hex'),
    ...changes,
  };
}

export function imageOf(
  payload: Uint8Array,
  privateKey: KeyObject,
  changes: Partial<FirmwareManifest> = {},
): Buffer {
  return Buffer.concat([signedHead(manifestOf(payload, changes), privateKey), payload]);
}

/** What comes of reading an image in the given pieces; throws what the reader throws. */
export function read(
  pieces: Iterable<Uint8Array>,
  trustedKeys: readonly TrustedKey[] | undefined,
): { heads: ImageHead[]; payload: Buffer; lengthBytes: number | undefined } {
  const heads: ImageHead[] = [];
  const payload: Buffer[] = [];
  const reader = new ImageReader({
    trustedKeys,
    onHead: head => heads.push(head),
    // Borrowed: kept as a copy.
    onPayload: bytes => payload.push(Buffer.from(bytes)),
  });
  for (const piece of pieces) reader.push(piece);
  reader.finish();
  return { heads, payload: Buffer.concat(payload), lengthBytes: reader.lengthBytes };
}
