/** Accounts in a folder of their own, with real hashes (cheap ones), real LMDB, and a clock that the test moves. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Accounts, type AccountsOptions } from '../../src/auth/accounts.ts';
import type { AuditEvent, AuditLog, Caller } from '../../src/auth/audit-log.ts';
import { LoginThrottle } from '../../src/auth/login-throttle.ts';
import { PooledPasswordHasher } from '../../src/auth/password-hasher.ts';
import type { CameraError, ErrorCode } from '../../src/base/errors.ts';
import type { AccountsConfiguration } from '../../src/config/configuration.ts';
import { workerEntry } from '../../src/supervisor/worker-entry.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { cheapCost, DirectTasks } from './direct-tasks.ts';

export const scanEntry = workerEntry('scan-database');
export const caller: Caller = { remoteAddress: '192.0.2.1', requestId: 'request-1' };
export const owner = { email: 'Owner@Camera.example', password: 'a good long one' } as const;

export const shortLives: AccountsConfiguration = {
  sessionSeconds: 43_200,
  sessionMaxSeconds: 2_592_000,
  maxSessions: 8,
  passwordLengthMin: 5,
  ...cheapCost,
  freeLoginFailures: 5,
  loginFailuresPerMinute: 60,
  setupTriesPerMinute: 5,
  linkSeconds: 3600,
};

/** The camera's accounts over all their lives; each life of the process is one {@link Bench.open}. */
export class Bench {
  readonly folder: string;
  readonly clock: ManualClock;
  readonly events: { event: AuditEvent; fields: Record<string, unknown> }[] = [];
  readonly lines: string[] = [];
  readonly ended: string[] = [];
  readonly tasks = new DirectTasks();
  readonly audit = {
    record: (event: AuditEvent, _caller?: Caller, fields: Record<string, unknown> = {}) => {
      this.events.push({ event, fields });
    },
  } as unknown as AuditLog;
  readonly logger: Logger;
  boot = 'first boot';
  /** The life that runs. */
  accounts!: Accounts;

  /** A folder of its own, and a clock that stands still, unless it is to share another's. */
  constructor({ folder, clock }: { folder?: string; clock?: ManualClock } = {}) {
    this.folder = folder ?? mkdtempSync(path.join(tmpdir(), 'accounts-'));
    this.clock = clock ?? new ManualClock();
    const line = (message: string): void => void this.lines.push(message);
    this.logger = { debug: line, info: line, warn: line, error: line };
  }

  static async factory(configuration: Partial<AccountsConfiguration> = {}): Promise<Bench> {
    const bench = new Bench();
    await bench.open(configuration);
    return bench;
  }

  static async claimed(configuration: Partial<AccountsConfiguration> = {}): Promise<Bench> {
    const bench = await Bench.factory(configuration);
    await bench.accounts.createUser(bench.accounts.setupToken!, owner, caller);
    return bench;
  }

  async open(configuration: Partial<AccountsConfiguration> = {}, options: Partial<AccountsOptions> = {}) {
    const { folder, clock, logger, audit, boot } = this;
    const all = { ...shortLives, ...configuration };
    this.accounts = await Accounts.open({
      folder,
      clock,
      logger,
      audit,
      boot,
      scanEntry,
      lookEveryMs: 10,
      hasher: new PooledPasswordHasher(this.tasks, all),
      throttle: new LoginThrottle({ clock, configuration: all }),
      configuration: all,
      ...options,
    });
    this.accounts.onSessionsEnded(sids => this.ended.push(...sids));
  }

  /** Ends the process' life and begins the next one. */
  async restart(configuration: Partial<AccountsConfiguration> = {}): Promise<void> {
    await this.accounts.close();
    await this.open(configuration);
  }

  /** A restart of the machine: another boot id, monotonic time from nearly zero. */
  async reboot(wallUnixMs: number, configuration: Partial<AccountsConfiguration> = {}): Promise<void> {
    await this.accounts.close();
    this.boot = `${this.boot}, again`;
    this.clock.nowMonoUs = 5_000_000;
    this.clock.nowWallUnixMs = wallUnixMs;
    await this.open(configuration);
  }

  /** Moves real time: both clocks. */
  passSeconds(seconds: number): void {
    this.clock.advanceUs(seconds * 1e6);
  }

  logIn(email: string = owner.email, password: string = owner.password) {
    return this.accounts.logIn(basic(email, password), caller);
  }

  /** The session of a token that must be good. */
  async session(token: string) {
    const session = await this.accounts.authenticate(token);
    if (!session) throw new Error('the token is not good');
    return session;
  }

  async isGood(token: string): Promise<boolean> {
    return (await this.accounts.authenticate(token)) !== undefined;
  }

  /** The moment that the database has noted last. */
  notedMonoUs(): number | undefined {
    // biome-ignore lint/complexity/useLiteralKeys: TypeScript lets a test look at what is private in this form alone.
    return this.accounts['keeper'].look()?.meta.seen.monoUs;
  }

  options() {
    const { folder, clock, logger, audit } = this;
    const hasher = new PooledPasswordHasher(this.tasks, shortLives);
    return { folder, clock, logger, audit, scanEntry, hasher, passwordLengthMin: 5 };
  }

  /** For `after`: closes and removes everything. */
  async remove(): Promise<void> {
    await this.accounts.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The clocks of the machine, for a bench that shares a database with another process. */
export function runningClock(): ManualClock {
  const { monoUs, wallUnixMs } = systemClock;
  return Object.assign(new ManualClock(), { monoUs, wallUnixMs });
}

export function basic(email: string, password: string): string {
  return `Basic ${Buffer.from(`${email}:${password}`).toString('base64')}`;
}

/** For assert.rejects and assert.throws: a CameraError of this code. */
export function withCode(code: ErrorCode): (error: unknown) => boolean {
  return error => (error as CameraError).code === code;
}

/** Resolves when the check holds; the test's own time limit ends the wait. */
export async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise(resolve => setTimeout(resolve, 5));
}
