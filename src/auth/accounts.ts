/**
 * The user, the sessions and the settings: who may come in.
 *
 * The database (accounts-keeper.ts) is the only truth: nothing is kept beside it, and every change reads it anew in its
 * transaction, so that what was true when a request came in is asked again when it takes effect: a log-in that was being
 * checked while the password changed opens no session, of two log-outs at once one wins, a setup token is spent once.
 * What is answered is on the disk. Main thread.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { CameraError } from '../base/errors.ts';
import type { AccountsConfiguration } from '../config/configuration.ts';
import { errorFields } from '../telemetry/log.ts';
import { AccountsKeeper, type AccountsKeeperOptions } from './accounts-keeper.ts';
import type { Caller } from './audit-log.ts';
import { parseBasic } from './basic-credentials.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { Moment } from './moment.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { acceptablePassword } from './password-rules.ts';
import type { Session } from './session.ts';
import {
  extendSession,
  isAlive,
  makeRoom,
  newSession,
  type SessionRecord,
  validUntilUnixMs,
} from './session-record.ts';
import { isSetupToken, removeSetupToken } from './setup-token.ts';
import { isLinkText, type LinkScope, signLinkText } from './signed-link.ts';
import {
  emailKeyOf,
  type NewUser,
  shownUser,
  type User,
  type UserRecord,
  userFields,
} from './user-record.ts';

export type { NewUser, User } from './user-record.ts';

/** `damaged`: the database cannot be read; nobody is let in. */
export type AccountsState = 'factory' | 'claimed' | 'damaged';

export interface AccountsOptions extends AccountsKeeperOptions {
  readonly hasher: PasswordHasher;
  readonly throttle: LoginThrottle;
  readonly configuration: AccountsConfiguration;
}

/** What others may use; a test may give something else in its place. */
export type PublicAccounts = Pick<Accounts, keyof Accounts>;

/** See the head of the file. */
export class Accounts {
  private readonly options: AccountsOptions;
  private readonly keeper: AccountsKeeper;

  private constructor(options: AccountsOptions, keeper: AccountsKeeper) {
    this.options = options;
    this.keeper = keeper;
  }

  /**
   * Opens what the state folder holds, or makes a camera at factory state. A damaged database is no error: see
   * {@link state}. Rejects with `state-failed` when the folder cannot be used at all.
   */
  static async open(options: AccountsOptions): Promise<Accounts> {
    return new Accounts(options, await AccountsKeeper.open(options));
  }

  /** Always of now: another process may change it. */
  get state(): AccountsState {
    const data = this.keeper.look();
    if (!data) return 'damaged';
    return data.meta.isClaimed ? 'claimed' : 'factory';
  }

  /** A secret that opens {@link createUser}; undefined once there is a user. */
  get setupToken(): string | undefined {
    return this.keeper.setupToken;
  }

  /** The session of a token, undefined for every bad one. Rejects with `accounts-damaged` alone. */
  async authenticate(token: string): Promise<Session | undefined> {
    const sid = await this.keeper.tokens.sidOf(token);
    const record = sid === undefined ? undefined : this.keeper.required().sessions.get(sid);
    const now = this.keeper.moments.now();
    if (!record || !isAlive(record, now)) return undefined;
    return sessionOf(record, now);
  }

  /**
   * The first half of {@link createUser}: judges the token, and rejects as that does. For a request that is of no use
   * otherwise, whose sender must not learn so without the token.
   *
   * @returns the hash of the setup token.
   */
  async admitSetup(token: string, from: Caller): Promise<string> {
    const { throttle, audit } = this.options;
    const { meta, setupHash } = this.keeper.required();
    if (meta.isClaimed) {
      if (await this.authenticate(token))
        throw new CameraError('user-exists', 'the camera has its user already');
      throw tokenInvalid();
    }
    this.admit(throttle.beginSetup(from.remoteAddress), from);
    if (setupHash === undefined || !isSetupToken(token, setupHash)) {
      audit.record('setup-failed', from);
      throw setupTokenInvalid();
    }
    return setupHash;
  }

  /**
   * Creates the one user and spends the setup token in the same transaction.
   *
   * @param token the setup token as it was typed. With an access token in its place and a user there: `user-exists`;
   * anything else is `setup-token-invalid` at factory state, else `token-invalid`. Rejects also with `login-throttled`,
   * `user-invalid`, `password-unacceptable`, `hashing-busy`.
   */
  async createUser(token: string, user: NewUser, from: Caller): Promise<User> {
    const { hasher, audit, configuration, folder, logger } = this.options;
    const setupHash = await this.admitSetup(token, from);
    const fields = userFields(user);
    const lengthMin = configuration.passwordLengthMin;
    const password = acceptablePassword(user.password, { email: fields.email, lengthMin });
    const passwordHash = await hasher.hash(password);
    await this.keeper.change(data => {
      if (data.meta.isClaimed || data.setupHash !== setupHash) throw setupTokenInvalid();
      data.user = { ...fields, passwordHash, passwordGeneration: newGeneration() };
      data.setupHash = undefined;
      data.meta.isClaimed = true;
    });
    audit.record('user-created', from, { email: fields.email });
    try {
      removeSetupToken(folder);
    } catch (error) {
      // It opens nothing any more.
      logger.warn('the spent setup token cannot be removed', errorFields(error));
    }
    return fields;
  }

  /**
   * Makes a session for Basic credentials. Rejects with `credentials-missing`, `credentials-invalid` (one error for all
   * that can be wrong inside, after the same work), `login-throttled`, `hashing-busy`.
   */
  async logIn(
    authorization: string | undefined,
    from: Caller,
  ): Promise<{ token: string; validUntilUnixMs: number }> {
    const { throttle, audit } = this.options;
    const { user } = this.keeper.required();
    const credentials = parseBasic(authorization);
    this.admit(throttle.begin(from.remoteAddress), from);
    const isUser =
      user !== undefined && isSameText(emailKeyOf(credentials?.email ?? ''), emailKeyOf(user.email));
    const candidates = credentials?.candidates ?? [];
    const index = candidates.length > 0 ? await this.compare(user, isUser, candidates, from) : -1;
    const candidate = candidates[index];
    if (user === undefined || !candidate) {
      audit.record('login-failed', from);
      throw credentialsInvalid();
    }
    throttle.succeeded(from.remoteAddress);
    const rehash = await this.rehash(user, candidate.password);
    return this.openSession(user, candidate.label, rehash, from);
  }

  /**
   * Gives a session a new life. Resolves to its new end, Unix ms. Rejects with `token-invalid` when the session has ended
   * meanwhile.
   */
  refresh(session: Session): Promise<number> {
    const { configuration } = this.options;
    return this.keeper.change(data => {
      const now = this.keeper.moments.now();
      const record = data.sessions.get(session.sid);
      if (!record || !isAlive(record, now)) throw tokenInvalid();
      extendSession(record, now, configuration);
      return validUntilUnixMs(record, now);
    });
  }

  /** Ends a session. Rejects with `token-invalid` when it has ended already: of two at once one gets this. */
  async logOut(session: Session, from: Caller): Promise<void> {
    await this.keeper.change(data => {
      const record = data.sessions.get(session.sid);
      if (!record || !isAlive(record, this.keeper.moments.now())) throw tokenInvalid();
      data.sessions.delete(session.sid);
    });
    this.options.audit.record('logout', from, { session: session.sid });
  }

  /**
   * Stores a new password and, in the same transaction, ends every session but this one, and all signed links. Rejects
   * with `password-unacceptable`, `hashing-busy`, `token-invalid`.
   */
  async resetPassword(session: Session, password: string, from: Caller): Promise<User> {
    const { hasher, audit, configuration } = this.options;
    const email = this.keeper.required().user?.email ?? '';
    const lengthMin = configuration.passwordLengthMin;
    const passwordHash = await hasher.hash(acceptablePassword(password, { email, lengthMin }));
    const user = await this.keeper.change(data => {
      const record = data.sessions.get(session.sid);
      if (!data.user || !record || !isAlive(record, this.keeper.moments.now())) throw tokenInvalid();
      data.user.passwordHash = passwordHash;
      data.user.passwordGeneration = newGeneration();
      data.sessions = new Map([[record.sid, record]]);
      return shownUser(data.user);
    });
    audit.record('password-reset', from, { session: session.sid });
    return user;
  }

  /** Those that live, the newest first. Throws `accounts-damaged`. */
  sessions(): readonly Session[] {
    const now = this.keeper.moments.now();
    return [...this.keeper.required().sessions.values()]
      .filter(record => isAlive(record, now))
      .sort((a, b) => b.order - a.order)
      .map(record => sessionOf(record, now));
  }

  /** Ends a session by its id, the caller's own too. Resolves to false when there is none. */
  async endSession(sid: string, from: Caller): Promise<boolean> {
    const isEnded = await this.keeper.change(data => data.sessions.delete(sid));
    if (isEnded) this.options.audit.record('session-ended', from, { session: sid });
    return isEnded;
  }

  /** As they were set; empty while the database is damaged. */
  iceServers(): readonly string[] {
    return this.keeper.look()?.iceServers ?? [];
  }

  /** Stores a list that was checked; on the disk when it resolves, and whole or not at all. */
  async setIceServers(list: readonly string[], from: Caller): Promise<void> {
    await this.keeper.change(data => {
      data.iceServers = [...list];
    });
    this.options.audit.record('configuration-changed', from, { key: 'ice_servers', count: list.length });
  }

  /**
   * A signed link for a target: path and query without the link itself, in one spelling.
   *
   * @param lifetimeSeconds at most, and unless told, the configured life of links.
   */
  signLink(target: string, lifetimeSeconds?: number): { token: string; validUntilUnixMs: number } {
    const { linkSeconds } = this.options.configuration;
    const seconds = Math.max(0, Math.min(lifetimeSeconds ?? linkSeconds, linkSeconds));
    const scope = this.linkScope(target);
    if (!scope) throw tokenInvalid();
    const { monoUs, wallUnixMs } = this.keeper.moments.now();
    const ms = Math.floor(seconds * 1000);
    const token = signLinkText(scope, Math.floor(monoUs / 1000) + ms);
    return { token, validUntilUnixMs: Math.floor(wallUnixMs) + ms };
  }

  /** Whether the link opens the target now. */
  verifyLink(target: string, token: string): boolean {
    const scope = this.linkScope(target);
    return scope !== undefined && isLinkText(scope, token, this.keeper.moments.now().monoUs / 1000);
  }

  /** Tells of sessions that ended, for whatever reason, within about a second; at once for what this process did. */
  onSessionsEnded(listener: (sids: readonly string[]) => void): void {
    this.keeper.onSessionsEnded(listener);
  }

  /** Stops looking and closes the database; sessions live on. Never rejects. */
  close(): Promise<void> {
    return this.keeper.close();
  }

  private async compare(
    user: UserRecord | undefined,
    isUser: boolean,
    candidates: readonly { readonly password: string }[],
    from: Caller,
  ): Promise<number> {
    const { hasher, throttle } = this.options;
    const phc = isUser ? user?.passwordHash : undefined;
    const passwords = candidates.map(({ password }) => password);
    try {
      return await hasher.verify(phc, passwords, user?.passwordHash);
    } catch (error) {
      // Nothing was looked at, so nothing was guessed.
      throttle.withdrawn(from.remoteAddress);
      throw error;
    }
  }

  /** The hash anew when the configured cost is another; undefined when it need not be, or cannot be just now. */
  private async rehash({ passwordHash }: UserRecord, password: string): Promise<string | undefined> {
    const { hasher } = this.options;
    return hasher.needsRehash(passwordHash) ? hasher.hash(password).catch(() => undefined) : undefined;
  }

  private async openSession(
    user: UserRecord,
    label: string,
    rehash: string | undefined,
    from: Caller,
  ): Promise<{ token: string; validUntilUnixMs: number }> {
    const { audit, configuration, clock } = this.options;
    const sid = randomBytes(16).toString('base64url');
    const token = await this.keeper.tokens.sign(sid, clock.wallUnixMs());
    const { pushedOut, until } = await this.keeper.change(data => {
      // The password may have been reset while it was compared.
      if (data.user?.passwordGeneration !== user.passwordGeneration) throw credentialsInvalid();
      if (rehash !== undefined && data.user.passwordHash === user.passwordHash)
        data.user.passwordHash = rehash;
      const now = this.keeper.moments.now();
      const leaving = makeRoom(data.sessions, configuration.maxSessions, now);
      const record = newSession({ sid, label, order: data.meta.nextOrder++ }, now, configuration);
      data.sessions.set(sid, record);
      return { pushedOut: leaving, until: validUntilUnixMs(record, now) };
    });
    audit.record('login', from, { session: sid, label });
    for (const session of pushedOut)
      audit.record('session-pushed-out', from, { session: session.sid, label: session.label });
    return { token, validUntilUnixMs: until };
  }

  private admit(retryAfterSeconds: number, from: Caller): void {
    if (retryAfterSeconds === 0) return;
    this.options.audit.record('login-throttled', from);
    throw new CameraError('login-throttled', 'too many failed attempts', { retryAfterSeconds });
  }

  private linkScope(target: string): LinkScope | undefined {
    const user = this.keeper.look()?.user;
    if (!user) return undefined;
    const { passwordGeneration } = user;
    return { key: this.keeper.linkKey, boot: this.keeper.moments.boot, passwordGeneration, target };
  }
}

function sessionOf(record: SessionRecord, now: Moment): Session {
  const { sid, label } = record;
  return { sid, label, validUntilUnixMs: validUntilUnixMs(record, now) };
}

function newGeneration(): string {
  return randomBytes(12).toString('base64url');
}

/** Whether both texts are the same, in a time that does not tell where they differ. */
function isSameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function tokenInvalid(): CameraError {
  return new CameraError('token-invalid', 'the session has ended');
}

function setupTokenInvalid(): CameraError {
  return new CameraError('setup-token-invalid', 'the setup token is missing, wrong or spent');
}

function credentialsInvalid(): CameraError {
  return new CameraError('credentials-invalid', 'user name or password is wrong');
}
