/**
 * Everything the account database holds, as one value, and its way from and to the records of store/.
 *
 * `meta` (always), `user` (from the first user on), `setup` (before), `settings`, and one `session/SID` for each session.
 * Reading is strict: a record that is missing, of another form, or at odds with another means a damaged database, and that
 * lets nobody in. So `meta` says whether there is a user: one that vanished does not make the camera a new one. Pure.
 */
import { CameraError } from '../base/errors.ts';
import type { Records } from '../store/database.ts';
import type { Moment } from './moment.ts';
import type { SessionRecord } from './session-record.ts';
import type { UserRecord } from './user-record.ts';

/** Key of the record that every change changes. */
export const metaKey = 'meta';

const userKey = 'user';
const setupKey = 'setup';
const settingsKey = 'settings';
const sessionPrefix = 'session/';

export interface AccountsMeta {
  /** Rises with every change, whichever process makes it. */
  revision: number;
  isClaimed: boolean;
  /** Ids of the keys under which the sessions and links were made; '' before the first. */
  tokenKeyId: string;
  linkKeyId: string;
  /** Order of the next session. */
  nextOrder: number;
  /** When the database was last written; the times of all sessions are of its boot. */
  seen: Moment;
}

/** All of it; whoever changes it owns it. */
export interface AccountsData {
  meta: AccountsMeta;
  user: UserRecord | undefined;
  /** SHA-256 of the setup token, in hexadecimal, while there is no user. */
  setupHash: string | undefined;
  iceServers: readonly string[];
  sessions: Map<string, SessionRecord>;
}

/** The content of a database that was just made. */
export function newAccountsData(now: Moment): AccountsData {
  return {
    meta: { revision: 0, isClaimed: false, tokenKeyId: '', linkKeyId: '', nextOrder: 0, seen: now },
    user: undefined,
    setupHash: undefined,
    iceServers: [],
    sessions: new Map(),
  };
}

/** Reads all records. Throws `accounts-damaged`. */
export function readAccounts(records: Records): AccountsData {
  const meta = shaped<AccountsMeta>(records, metaKey, {
    revision: isWhole,
    isClaimed: value => typeof value === 'boolean',
    tokenKeyId: isText,
    linkKeyId: isText,
    nextOrder: isWhole,
    seen: isMoment,
  });
  const data: AccountsData = {
    meta,
    user: records.has(userKey) ? shaped<UserRecord>(records, userKey, userShape) : undefined,
    setupHash: records.has(setupKey)
      ? shaped<{ hash: string }>(records, setupKey, { hash: isHash }).hash
      : undefined,
    iceServers: shaped<{ iceServers: string[] }>(records, settingsKey, { iceServers: isTextList }).iceServers,
    sessions: new Map(),
  };
  for (const key of records.keys()) {
    if (!key.startsWith(sessionPrefix)) continue;
    const session = shaped<SessionRecord>(records, key, sessionShape);
    if (key !== sessionPrefix + session.sid) throw damaged(key);
    data.sessions.set(session.sid, session);
  }
  if (meta.isClaimed !== (data.user !== undefined)) throw damaged(userKey);
  if (meta.isClaimed && data.setupHash !== undefined) throw damaged(setupKey);
  if (!meta.isClaimed && data.sessions.size > 0) throw damaged(sessionPrefix);
  return data;
}

/** Sets the records to exactly this. */
export function writeAccounts(data: AccountsData, records: Records): void {
  records.clear();
  records.set(metaKey, data.meta);
  records.set(settingsKey, { iceServers: data.iceServers });
  if (data.user) records.set(userKey, data.user);
  if (data.setupHash !== undefined) records.set(setupKey, { hash: data.setupHash });
  for (const session of data.sessions.values()) records.set(sessionPrefix + session.sid, session);
}

type Check = (value: unknown) => boolean;
type Shape<T> = { readonly [Name in keyof T]-?: Check };

const isText: Check = value => typeof value === 'string';
const isWhole: Check = value => Number.isSafeInteger(value) && (value as number) >= 0;
const isTime: Check = value => typeof value === 'number' && Number.isFinite(value);
const isTimeOrNull: Check = value => value === null || isTime(value);
const isHash: Check = value => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isTextList: Check = value => Array.isArray(value) && value.every(isText);
const isMoment: Check = value =>
  isObject(value) && isText(value.boot) && isTime(value.monoUs) && isTime(value.wallUnixMs);

const userShape: Shape<UserRecord> = {
  id: isWhole,
  firstName: isText,
  lastName: isText,
  email: isText,
  phone: isText,
  passwordHash: value => isText(value) && value !== '',
  passwordGeneration: value => isText(value) && value !== '',
};

const sessionShape: Shape<SessionRecord> = {
  sid: isText,
  label: isText,
  order: isWhole,
  endsMonoUs: isTime,
  lastEndsMonoUs: isTime,
  endsUnixMs: isTimeOrNull,
  lastEndsUnixMs: isTimeOrNull,
};

function shaped<T>(records: Records, key: string, shape: Shape<T>): T {
  const content = records.get(key);
  if (!isObject(content)) throw damaged(key);
  for (const [name, check] of Object.entries<Check>(shape)) if (!check(content[name])) throw damaged(key);
  return content as T;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function damaged(key: string): CameraError {
  return new CameraError('accounts-damaged', `the record ${key} of the user database is damaged or missing`);
}
