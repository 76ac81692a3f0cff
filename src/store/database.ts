/**
 * A small database that is always read and changed as a whole: some dozen records, in LMDB, durable.
 *
 * `change` hands all records to a function, in a transaction, and writes back what differs; when it throws, nothing is
 * written. The promise resolves when the change is on the disk (environment.ts) and rejects with `state-failed` when it
 * is not, or not in time. One commit is under way at a time, with all changes that came while the last one was: each
 * commit holds a thread of libuv's pool, a hanging disk holds it for ever, and with all four gone the whole process would
 * stand still. Another process may change the database meanwhile; `text` is cheap enough to look for that often. Main
 * thread.
 */
import { CameraError } from '../base/errors.ts';
import { type Environment, openEnvironment } from './environment.ts';
import { decodeRecord, encodeRecord } from './record.ts';

/** A card that stalls for 2 s is usual; what takes longer than this will most likely never end. */
export const commitTimeoutMs = 8000;

/** Changes that may wait for their turn; each belongs to a request, and those are bounded too. */
export const changesWaitingMax = 256;

/** See {@link Database.scrub}; a record of a page less this takes a page of its own. */
const scrubRounds = 3;
const scrubMarginBytes = 256;

/** At the end of the process a hanging card is not waited for. */
const closeTimeoutMs = 1000;

/** All records of a database by their keys; the contents belong to whoever got the map. */
export type Records = Map<string, unknown>;

/** A change on its way to the disk. */
interface Job {
  /** The caller has given up: not to be begun any more. */
  isGivenUp: boolean;
  /** Runs inside the transaction. */
  apply(): void;
  settle(failure?: unknown): void;
}

/** See the head of the file. */
export class Database {
  private readonly environment: Environment;
  private readonly timeoutMs: number;
  private queue: Job[] = [];
  private committing: Promise<void> | undefined;
  /** Somebody gave up on the commit under way. */
  private isHanging = false;
  /** A commit failed so that the library refuses all that follows (MDB_PANIC); the next one would hang in it. */
  private isDead = false;

  private constructor(environment: Environment, timeoutMs: number) {
    this.environment = environment;
    this.timeoutMs = timeoutMs;
  }

  /**
   * Opens the database in a folder that {@link scanInChild} found sound, or that is empty. Throws `state-failed`.
   *
   * @param options.timeoutMs longest wait for a change; for tests.
   */
  static open(folder: string, options: { readonly timeoutMs?: number } = {}): Database {
    try {
      const environment = openEnvironment(folder, { mode: 'write' });
      return new Database(environment, options.timeoutMs ?? commitTimeoutMs);
    } catch (cause) {
      throw failure('the database cannot be opened', cause);
    }
  }

  /** The text of one record, to see whether it changed; throws `state-failed`. */
  text(key: string): string | undefined {
    try {
      return this.environment.get(key);
    } catch (cause) {
      throw failure('the database cannot be read', cause);
    }
  }

  /** A copy of all records; throws `state-failed` when one is damaged. */
  records(): Records {
    return contentsOf(this.texts());
  }

  /**
   * Changes the records in one transaction. `mutate` gets the newest, whoever wrote them, and must not wait; what it
   * throws is thrown on, and nothing is changed then.
   */
  async change<T>(mutate: (records: Records) => T): Promise<T> {
    if (this.isDead) throw new CameraError('state-failed', 'the database has to be opened anew');
    if (this.isHanging) throw new CameraError('state-failed', 'the disk does not answer');
    if (this.queue.length >= changesWaitingMax)
      throw new CameraError('state-failed', 'too many changes wait for the disk');
    return new Promise<T>((resolve, reject) => {
      let result: T;
      const job: Job = {
        isGivenUp: false,
        apply: () => {
          result = this.apply(mutate);
        },
        settle(error) {
          clearTimeout(timer);
          if (error === undefined) resolve(result);
          else reject(error);
        },
      };
      const timer = setTimeout(() => {
        job.isGivenUp = true;
        this.isHanging = this.committing !== undefined;
        reject(new CameraError('state-failed', `the disk took longer than ${this.timeoutMs} ms`));
      }, this.timeoutMs);
      this.queue.push(job);
      this.committing ??= this.commitQueue();
    });
  }

  /**
   * Writes over what was deleted: LMDB leaves its bytes in pages that are free, or in the gaps of others. Free pages are
   * used again two transactions later, so a few rounds of records that fill the whole file, and their deletion, reach all.
   * Another process sees those records meanwhile; their keys begin with `scrub`. Rejects with `state-failed`.
   */
  async scrub(): Promise<void> {
    const { pageSize, lastPageNumber } = this.environment.getStats() as Record<string, number>;
    const filler = 'x'.repeat(pageSize! - scrubMarginBytes);
    for (let round = 0; round < scrubRounds; round++) {
      await this.change(records => {
        for (let i = 0; i < lastPageNumber!; i++) records.set(`scrub ${i}`, filler);
      });
      await this.change(records => {
        for (const key of records.keys()) if (key.startsWith('scrub')) records.delete(key);
      });
    }
  }

  /** Closes the database after the changes that wait, and gives up on a disk that hangs. Never rejects. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>(resolve => {
      timer = setTimeout(resolve, closeTimeoutMs);
    });
    // Not under a commit that hangs: it would use what is gone.
    const closed = (this.committing ?? Promise.resolve()).then(() => this.environment.close());
    await Promise.race([closed.catch(() => undefined), timeout]);
    clearTimeout(timer);
  }

  private async commitQueue(): Promise<void> {
    while (this.queue.length > 0) {
      const jobs = this.queue.filter(({ isGivenUp }) => !isGivenUp);
      this.queue = [];
      // Those that are begun in one turn of the event loop share a commit.
      await Promise.all(jobs.map(job => this.commit(job)));
      this.isHanging = false;
    }
    this.committing = undefined;
  }

  private async commit(job: Job): Promise<void> {
    // Kept apart from the rejections of the library, which tell of the disk.
    let refusal: { readonly error: unknown } | undefined;
    try {
      await this.environment.childTransaction(() => {
        try {
          job.apply();
        } catch (error) {
          refusal = { error };
          throw error;
        }
      });
      job.settle();
    } catch (error) {
      if (refusal) return job.settle(refusal.error);
      const reason = await reasonOf(error);
      this.isDead ||= !this.isReadable();
      job.settle(failure('the change is not on the disk', reason));
    }
  }

  private isReadable(): boolean {
    try {
      this.environment.get('a');
      return true;
    } catch {
      return false;
    }
  }

  private apply<T>(mutate: (records: Records) => T): T {
    const before = this.texts();
    const records = contentsOf(before);
    const result = mutate(records);
    for (const key of before.keys()) if (!records.has(key)) void this.environment.remove(key);
    for (const [key, content] of records) {
      const text = encodeRecord(key, content);
      if (text !== before.get(key)) void this.environment.put(key, text);
    }
    return result;
  }

  private texts(): Map<string, string> {
    try {
      const texts = new Map<string, string>();
      for (const { key, value } of this.environment.getRange({})) texts.set(key, value);
      return texts;
    } catch (cause) {
      throw failure('the database cannot be read', cause);
    }
  }
}

function contentsOf(texts: ReadonlyMap<string, string>): Records {
  const records: Records = new Map();
  for (const [key, text] of texts) records.set(key, decodeRecord(key, text));
  return records;
}

/**
 * The library rejects a failed commit twice: the transaction with an error that says nothing, and its `commitError` with
 * the reason. The second has no other reader, and unread it would end the process; it may also never come.
 */
export async function reasonOf(error: unknown): Promise<unknown> {
  const second = (error as { commitError?: unknown }).commitError;
  if (!(second instanceof Promise)) return error;
  const reason = second.then(
    () => error,
    (cause: unknown) => cause,
  );
  return Promise.race([reason, new Promise(resolve => setImmediate(resolve, error))]);
}

function failure(message: string, cause: unknown): CameraError {
  if (cause instanceof CameraError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CameraError('state-failed', `${message}: ${reason}`, {}, { cause });
}
