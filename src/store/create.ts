/**
 * Makes a database whole or not at all, and says whether one is there.
 *
 * It is filled under another name, flushed, and renamed into place. So a folder of the final name always holds a database
 * that was complete once: one in which the file is missing or empty (as file systems leave it after a power cut) is
 * damaged, and not new. LMDB itself would quietly make a new one. Main thread; the file calls are short.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { CameraError } from '../base/errors.ts';
import { Database, type Records } from './database.ts';

/** Whether there is a database in the folder, sound or damaged. */
export function databaseExists(folder: string): boolean {
  return existsSync(folder);
}

/** Makes a database with the records that `fill` sets. Rejects with `state-failed`. */
export async function createDatabase(folder: string, fill: (records: Records) => void): Promise<void> {
  const unfinished = `${folder}.new`;
  try {
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

/**
 * What tells one database file from another that took its place, and a changed one from the same; undefined when there is
 * none. `file` changes with the file alone, `content` with every write.
 */
export function databaseIdentity(folder: string): { file: string; content: string } | undefined {
  const found = statSync(path.join(folder, 'data.mdb'), { throwIfNoEntry: false });
  if (!found) return undefined;
  const file = `${found.dev}:${found.ino}`;
  return { file, content: `${file}:${found.size}:${found.mtimeMs}` };
}

function flushFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
