/**
 * Brings database, keys and setup token into agreement: at the start, and after another process changed them.
 *
 * Sessions belong to the key that signed their tokens; the database remembers which that was, so that a key that is new
 * for whatever reason (lost, not safe any more, rotated by a command that was cut off) ends them all. At factory state
 * there is always a setup token whose hash the database holds; what does not fit is made anew, and once there is a user
 * no token is left lying about. Main thread.
 */
import { errorFields, type Logger } from '../telemetry/log.ts';
import type { AccountsData } from './accounts-data.ts';
import { AccountsDatabase, type AccountsDatabaseOptions } from './accounts-database.ts';
import type { AuditLog } from './audit-log.ts';
import { type Keys, openKeys } from './key-file.ts';
import { isSameBoot } from './moment.ts';
import {
  isSetupToken,
  makeSetupToken,
  readSetupToken,
  removeSetupToken,
  setupTokenHash,
  writeSetupToken,
} from './setup-token.ts';

export interface AccountsOpening extends AccountsDatabaseOptions {
  readonly logger: Logger;
  readonly audit: AuditLog;
}

/** What is needed to serve. */
export interface OpenAccounts {
  readonly database: AccountsDatabase;
  readonly keys: Keys;
}

/** Opens the database and the keys. Rejects with `accounts-damaged` or `state-failed`. */
export async function openAccounts(options: AccountsOpening): Promise<OpenAccounts> {
  const database = await AccountsDatabase.open(options);
  try {
    const keys = await agreeOnKeys(database, options);
    await agreeOnSetupToken(database, options);
    await agreeOnTime(database, options);
    return { database, keys };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** The keys of the folder, after what was made under others has ended. */
export async function agreeOnKeys(database: AccountsDatabase, options: AccountsOpening): Promise<Keys> {
  const { folder, logger, audit } = options;
  const keys = openKeys(folder);
  for (const repair of keys.repairs) logger.warn(`a key of the camera was not safe: ${repair}`);
  if (agrees(database.data(), keys)) return keys;
  const ended = await database.change(data => {
    const before = data.meta.tokenKeyId;
    const { size } = data.sessions;
    if (before !== keys.token.id) data.sessions.clear();
    data.meta.tokenKeyId = keys.token.id;
    data.meta.linkKeyId = keys.link.id;
    return before === '' || before === keys.token.id ? undefined : size;
  });
  if (ended !== undefined) {
    logger.warn('the key of the access tokens is new: everybody has to log in again', { sessions: ended });
    audit.record('keys-rotated', undefined, { reason: 'key file', sessions: ended });
  }
  return keys;
}

/** Whether the content was made under these keys. */
export function agrees({ meta }: AccountsData, keys: Keys): boolean {
  return meta.tokenKeyId === keys.token.id && meta.linkKeyId === keys.link.id;
}

/** Sees to it that there is a setup token while, and only while, there is no user. */
export async function agreeOnSetupToken(
  database: AccountsDatabase,
  { folder, logger }: AccountsOpening,
): Promise<void> {
  const { meta, setupHash } = database.data();
  if (meta.isClaimed) {
    // Left by a process that ended between the creation of the user and this.
    try {
      removeSetupToken(folder);
    } catch (error) {
      // It opens nothing any more.
      logger.warn('the spent setup token cannot be removed', errorFields(error));
    }
    return;
  }
  const found = readSetupToken(folder);
  if (found !== undefined && setupHash !== undefined && isSetupToken(found, setupHash)) return;
  // In a database that was just made a token that lies there is as good as a new one.
  const token = found !== undefined && setupHash === undefined ? found : makeSetupToken();
  if (setupHash !== undefined) logger.warn('the setup token was missing or damaged; there is a new one');
  writeSetupToken(folder, token);
  await database.change(data => {
    if (!data.meta.isClaimed) data.setupHash = setupTokenHash(token);
  });
}

/** Sessions of another start of the machine are taken over to this one; without room on the disk that waits. */
async function agreeOnTime(database: AccountsDatabase, { clock, logger }: AccountsOpening): Promise<void> {
  const { meta, sessions } = database.data();
  if (sessions.size === 0 || isSameBoot(meta.seen, clock.now())) return;
  await database
    .change(() => undefined)
    .catch(error => logger.warn('the state folder cannot be written', errorFields(error)));
}
