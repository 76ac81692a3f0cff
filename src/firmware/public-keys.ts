/**
 * Keys that firmware is signed with: Ed25519 (RFC 8032), as PEM files (RFC 8410).
 *
 * OpenSSL takes public keys of small order, for which some signature fits every message; they are refused here, as are
 * those whose bytes are not the one form of their point (RFC 8032 §5.1.3 lets some pass).
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { CameraError } from '../base/errors.ts';
import { keyIdBytes } from './image-format.ts';

/** A key that images may be signed with. */
export interface TrustedKey {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly key: KeyObject;
}

/** Of the field that points have their coordinates in: 2^255 − 19. */
const fieldPrime = 2n ** 255n - 19n;

/**
 * The y coordinates of the eight points of small order: 0, 1, −1, and two more that are each other's negative's; see
 * "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020), table 1.
 */
const smallOrderY: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  fieldPrime - 1n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
  fieldPrime - 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
]);

/** Reads a public key; throws `firmware-key-invalid` for what is none, and for one that anybody can sign for. */
export function readPublicKey(pem: string): TrustedKey {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new CameraError('firmware-key-invalid', 'the file holds no public key in PEM form', {}, { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new CameraError('firmware-key-invalid', 'the key is not one of Ed25519');
  const raw = rawPublicKey(key);
  const y = BigInt(`0x${Buffer.from(raw).reverse().toString('hex')}`) & (2n ** 255n - 1n);
  if (y >= fieldPrime || smallOrderY.has(y))
    throw new CameraError('firmware-key-invalid', 'the key is one that anybody can sign for');
  return { id: keyIdOf(key), key };
}

/** What names a key in images: 16 hexadecimal digits. */
export function keyIdOf(key: KeyObject): string {
  return createHash('sha256')
    .update(rawPublicKey(key))
    .digest('hex')
    .slice(0, 2 * keyIdBytes);
}

/** The 32 bytes of RFC 8032. */
function rawPublicKey(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url');
}
