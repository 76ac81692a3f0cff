/**
 * What the camera remembers in its state folder before there is a database: its identity and the setup token.
 *
 * `device-uuid` is made once and stays. `setup-token` (contract: first boot) is 80 random bits in Crockford's base 32;
 * it is kept from start to start while it lies there. Files are 0600 in a folder made 0700, written whole or not at all
 * (a temporary file, flushed, then renamed); one that is damaged is made anew. Main thread, at start; synchronous,
 * because nothing runs yet.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { CameraError } from '../base/errors.ts';

/** What is found or made in the folder. */
export interface CameraState {
  readonly deviceUuid: string;
  /** A secret until the first user exists. */
  readonly setupToken: string;
  /** Names of files that were damaged and are new now. */
  readonly renewed: readonly string[];
}

// Crockford base 32: without I, L, O and U.
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const tokenBytes = 10;
const tokenForm = /^[0-9A-HJKMNP-TV-Z]{16}$/;
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Opens the state folder, making what is missing. Throws CameraError `internal` when it cannot be used. */
export function openStateFolder(folder: string): CameraState {
  const renewed: string[] = [];
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return {
      deviceUuid: remembered(folder, 'device-uuid', uuidForm, randomUUID, renewed),
      setupToken: remembered(folder, 'setup-token', tokenForm, makeSetupToken, renewed),
      renewed,
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CameraError('internal', `the state folder ${folder} cannot be used: ${reason}`, {}, { cause });
  }
}

/** A new setup token: 16 characters, 5 bits each. */
export function makeSetupToken(): string {
  let bits = 0n;
  for (const byte of randomBytes(tokenBytes)) bits = (bits << 8n) | BigInt(byte);
  let token = '';
  for (let i = 0; i < (tokenBytes * 8) / 5; i++, bits >>= 5n) token += alphabet[Number(bits & 31n)];
  return token;
}

function remembered(
  folder: string,
  name: string,
  form: RegExp,
  make: () => string,
  renewed: string[],
): string {
  const file = path.join(folder, name);
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (form.test(text)) {
      // Whoever copied the folder may have widened it.
      chmodSync(file, 0o600);
      return text;
    }
    renewed.push(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const text = make();
  writeWhole(folder, name, text);
  return text;
}

function writeWhole(folder: string, name: string, text: string): void {
  const temporary = path.join(folder, `${name}.new`);
  // Made anew and exclusively: what a crash (or anybody else) left under this name is neither kept nor followed.
  rmSync(temporary, { force: true });
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path.join(folder, name));
  const folderDescriptor = openSync(folder, 'r');
  try {
    fsyncSync(folderDescriptor);
  } finally {
    closeSync(folderDescriptor);
  }
}
