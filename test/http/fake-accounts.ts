/** Accounts in memory, without hashes and files: one user, sessions that are there until they are ended. */
import { Buffer } from 'node:buffer';
import type { NewUser, User } from '../../src/auth/accounts.ts';
import type { Session } from '../../src/auth/session.ts';
import { CameraError } from '../../src/base/errors.ts';
import type { AccountsService } from '../../src/http/services.ts';
import type { ManualClock } from '../support/manual-clock.ts';

/** The token of the session that is there from the start, and what opens POST /user. */
export const token = 'T0KEN-of-the-test';
export const setupToken = 'SETUPT0KEN';

export const owner = {
  id: 10,
  firstName: 'John',
  lastName: 'James',
  email: 'john@email.com',
  password: '12345',
  phone: '12345',
};

const sessionMs = 12 * 3600 * 1000;

export class FakeAccounts implements AccountsService {
  /** Thrown by every operation when it is set. */
  failure: unknown;
  user: (User & { password: string }) | undefined;
  ice: readonly string[] = [];
  readonly bySessionToken = new Map<string, Session>();
  private readonly clock: ManualClock;
  private readonly listeners: ((sids: readonly string[]) => void)[] = [];

  constructor(clock: ManualClock) {
    this.clock = clock;
    this.restore();
  }

  /** Back to how it was made; nobody is told. */
  restore(): void {
    this.failure = undefined;
    this.user = { ...owner };
    this.ice = [];
    this.bySessionToken.clear();
    this.open(token, 'session-of-the-test');
  }

  /** A new session with this token. */
  open(sessionToken: string, sid: string): Session {
    const session = { sid, label: '', validUntilUnixMs: this.clock.wallUnixMs() + sessionMs };
    this.bySessionToken.set(sessionToken, session);
    return session;
  }

  /** Ends a session as log-out, expiry or another process would. */
  end(sid: string): void {
    for (const [key, session] of this.bySessionToken)
      if (session.sid === sid) this.bySessionToken.delete(key);
    for (const listener of this.listeners) listener([sid]);
  }

  get state(): AccountsService['state'] {
    this.mayFail();
    return this.user ? 'claimed' : 'factory';
  }

  async authenticate(given: string): Promise<Session | undefined> {
    this.mayFail();
    return this.bySessionToken.get(given);
  }

  async admitSetup(given: string): Promise<string> {
    this.mayFail();
    if (this.bySessionToken.has(given)) throw new CameraError('user-exists', 'there is a user');
    if (this.user || given !== setupToken)
      throw new CameraError('setup-token-invalid', 'not the setup token');
    return '';
  }

  async createUser(given: string, user: NewUser): Promise<User> {
    await this.admitSetup(given);
    const { password, ...rest } = user;
    const shown = { id: 1, firstName: '', lastName: '', phone: '', ...rest };
    this.user = { ...shown, password };
    return shown;
  }

  async logIn(authorization: string | undefined): Promise<{ token: string; validUntilUnixMs: number }> {
    this.mayFail();
    if (authorization === undefined) throw new CameraError('credentials-missing', 'no credentials');
    const given = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString();
    if (!this.user || given !== `${this.user.email}:${this.user.password}`)
      throw new CameraError('credentials-invalid', 'wrong');
    const opened = `token-${this.bySessionToken.size}`;
    return { token: opened, validUntilUnixMs: this.open(opened, opened).validUntilUnixMs };
  }

  async refresh(session: Session): Promise<number> {
    this.mayFail();
    return session.validUntilUnixMs;
  }

  async logOut(session: Session): Promise<void> {
    this.mayFail();
    this.end(session.sid);
  }

  async resetPassword(session: Session, password: string): Promise<User> {
    this.mayFail();
    for (const { sid } of this.bySessionToken.values()) if (sid !== session.sid) this.end(sid);
    const { password: _, ...shown } = this.user!;
    this.user = { ...shown, password };
    return shown;
  }

  sessions(): readonly Session[] {
    this.mayFail();
    return [...this.bySessionToken.values()].reverse();
  }

  async endSession(sid: string): Promise<boolean> {
    this.mayFail();
    const isThere = this.sessions().some(session => session.sid === sid);
    this.end(sid);
    return isThere;
  }

  iceServers(): readonly string[] {
    this.mayFail();
    return this.ice;
  }

  async setIceServers(list: readonly string[]): Promise<void> {
    this.mayFail();
    this.ice = [...list];
  }

  signLink(target: string): { token: string; validUntilUnixMs: number } {
    this.mayFail();
    const signed = Buffer.from(target).toString('base64url');
    return { token: signed, validUntilUnixMs: this.clock.wallUnixMs() + 3_600_000 };
  }

  verifyLink(target: string, given: string): boolean {
    this.mayFail();
    return given === Buffer.from(target).toString('base64url');
  }

  onSessionsEnded(listener: (sids: readonly string[]) => void): void {
    this.listeners.push(listener);
  }

  private mayFail(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}
