/**
 * The state folder: a place that is private, the identity of the camera, and files that are written whole or not at all.
 *
 * `device-uuid` is made once and stays; one that is damaged is made anew. Files are 0600 in a folder made 0700, written to
 * a temporary name, flushed, then renamed. What else lies in the folder belongs to others: the accounts, keys and setup
 * token to auth/, the certificate to http/. Main thread, at start; synchronous, because nothing runs yet.
 */
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { CameraError } from '../base/errors.ts';

/** What is found or made in the folder. */
export interface CameraState {
  readonly deviceUuid: string;
  /** Names of files that were damaged and are new now. */
  readonly renewed: readonly string[];
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Opens the state folder, making what is missing. Throws CameraError `state-failed` when it cannot be used. */
export function openStateFolder(folder: string): CameraState {
  const renewed: string[] = [];
  try {
    makeFolder(path.resolve(folder));
    return {
      deviceUuid: remembered(folder, 'device-uuid', uuidForm, randomUUID, renewed),
      renewed,
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CameraError(
      'state-failed',
      `the state folder ${folder} cannot be used: ${reason}`,
      {},
      { cause },
    );
  }
}

/** As `mkdirSync` with `recursive`, which Node 20 never ends where a folder says that it is not there, as in /proc. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolder(parent);
  mkdirSync(folder, { mode: 0o700 });
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

/** Writes a file of mode 0600 whole or not at all: what lay under the name stays until all of it is on the disk. */
export function writeWhole(folder: string, name: string, content: string | Uint8Array): void {
  const temporary = path.join(folder, `${name}.new`);
  // Made anew and exclusively: what a crash (or anybody else) left under this name is neither kept nor followed.
  rmSync(temporary, { force: true });
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    if (typeof content === 'string') writeSync(descriptor, content);
    else writeSync(descriptor, content);
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
