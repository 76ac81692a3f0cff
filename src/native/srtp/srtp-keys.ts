/**
 * From the master key and salt of DTLS (RFC 5764 §4.2) to the session keys of SRTP and SRTCP: the key derivation of
 * RFC 3711 §4.3.1 with AES-CM as its pseudo-random function (§4.3.3), for a key derivation rate of 0, that is once.
 *
 * The 12-byte salt of AEAD_AES_128_GCM is extended by two zero bytes on the right for this (RFC 7714 §11). Any thread;
 * done twice per viewer and direction, so it is simple rather than quick. Other key lengths and the master key
 * identifier are left out: DTLS-SRTP (RFC 5764) knows neither for our two profiles.
 */
import { createCipheriv } from 'node:crypto';
import { CameraError } from '../../base/errors.ts';
import type { SrtpKeys, SrtpProfile } from '../data-plane.ts';

/** Session keys of one direction and one of the two protocols. */
export interface SessionKeys {
  /** 16 bytes. */
  readonly cipherKey: Uint8Array;
  /** 20 bytes for HMAC-SHA1, empty for GCM. */
  readonly authenticationKey: Uint8Array;
  /** 12 bytes for GCM, 14 for CM. */
  readonly salt: Uint8Array;
}

/** What the two profiles differ in (RFC 7714 §12, §14.2; RFC 5764 §4.1.2), bytes. */
export const srtpProfiles = {
  AEAD_AES_128_GCM: { saltBytes: 12, authenticationKeyBytes: 0, tagBytes: 16 },
  AES128_CM_HMAC_SHA1_80: { saltBytes: 14, authenticationKeyBytes: 20, tagBytes: 10 },
} as const satisfies Record<
  SrtpProfile,
  { saltBytes: number; authenticationKeyBytes: number; tagBytes: number }
>;

/** Bytes of a master key and of a session cipher key. */
export const cipherKeyBytes = 16;

/** Labels of RFC 3711 §4.3.1 and §4.3.2: the first of three (cipher key, authentication key, salt). */
const firstLabel = { srtp: 0, srtcp: 3 } as const;
/** Offset of the label in the 14 salt bytes: it stands before the 48 bits of index, here 0. */
const labelAt = 7;

/** Derives the session keys. Throws CameraError `internal` when key or salt has not the profile's length. */
export function deriveSessionKeys(
  profile: SrtpProfile,
  keys: SrtpKeys,
  protocol: 'srtp' | 'srtcp',
): SessionKeys {
  const { saltBytes, authenticationKeyBytes } = srtpProfiles[profile];
  if (keys.masterKey.length !== cipherKeyBytes || keys.masterSalt.length !== saltBytes)
    throw new CameraError('internal', 'the SRTP master key or salt has a wrong length', {
      profile,
      masterKeyBytes: keys.masterKey.length,
      masterSaltBytes: keys.masterSalt.length,
    });
  const label = firstLabel[protocol];
  return {
    cipherKey: derive(keys, label, cipherKeyBytes),
    authenticationKey: derive(keys, label + 1, authenticationKeyBytes),
    salt: derive(keys, label + 2, saltBytes),
  };
}

/** The first `length` bytes of the AES-CM key stream whose IV is (salt XOR label) · 2^16. */
function derive(keys: SrtpKeys, label: number, length: number): Uint8Array {
  const iv = new Uint8Array(16);
  iv.set(keys.masterSalt);
  iv[labelAt]! ^= label;
  return createCipheriv('aes-128-ctr', keys.masterKey, iv).update(new Uint8Array(length));
}
