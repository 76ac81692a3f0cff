/**
 * Reads a database whole: every page of its tree and of its list of free pages, every record.
 *
 * A damaged file makes LMDB follow wild page numbers: SIGSEGV, or SIGBUS where the file is too short. So this runs in a
 * process of its own (workers/scan-database.ts, started by scan-process.ts), before any other opens the file.
 */
import { statSync } from 'node:fs';
import path from 'node:path';
import { openEnvironment } from './environment.ts';
import { decodeRecord } from './record.ts';

/** Most records that a sound database of ours can hold; a loop in a damaged tree ends here. */
const recordsMax = 10_000;

/** Resolves to the number of records; rejects, or ends the process by a signal, when the database is damaged. */
export async function scanDatabase(folder: string): Promise<number> {
  // LMDB takes an empty file for a new database; ours are renamed into place whole, so an empty one lost its content.
  if (statSync(path.join(folder, 'data.mdb')).size === 0) throw new Error('the file is empty');
  const environment = openEnvironment(folder, { readOnly: true });
  let records = 0;
  for (const { key, value } of environment.getRange({})) {
    decodeRecord(key, value);
    if (++records > recordsMax) throw new Error('there are more records than there can be');
  }
  // Walks the list of free pages; a writer would follow it.
  environment.getStats();
  await environment.close();
  return records;
}
