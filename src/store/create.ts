/**
 * Makes a database whole or not at all, and says whether one is there.
 *
 * It is filled under another name, flushed, and renamed into place. So a folder of the final name always holds a database
 * that was complete once: one in which the file is missing or empty (as file systems leave it after a power cut) is
 * damaged, and not new. LMDB itself would quietly make a new one. Main thread; the file calls are short.
 */
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statfsSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { CameraError } from '../base/errors.ts';
import { Database, type Records } from './database.ts';

/**
 * Least room on the disk for a new database. LMDB writes its lock file through a mapping: where there is no block for it,
 * the process ends by a signal. The rest is for the records and their first changes.
 */
export const diskBytesMin = 256 * 1024;

/** Whether there is a database in the folder, sound or damaged; so is whatever else has its name. */
export function databaseExists(folder: string): boolean {
  return lstatSync(folder, { throwIfNoEntry: false }) !== undefined;
}

/**
 * Makes a database with the records that `fill` sets. Rejects with `state-failed`.
 *
 * @param options.freeBytes room on the disk of a folder; for tests.
 */
export async function createDatabase(
  folder: string,
  fill: (records: Records) => void,
  { freeBytes = freeBytesOf }: { readonly freeBytes?: (folder: string) => number } = {},
): Promise<void> {
  const unfinished = `${folder}.new`;
  try {
    if (freeBytes(path.dirname(folder)) < diskBytesMin) throw new Error('the disk is full');
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { mode: 0o700 });
    const database = Database.open(unfinished);
    try {
      await database.change(fill);
    } finally {
      await database.close();
    }
    flushFolder(unfinished);
    renameSync(unfinished, folder);
    flushFolder(path.dirname(folder));
  } catch (cause) {
    if (cause instanceof CameraError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CameraError('state-failed', `no database can be made in ${folder}: ${reason}`, {}, { cause });
  }
}

/** Puts a damaged database aside, so that its place is free; only one is kept. */
export function setAsideDatabase(folder: string): void {
  const aside = `${folder}.damaged`;
  rmSync(aside, { recursive: true, force: true });
  renameSync(folder, aside);
  flushFolder(path.dirname(folder));
}

/** Removes what was put aside, if anything. */
export function removeSetAside(folder: string): void {
  rmSync(`${folder}.damaged`, { recursive: true, force: true });
}

/**
 * What tells one database file from another that took its place, and a changed one from the same; undefined when there is
 * none. `file` changes with the file alone, `content` with every write.
 */
export function databaseIdentity(folder: string): { file: string; content: string } | undefined {
  let found: Stats;
  try {
    found = statSync(path.join(folder, 'data.mdb'));
  } catch {
    // Also where the folder is none, or cannot be looked into.
    return undefined;
  }
  const file = `${found.dev}:${found.ino}`;
  return { file, content: `${file}:${found.size}:${found.mtimeMs}` };
}

function freeBytesOf(folder: string): number {
  const { blocks, bavail, bsize } = statfsSync(folder);
  // Some file systems in memory do not tell.
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
}

function flushFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
