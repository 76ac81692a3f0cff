/**
 * Keeps the account database open and watched: what accounts.ts does things with.
 *
 * Each request looks whether the database changed, so another process may change it at any time; one timer looks once a
 * second for those who ask nothing, and whoever's session ended, for whatever reason, is told to the listeners. A
 * database that cannot be read, at the start or later, lets nobody in while the camera runs on, and all sessions count as
 * ended meanwhile; it is tried again when its file changed (a factory reset puts another in its place), and some seconds
 * after it failed in use. Main thread.
 */
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import { databaseIdentity } from '../store/create.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import type { AccountsData } from './accounts-data.ts';
import { type AccountsDatabase, accountsFolder } from './accounts-database.ts';
import {
  type AccountsOpening,
  agreeOnKeys,
  agreeOnSetupToken,
  agrees,
  openAccounts,
} from './accounts-opening.ts';
import type { AuditLog } from './audit-log.ts';
import { type Keys, openKeys } from './key-file.ts';
import { isSameBoot, MomentClock } from './moment.ts';
import { isAlive } from './session-record.ts';
import { isSetupToken, readSetupToken } from './setup-token.ts';
import { Tokens } from './tokens.ts';

/** Where sessions live, the moment is noted at least so often: what a restart of the machine may add to their lives. */
const noteTimeUs = 600 * 1e6;

/** How long a database that failed while it was in use is left alone. */
const failureRetryUs = 10 * 1e6;

/** What a factory reset by another process may take from the file of its setup token to its transaction. */
const resetUs = 10 * 1e6;

export interface AccountsKeeperOptions {
  /** The state folder. */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly audit: AuditLog;
  /** Entry of the process that reads the database first: workers/scan-database. */
  readonly scanEntry: URL;
  /** Id of this start of the machine, and how often to look, in ms; for tests. */
  readonly boot?: string | undefined;
  readonly lookEveryMs?: number | undefined;
}

interface Opened {
  readonly database: AccountsDatabase;
  keys: Keys;
  tokens: Tokens;
}

/** See the head of the file. */
export class AccountsKeeper {
  readonly moments: MomentClock;
  private readonly options: AccountsKeeperOptions;
  private readonly listeners: ((sids: readonly string[]) => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private opened: Opened | undefined;
  private closing: Promise<void> | undefined;
  /** Sessions that were alive at the last look. */
  private living: ReadonlySet<string> = new Set();
  private known: AccountsData | undefined;
  /** When the setup token was last seen, or not needed. */
  private setupTokenMonoUs = Number.POSITIVE_INFINITY;
  private notedMonoUs = Number.NEGATIVE_INFINITY;
  /** When, and beyond which content of the file, a damaged database is tried again. */
  private retryMonoUs = 0;
  private damagedContent: string | undefined;
  private isLookingAround = false;
  private isClosed = false;

  private constructor(options: AccountsKeeperOptions) {
    this.options = options;
    this.moments = new MomentClock(options.clock, options.boot);
  }

  /** A damaged database is no error. Rejects with `state-failed` when the folder cannot be used at all. */
  static async open(options: AccountsKeeperOptions): Promise<AccountsKeeper> {
    const keeper = new AccountsKeeper(options);
    await keeper.tryToOpen(true);
    keeper.timer = setInterval(() => void keeper.lookAround(), options.lookEveryMs ?? 1000);
    keeper.timer.unref();
    return keeper;
  }

  /** Signs and checks under the key of now. Throws `accounts-damaged`. */
  get tokens(): Tokens {
    this.required();
    return this.opened!.tokens;
  }

  /** The key of signed links. Throws `accounts-damaged`. */
  get linkKey(): Uint8Array {
    this.required();
    return this.opened!.keys.link.bytes;
  }

  /** The setup token of the state folder, where it is the one that the database knows. */
  get setupToken(): string | undefined {
    const hash = this.look()?.setupHash;
    const token = hash === undefined ? undefined : readSetupToken(this.options.folder);
    return token !== undefined && isSetupToken(token, hash!) ? token : undefined;
  }

  onSessionsEnded(listener: (sids: readonly string[]) => void): void {
    this.listeners.push(listener);
  }

  /** Stops looking and closes the database; sessions live on. Never rejects. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.timer);
    const { opened } = this;
    this.opened = undefined;
    // Notes the time, so that what is left of each session is known after a restart of the machine.
    if (this.living.size > 0) opened?.database.change(() => undefined).catch(() => undefined);
    await Promise.all([opened?.database.close(), this.closing]);
  }

  /**
   * Changes the database; on the disk when it resolves. What `mutate` throws is thrown on, and nothing is changed.
   * Rejects with `accounts-damaged` or `state-failed`.
   */
  async change<T>(mutate: (data: AccountsData) => T): Promise<T> {
    this.required();
    try {
      return await this.opened!.database.change(mutate);
    } finally {
      // Whoever's session this ended is told before the answer goes out.
      this.look();
    }
  }

  /** What the database holds now, not to be changed. Throws `accounts-damaged`. */
  required(): AccountsData {
    const data = this.look();
    if (!data) throw new CameraError('accounts-damaged', 'the user database cannot be read');
    return data;
  }

  /** The same; undefined when it cannot be read. */
  look(): AccountsData | undefined {
    const { opened } = this;
    if (!opened) return undefined;
    try {
      const data = opened.database.data();
      if (data === this.known) return data;
      // Another process rotated the keys: their files were there before this content.
      if (!agrees(data, opened.keys)) this.use(opened, openKeys(this.options.folder));
      this.known = data;
      this.announce(data);
      return data;
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  private use(opened: Opened, keys: Keys): void {
    opened.keys = keys;
    opened.tokens = new Tokens(keys.token.bytes);
  }

  /** Tells the listeners which of the sessions that were alive are not any more. */
  private announce(data: AccountsData | undefined): void {
    const now = this.moments.now();
    const records = [...(data?.sessions.values() ?? [])];
    const living = new Set(records.filter(record => isAlive(record, now)).map(({ sid }) => sid));
    const ended = [...this.living].filter(sid => !living.has(sid));
    this.living = living;
    if (ended.length === 0) return;
    for (const sid of ended)
      if (data?.sessions.has(sid)) this.options.audit.record('session-expired', undefined, { session: sid });
    for (const listener of this.listeners)
      try {
        listener(ended);
      } catch (error) {
        this.options.logger.error('the end of a session could not be told', errorFields(error));
      }
  }

  /** What the timer does; never rejects. */
  private async lookAround(): Promise<void> {
    if (this.isLookingAround || this.isClosed) return;
    this.isLookingAround = true;
    try {
      if (this.opened && !this.opened.database.isInPlace())
        this.fail(new CameraError('accounts-damaged', 'another file took the place of the user database'), 0);
      const data = this.look();
      if (!data || !this.opened) return await this.tryAgain();
      if (this.isSetupTokenLost(data)) await agreeOnSetupToken(this.opened.database, this.opening(false));
      if (!agrees(data, this.opened.keys))
        this.use(this.opened, await agreeOnKeys(this.opened.database, this.opening(false)));
      this.announce(data);
      await this.noteTime(data);
    } catch (error) {
      this.options.logger.warn('the user database could not be looked after', errorFields(error));
    } finally {
      this.isLookingAround = false;
    }
  }

  /** Whether the setup token is not the known one, for longer than a factory reset beside this process takes. */
  private isSetupTokenLost({ meta }: AccountsData): boolean {
    const { monoUs } = this.moments.now();
    if (meta.isClaimed || this.setupToken !== undefined) this.setupTokenMonoUs = monoUs;
    return monoUs - this.setupTokenMonoUs > resetUs;
  }

  private async noteTime({ meta }: AccountsData): Promise<void> {
    const now = this.moments.now();
    if (this.living.size === 0) return;
    if (isSameBoot(meta.seen, now) && now.monoUs - meta.seen.monoUs < noteTimeUs) return;
    // A disk that is full is not tried every second.
    if (now.monoUs - this.notedMonoUs < noteTimeUs) return;
    this.notedMonoUs = now.monoUs;
    await this.change(() => undefined);
  }

  /** Nobody is let in from now on. */
  private fail(error: unknown, retryAfterUs = failureRetryUs): void {
    const { logger } = this.options;
    logger.error('the user database cannot be used: nobody is let in', errorFields(error));
    this.closing = this.opened?.database.close();
    this.opened = undefined;
    this.known = undefined;
    this.damagedContent = undefined;
    this.retryMonoUs = this.moments.now().monoUs + retryAfterUs;
    this.announce(undefined);
  }

  private async tryAgain(): Promise<void> {
    if (this.moments.now().monoUs < this.retryMonoUs) return;
    const content = databaseIdentity(accountsFolder(this.options.folder))?.content;
    if (content === undefined || content === this.damagedContent) return;
    this.retryMonoUs = this.moments.now().monoUs + failureRetryUs;
    await this.closing;
    await this.tryToOpen(false);
    if (this.opened) this.options.logger.info('the user database can be used again');
  }

  private async tryToOpen(mayCreate: boolean): Promise<void> {
    const { folder, logger } = this.options;
    const content = databaseIdentity(accountsFolder(folder))?.content;
    try {
      const { database, keys } = await openAccounts(this.opening(mayCreate));
      if (this.isClosed) return await database.close();
      this.opened = { database, keys, tokens: new Tokens(keys.token.bytes) };
      this.look();
    } catch (error) {
      if (!(error instanceof CameraError && error.code === 'accounts-damaged')) throw error;
      this.damagedContent = content;
      logger.error(
        'the user database is damaged: nobody is let in until `opencamerad factory-reset`',
        errorFields(error),
      );
    }
  }

  private opening(mayCreate: boolean): AccountsOpening {
    const { folder, scanEntry, logger, audit } = this.options;
    return { folder, scanEntry, logger, audit, clock: this.moments, mayCreate };
  }
}
