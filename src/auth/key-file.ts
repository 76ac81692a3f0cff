/**
 * The two keys of the camera: `token-key` signs access tokens, `link-key` signed links; files of 32 random bytes, 0600.
 *
 * A key is made exclusively (O_EXCL), so that two processes never hold two different ones. One of a wrong length, or that
 * others may read, is not used at all: a new one takes its place. What was signed under a former key is void; the
 * database remembers which key its sessions belong to by `id`, a part of its hash. Main thread; synchronous, because the
 * files are tiny and read only at start and after a rotation.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { CameraError } from '../base/errors.ts';
import { writeWhole } from '../config/state-folder.ts';

/** Bytes of a key: as many as SHA-256 gives (RFC 7518 §3.2). */
export const keyBytes = 32;

export const keyFileNames = { token: 'token-key', link: 'link-key' } as const;

/** A key and what names it without telling it. */
export interface Key {
  readonly bytes: Buffer;
  readonly id: string;
}

/** Both keys, and why any had to be replaced: sentences for the log. */
export interface Keys {
  readonly token: Key;
  readonly link: Key;
  readonly repairs: readonly string[];
}

/** Whether the folder holds a key, good or not. */
export function keysExist(folder: string): boolean {
  return Object.values(keyFileNames).some(
    name => lstatSync(path.join(folder, name), { throwIfNoEntry: false }) !== undefined,
  );
}

/** Reads both keys of the state folder, making what is missing or not safe. Throws `state-failed`. */
export function openKeys(folder: string): Keys {
  const repairs: string[] = [];
  try {
    const token = openKey(folder, keyFileNames.token, repairs);
    return { token, link: openKey(folder, keyFileNames.link, repairs), repairs };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CameraError('state-failed', `the keys in ${folder} cannot be used: ${reason}`, {}, { cause });
  }
}

/** Puts new keys into the place of both; what was signed under the old ones is void when they are read again. */
export function replaceKeys(folder: string): Keys {
  const keys = { token: keyOf(randomBytes(keyBytes)), link: keyOf(randomBytes(keyBytes)), repairs: [] };
  writeWhole(folder, keyFileNames.token, keys.token.bytes);
  writeWhole(folder, keyFileNames.link, keys.link.bytes);
  return keys;
}

function openKey(folder: string, name: string, repairs: string[]): Key {
  const found = readKey(path.join(folder, name));
  if (found instanceof Buffer) return keyOf(found);
  if (found === undefined) return keyOf(makeKey(folder, name));
  repairs.push(`${name} ${found}; a new one was made`);
  // Removed first: a folder, which a rename would not replace, fails here and is seen.
  rmSync(path.join(folder, name), { force: true });
  return keyOf(makeKey(folder, name));
}

/** The key, what is wrong with it, or undefined when there is none. */
function readKey(file: string): Buffer | string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') return 'was a link';
    throw error;
  }
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile()) return 'was no file';
    if ((found.mode & 0o077) !== 0) return 'could be read or changed by others';
    if (found.size !== keyBytes) return `had ${found.size} bytes instead of ${keyBytes}`;
    const key = Buffer.alloc(keyBytes);
    return readSync(descriptor, key) === keyBytes ? key : 'could not be read whole';
  } finally {
    closeSync(descriptor);
  }
}

function makeKey(folder: string, name: string): Buffer {
  const key = randomBytes(keyBytes);
  const descriptor = openSync(path.join(folder, name), 'wx', 0o600);
  try {
    // A crash in between leaves a file that is too short, which the next start replaces.
    writeSync(descriptor, key);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return key;
}

function keyOf(bytes: Buffer): Key {
  const id = createHash('sha256').update('key id').update(bytes).digest('hex').slice(0, 16);
  return { bytes, id };
}
