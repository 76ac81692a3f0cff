/**
 * The file of the index: reads by key and range, and whole, durable commits. The only code of the index that knows lmdb;
 * an interface, so that tests can put failures in its place.
 *
 * A commit resolves when all of it is on the disk (environment.ts) and rejects with the library's reason when nothing
 * of it is; afterwards {@link IndexStore.isReadable} says whether another may be begun (MDB_PANIC, store/README.md).
 * One at a time: the caller sees to that. Main thread; a read takes microseconds and never waits for a writer.
 */
import { reasonOf } from '../database.ts';
import { openBinaryEnvironment } from '../environment.ts';

/**
 * So far may the file grow: a year of two streams with a fragment a second is about 8 GB. Address space costs nothing
 * where there is much of it; a process of 32 bits has none to give away (some 40 days, then LMDB maps it anew).
 */
export const mapBytes = process.arch === 'arm' || process.arch === 'ia32' ? 512 * 2 ** 20 : 16 * 2 ** 30;

/** Keys from `start` to before `end`; with `reverse` from `start` down to after `end`. */
export interface KeyRange {
  readonly start: Buffer;
  readonly end: Buffer;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** What may be done inside a commit. */
export interface IndexWriter {
  put(key: Buffer, value: Buffer): void;
  remove(key: Buffer): void;
  /** The keys as they are now, with what this commit changed. */
  keys(range: KeyRange): Iterable<Buffer>;
}

/** See the head of the file. */
export interface IndexStore {
  get(key: Buffer): Buffer | undefined;
  range(range: KeyRange): Iterable<{ readonly key: Buffer; readonly value: Buffer }>;
  commit(change: (writer: IndexWriter) => void): Promise<void>;
  isReadable(): boolean;
  close(): Promise<void>;
}

/** Opens or makes the database in a folder that is there. Throws what lmdb throws. */
export function openIndexStore(folder: string): IndexStore {
  const environment = openBinaryEnvironment(folder, { mode: 'write', mapSize: mapBytes });
  const writer: IndexWriter = {
    put: (key, value) => void environment.put(key, value),
    remove: key => void environment.remove(key),
    keys: range => environment.getKeys(range),
  };
  return {
    get: key => environment.get(key),
    range: range => environment.getRange(range),
    async commit(change) {
      let refusal: { readonly error: unknown } | undefined;
      try {
        await environment.childTransaction(() => {
          try {
            change(writer);
          } catch (error) {
            refusal = { error };
            throw error;
          }
        });
      } catch (error) {
        throw refusal ? refusal.error : await reasonOf(error);
      }
    },
    isReadable() {
      try {
        environment.get(Buffer.of(0));
        return true;
      } catch {
        return false;
      }
    },
    close: () => environment.close(),
  };
}
