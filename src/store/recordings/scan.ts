/**
 * Reads the whole index and goes through its list of free pages, in a process of its own (workers/scan-database.ts): what
 * is damaged ends that process, not the camera. Some seconds for a month of fragments.
 *
 * Every key and the checksum of every record are looked at, and the records are counted: the library takes damage in the
 * tree for the end of it. Then pages are taken from the list of free ones, for new records, in a transaction that is
 * given up: nothing of it reaches the file. There is no rehearsal on a copy as for the accounts: this file has hundreds
 * of megabytes, and can be made again from the recordings.
 */
import { statSync } from 'node:fs';
import path from 'node:path';
import { ABORT } from 'lmdb';
import { openBinaryEnvironment } from '../environment.ts';
import { decodeFragment } from './fragment-layout.ts';
import { mapBytes } from './index-store.ts';
import { keyBytes, keyOf, numberMax, recordKinds } from './keys.ts';
import { decodeFormat } from './segment-layout.ts';

/** So many pages are taken in the rehearsal, one by each record; more than some commits free. */
const rehearsalPages = 256;

/** Returns when the database is sound; throws, or ends the process by a signal, when it is damaged. */
export async function scanRecordingIndex(folder: string): Promise<void> {
  const bytes = statSync(path.join(folder, 'data.mdb')).size;
  if (bytes === 0) throw new Error('the file is empty');
  const environment = openBinaryEnvironment(folder, { mode: 'write', mapSize: mapBytes });
  const stats = environment.getStats() as { entryCount: number; pageSize: number; lastPageNumber: number };
  if (stats.entryCount === 0) return environment.close();
  if ((stats.lastPageNumber + 1) * stats.pageSize > bytes) throw new Error('the file is too short');
  let count = 0;
  for (const { key, value } of environment.getRange({})) {
    if (key.length !== keyBytes || ++count > stats.entryCount) throw new Error('there are foreign records');
    if (key[0] === recordKinds.fragment) decodeFragment(key, value);
    else if (key[0] === recordKinds.format) decodeFormat(key, value);
    // A damaged segment costs itself alone, and is left out when the index is opened.
  }
  if (count !== stats.entryCount) throw new Error(`${count} of ${stats.entryCount} records can be reached`);
  const filler = Buffer.alloc(stats.pageSize / 2);
  environment.transactionSync(() => {
    for (let i = 0; i < rehearsalPages; i++)
      environment.putSync(keyOf(recordKinds.format, 1, i, numberMax), filler);
    return ABORT;
  });
  await environment.close();
}
