/**
 * Password hashes as text: the PHC string format, for argon2id alone.
 *
 *     $argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>        both in base 64 without padding
 *
 * A stored string says itself what checking it costs, so whoever can write the database could make the camera compute
 * for ever: what is beyond the bounds here is no password hash. Argon2 is RFC 9106; version 19 is its only one. Pure.
 */
import { CameraError } from '../base/errors.ts';
import type { PasswordCost } from '../ipc/tasks.ts';

/** Largest memory that a stored hash may ask for: also the largest that can be configured. */
export const storedMemoryKibMax = 65_536;
/** Passes and lanes of a stored hash; the same bounds as in the configuration. The library computes no single pass. */
const storedIterationsMin = 2;
export const storedIterationsMax = 16;
export const storedParallelismMax = 4;
/** Longest string: 64 bytes of salt and of hash are 172 characters, the rest is the head. */
const textMax = 256;

/** Bytes of salt and hash that we make (RFC 9106 §4). */
export const saltBytes = 16;
export const hashBytes = 32;

/** A parsed string. */
export interface PasswordHash {
  readonly cost: PasswordCost;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

const form =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** The parts of a PHC string; undefined when it is none of ours or its cost is beyond the bounds. */
export function parsePhc(text: string): PasswordHash | undefined {
  const match = text.length <= textMax ? form.exec(text) : null;
  if (!match) return undefined;
  const [memory, iterations, parallelism] = match.slice(1, 4).map(Number) as [number, number, number];
  const isWithinBounds =
    parallelism >= 1 &&
    parallelism <= storedParallelismMax &&
    iterations >= storedIterationsMin &&
    iterations <= storedIterationsMax &&
    // Argon2 needs eight blocks of 1 KiB a lane (RFC 9106 §3.1).
    memory >= 8 * parallelism &&
    memory <= storedMemoryKibMax;
  if (!isWithinBounds) return undefined;
  return {
    cost: { argon2MemoryKib: memory, argon2Iterations: iterations, argon2Parallelism: parallelism },
    salt: Buffer.from(match[4]!, 'base64'),
    hash: Buffer.from(match[5]!, 'base64'),
  };
}

/** As {@link parsePhc}, of a string that was stored: throws `accounts-damaged`, for only damage or an intruder writes others. */
export function storedHash(text: string): PasswordHash {
  const stored = parsePhc(text);
  if (!stored) throw new CameraError('accounts-damaged', 'the stored password hash cannot be used');
  return stored;
}

/** The PHC string of a hash. */
export function formatPhc({ cost, salt, hash }: PasswordHash): string {
  const { argon2MemoryKib, argon2Iterations, argon2Parallelism } = cost;
  const parameters = `m=${argon2MemoryKib},t=${argon2Iterations},p=${argon2Parallelism}`;
  return `$argon2id$v=19$${parameters}$${base64(salt)}$${base64(hash)}`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64').replaceAll('=', '');
}
