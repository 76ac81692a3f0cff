/**
 * The account database, opened only after a child process found it sound: typed content on top of store/.
 *
 * `data` is cheap while nothing changed, in this process or another, so it is asked for with every request. Every `change`
 * gets the newest content inside its transaction, notes the moment, and takes the sessions' times over to this start of
 * the machine where that is another one. Any failure to read is `accounts-damaged`; a failure to write is `state-failed`.
 * Main thread.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { CameraError } from '../base/errors.ts';
import { createDatabase, databaseExists, databaseIdentity } from '../store/create.ts';
import { Database } from '../store/database.ts';
import { scanInChild } from '../store/scan-process.ts';
import { type AccountsData, metaKey, newAccountsData, readAccounts, writeAccounts } from './accounts-data.ts';
import { keysExist } from './key-file.ts';
import type { MomentClock } from './moment.ts';
import { carryOver } from './session-record.ts';

export interface AccountsDatabaseOptions {
  /** The state folder. */
  readonly folder: string;
  readonly clock: MomentClock;
  /** Entry of the process that scans: workers/scan-database. */
  readonly scanEntry: URL;
  /** Whether a database is made where there is none; else that is `accounts-damaged`. */
  readonly mayCreate: boolean;
}

/** The folder of the database within the state folder. */
export function accountsFolder(folder: string): string {
  return path.join(folder, 'accounts');
}

/** See the head of the file. */
export class AccountsDatabase {
  private readonly database: Database;
  private readonly clock: MomentClock;
  private readonly folder: string;
  private readonly file: string | undefined;
  private metaText: string | undefined;
  private cached: AccountsData | undefined;

  private constructor(database: Database, clock: MomentClock, folder: string) {
    this.database = database;
    this.clock = clock;
    this.folder = folder;
    this.file = databaseIdentity(folder)?.file;
  }

  /**
   * Makes a database at factory state where there is none, complete from the first moment that anybody can see it. Rejects
   * with `state-failed`.
   *
   * @param folder the state folder.
   * @param prepare sets what else it holds.
   */
  static async create(
    folder: string,
    clock: MomentClock,
    prepare?: (data: AccountsData) => void,
  ): Promise<void> {
    makeFolder(folder);
    const data = newAccountsData(clock.now());
    prepare?.(data);
    await createDatabase(accountsFolder(folder), records => writeAccounts(data, records));
  }

  /** Rejects with `accounts-damaged`, or with `state-failed` when the state folder cannot be written. */
  static async open(options: AccountsDatabaseOptions): Promise<AccountsDatabase> {
    const { clock, scanEntry, mayCreate } = options;
    const folder = accountsFolder(options.folder);
    if (!databaseExists(folder)) {
      // The first start makes the keys after the database, so with keys this is a camera that lost it, and no new one.
      if (!mayCreate || keysExist(options.folder)) throw damaged('it is not there');
      await AccountsDatabase.create(options.folder, clock);
    }
    const verdict = await scanInChild(folder, { entry: scanEntry });
    if (!verdict.sound) throw damaged(verdict.reason);
    let database: AccountsDatabase | undefined;
    try {
      database = new AccountsDatabase(Database.open(folder), clock, folder);
      database.data();
      return database;
    } catch (cause) {
      await database?.close();
      throw damaged(cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  /** The newest content, not to be changed. The same object as before while nothing changed. Throws `accounts-damaged`. */
  data(): AccountsData {
    try {
      const text = this.database.text(metaKey);
      if (this.cached === undefined || text !== this.metaText) {
        const data = readAccounts(this.database.records());
        const now = this.clock.now();
        for (const session of data.sessions.values()) carryOver(session, data.meta.seen, now);
        this.cached = data;
        this.metaText = text;
      }
      return this.cached;
    } catch (cause) {
      throw damaged(cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  /**
   * Changes the content in one transaction, on the disk when the promise resolves. What `mutate` throws is thrown on and
   * nothing is changed. Rejects with `state-failed` when the disk fails.
   */
  change<T>(mutate: (data: AccountsData) => T): Promise<T> {
    return this.database.change(records => {
      const data = readAccounts(records);
      const now = this.clock.now();
      for (const session of data.sessions.values()) carryOver(session, data.meta.seen, now);
      data.meta.seen = now;
      data.meta.revision += 1;
      const result = mutate(data);
      writeAccounts(data, records);
      return result;
    });
  }

  /** Writes over what was deleted before; rejects with `state-failed`. */
  scrub(): Promise<void> {
    return this.database.scrub();
  }

  /** Whether the file that is open still is the one in the state folder; another process may have replaced it. */
  isInPlace(): boolean {
    return databaseIdentity(this.folder)?.file === this.file;
  }

  /** Never rejects. */
  close(): Promise<void> {
    return this.database.close();
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
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

function damaged(reason: string, cause?: unknown): CameraError {
  if (cause instanceof CameraError && cause.code === 'accounts-damaged') return cause;
  return new CameraError('accounts-damaged', `the user database cannot be used: ${reason}`, {}, { cause });
}
