/**
 * Reads a database whole and rehearses changes on a copy: what a camera would do with it, done where it costs nothing.
 *
 * A damaged file makes LMDB follow wild page numbers: SIGSEGV, or SIGBUS where the file is too short. So this runs in a
 * process of its own (workers/scan-database.ts, started by scan-process.ts), before any other opens the file. Reading
 * finds damage in the tree and, by the checksums, in the records; damage in the list of free pages shows only when they
 * are used again, which the rehearsal does for all of them.
 */
import { copyFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { openEnvironment } from './environment.ts';
import { decodeRecord } from './record.ts';

/** Most records that a sound database of ours can hold; a loop in a damaged tree ends here. */
const recordsMax = 10_000;

/**
 * So many changes of one record, as a camera makes them, then so many of all: each frees as many pages as it takes, and
 * in the end every page that was free was used.
 */
const rehearsals = 16;

/**
 * Returns when the database is sound; throws, or ends the process by a signal, when it is damaged.
 *
 * @param copyFolder an empty folder for the rehearsal, which whoever made it removes; without it there is none.
 */
export async function scanDatabase(folder: string, copyFolder?: string): Promise<void> {
  const file = path.join(folder, 'data.mdb');
  // LMDB takes an empty file for a new database; ours are renamed into place whole, so an empty one lost its content.
  if (statSync(file).size === 0) throw new Error('the file is empty');
  const records = await readAll(folder);
  if (copyFolder === undefined) return;
  copyFileSync(file, path.join(copyFolder, 'data.mdb'));
  await rehearse(copyFolder, records);
}

async function readAll(folder: string): Promise<Map<string, string>> {
  const environment = openEnvironment(folder, { mode: 'read' });
  const records = new Map<string, string>();
  for (const { key, value } of environment.getRange({})) {
    decodeRecord(key, value);
    records.set(key, value);
    if (records.size > recordsMax) throw new Error('there are more records than there can be');
  }
  // Walks the list of free pages, too. The library takes damage in the tree for the end of it, hence the count.
  const { entryCount } = environment.getStats() as { entryCount: number };
  if (entryCount !== records.size) throw new Error(`${records.size} of ${entryCount} records can be reached`);
  await environment.close();
  return records;
}

async function rehearse(folder: string, records: ReadonlyMap<string, string>): Promise<void> {
  const environment = openEnvironment(folder, { mode: 'rehearse' });
  for (let i = 0; i < 2 * rehearsals; i++) {
    const changed = [...records].slice(0, i < rehearsals ? 1 : undefined);
    environment.transactionSync(() => {
      for (const [key, text] of changed) environment.putSync(key, text);
    });
  }
  await environment.close();
  const after = await readAll(folder);
  for (const [key, text] of records)
    if (after.get(key) !== text) throw new Error(`the record ${key} is lost when others are written`);
}
