/**
 * The two tasks that compute: hash a password, compare passwords with a hash. The only module that knows argon2.
 *
 * It runs in a thread of the task pool (workers/tasks.ts) and holds nothing between two calls. The library computes on
 * libuv's own threads; the pool's thread is what bounds how many computations there are at once, because each waits for
 * its own. The bytes of a password are the UTF-8 of its NFC form, so that a phone and a computer that compose `é`
 * differently send the same password.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import argon2 from 'argon2';
import { enterNative, leaveNative, type NativeSection, newNativeSection } from '../ipc/native-section.ts';
import type { HashPasswordRequest, PasswordCost, TaskReplies, VerifyPasswordRequest } from '../ipc/tasks.ts';
import { formatPhc, hashBytes, saltBytes, storedHash } from './phc-string.ts';

/** Makes the PHC string of a password with a salt of its own. */
export async function hashPassword(
  { password, cost }: HashPasswordRequest,
  section: NativeSection = newNativeSection(),
): Promise<TaskReplies['hash-password']> {
  const salt = randomBytes(saltBytes);
  const startedMs = performance.now();
  const hash = await compute(password, { cost, salt, hashLength: hashBytes }, section);
  const hashMs = performance.now() - startedMs;
  return { phc: formatPhc({ cost: costOf(cost), salt, hash }), hashMs };
}

/**
 * Index of the first of the passwords that matches, or -1. Every one is computed, so that the time tells neither whether
 * nor which. Rejects with `accounts-damaged` when the stored hash is none, or asks for more than any hash may.
 */
export async function verifyPassword(
  request: VerifyPasswordRequest,
  section: NativeSection = newNativeSection(),
): Promise<TaskReplies['verify-password']> {
  const { cost, salt, hash: expected } = storedHash(request.phc);
  let index = -1;
  for (const [i, password] of request.passwords.entries()) {
    const hash = await compute(password, { cost, salt, hashLength: expected.length }, section);
    if (timingSafeEqual(hash, expected) && index < 0) index = i;
  }
  return { index };
}

async function compute(
  password: string,
  { cost, salt, hashLength }: { cost: PasswordCost; salt: Uint8Array; hashLength: number },
  section: NativeSection,
): Promise<Buffer> {
  enterNative(section);
  try {
    return await argon2.hash(Buffer.from(password.normalize('NFC'), 'utf8'), {
      raw: true,
      type: argon2.argon2id,
      version: 0x13,
      salt: Buffer.from(salt),
      hashLength,
      memoryCost: cost.argon2MemoryKib,
      timeCost: cost.argon2Iterations,
      parallelism: cost.argon2Parallelism,
    });
  } finally {
    leaveNative(section);
  }
}

/** Only the three numbers: a caller may hand over its whole configuration. */
function costOf({ argon2MemoryKib, argon2Iterations, argon2Parallelism }: PasswordCost): PasswordCost {
  return { argon2MemoryKib, argon2Iterations, argon2Parallelism };
}
