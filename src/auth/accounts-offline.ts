/**
 * What the command line does to the accounts, with the camera running or not: new password, new keys, factory reset.
 *
 * Each ends in one transaction of a database that several processes may share; a running camera sees it with the next
 * request, and within a second tells those whose sessions ended. Files come before the transaction, so that whoever sees
 * it finds them: new keys that nobody confirms end all sessions at the next start, which is the safe side. A factory
 * reset also works on a damaged database, which is put aside. The process needs the rights of the camera's user.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import { databaseExists, removeSetAside, setAsideDatabase } from '../store/create.ts';
import type { Logger } from '../telemetry/log.ts';
import type { AccountsData } from './accounts-data.ts';
import { AccountsDatabase, accountsFolder } from './accounts-database.ts';
import type { AuditLog } from './audit-log.ts';
import { type Keys, replaceKeys } from './key-file.ts';
import { MomentClock } from './moment.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { acceptablePassword } from './password-rules.ts';
import { makeSetupToken, setupTokenHash, writeSetupToken } from './setup-token.ts';
import { shownUser, type User } from './user-record.ts';

export interface OfflineOptions {
  /** The state folder. */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly audit: AuditLog;
  /** Entry of the process that reads the database first: workers/scan-database. */
  readonly scanEntry: URL;
}

/**
 * Replaces both keys and ends every session and every signed link. Resolves to the number of sessions. Rejects with
 * `accounts-damaged` (also when there is no database) or `state-failed`.
 */
export async function rotateKeys(options: OfflineOptions): Promise<number> {
  return withDatabase(options, async database => {
    const keys = replaceKeys(options.folder);
    const sessions = await database.change(data => {
      const { size } = data.sessions;
      data.sessions.clear();
      noteKeys(data.meta, keys);
      return size;
    });
    options.audit.record('keys-rotated', undefined, { reason: 'command line', sessions });
    return sessions;
  });
}

/**
 * Gives the user a new password and ends every session and every signed link. Rejects with `usage-invalid` when there is
 * no user, `password-unacceptable`, `accounts-damaged`, `state-failed`.
 */
export async function resetPasswordOffline(
  options: OfflineOptions & { readonly hasher: PasswordHasher; readonly passwordLengthMin: number },
  password: string,
): Promise<User> {
  const { hasher, passwordLengthMin: lengthMin, audit } = options;
  return withDatabase(options, async database => {
    const before = database.data().user;
    if (!before) throw noUser();
    const passwordHash = await hasher.hash(acceptablePassword(password, { email: before.email, lengthMin }));
    const user = await database.change(data => {
      if (!data.user) throw noUser();
      data.user.passwordHash = passwordHash;
      data.user.passwordGeneration = randomBytes(12).toString('base64url');
      data.sessions.clear();
      return shownUser(data.user);
    });
    audit.record('password-reset', undefined, { reason: 'command line' });
    return user;
  });
}

/**
 * Removes the user, all sessions and all settings and makes new keys; the audit log stays. Resolves to the new setup
 * token. Rejects with `state-failed`.
 *
 * What was deleted is written over: whoever gets the camera next must not find a password hash in the file. A damaged
 * database that is put aside keeps all it had, until the next reset.
 */
export async function factoryReset(options: OfflineOptions): Promise<string> {
  const { folder, audit } = options;
  const setupToken = makeSetupToken();
  const isDamaged = await isUnusable(options);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeSetupToken(folder, setupToken);
  const keys = replaceKeys(folder);
  const prepare = (data: AccountsData): void => {
    data.user = undefined;
    data.meta.isClaimed = false;
    data.setupHash = setupTokenHash(setupToken);
    data.iceServers = [];
    data.sessions.clear();
    noteKeys(data.meta, keys);
  };
  if (isDamaged) {
    if (databaseExists(accountsFolder(folder))) setAsideDatabase(accountsFolder(folder));
    await AccountsDatabase.create(folder, new MomentClock(options.clock), prepare);
  } else {
    await withDatabase(options, async database => {
      await database.change(prepare);
      await database.scrub();
    });
    // An earlier, damaged one has the same secrets.
    removeSetAside(accountsFolder(folder));
  }
  audit.record('factory-reset', undefined, { reason: 'command line' });
  return setupToken;
}

/** Whether there is no database that could be changed, for want of one or because it is damaged. */
async function isUnusable(options: OfflineOptions): Promise<boolean> {
  try {
    await withDatabase(options, async () => undefined);
    return false;
  } catch (error) {
    if (!(error instanceof CameraError && error.code === 'accounts-damaged')) throw error;
    if (databaseExists(accountsFolder(options.folder)))
      options.logger.warn('the damaged user database is put aside', { reason: error.message });
    return true;
  }
}

async function withDatabase<T>(
  { folder, clock, scanEntry }: OfflineOptions,
  act: (database: AccountsDatabase) => Promise<T>,
): Promise<T> {
  const database = await AccountsDatabase.open({
    folder,
    clock: new MomentClock(clock),
    scanEntry,
    mayCreate: false,
  });
  try {
    return await act(database);
  } finally {
    await database.close();
  }
}

function noteKeys(meta: { tokenKeyId: string; linkKeyId: string }, { token, link }: Keys): void {
  meta.tokenKeyId = token.id;
  meta.linkKeyId = link.id;
}

function noUser(): CameraError {
  return new CameraError('usage-invalid', 'the camera has no user yet; create one with the setup token');
}
