/**
 * The user, the sessions and the audit log as a part of the camera: opened before everything else starts, closed after
 * everything that asks them has stopped. Main thread.
 */
import path from 'node:path';
import { Accounts } from '../auth/accounts.ts';
import { auditFileName } from '../auth/audit-file.ts';
import { AuditLog } from '../auth/audit-log.ts';
import { LoginThrottle } from '../auth/login-throttle.ts';
import { hashMsMax, PooledPasswordHasher } from '../auth/password-hasher.ts';
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import type { Configuration } from '../config/configuration.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import type { Part } from './supervisor.ts';
import type { TaskPool } from './task-pool.ts';
import { workerEntry } from './worker-entry.ts';

/** See the head of the file. */
export class UsersPart implements Part {
  readonly name = 'users';
  readonly accounts: Accounts;
  readonly audit: AuditLog;
  private readonly hasher: PooledPasswordHasher;
  private readonly logger: Logger;

  private constructor(accounts: Accounts, audit: AuditLog, hasher: PooledPasswordHasher, logger: Logger) {
    this.accounts = accounts;
    this.audit = audit;
    this.hasher = hasher;
    this.logger = logger;
  }

  static async open(
    { state, accounts: configuration }: Configuration,
    tasks: TaskPool,
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  ): Promise<UsersPart> {
    const folder = path.resolve(state);
    const audit = new AuditLog({ file: path.join(folder, auditFileName), clock, logger });
    const hasher = new PooledPasswordHasher(tasks, configuration);
    const throttle = new LoginThrottle({ clock, configuration });
    const accounts = await Accounts.open({
      folder,
      scanEntry: workerEntry('scan-database'),
      clock,
      logger,
      hasher,
      throttle,
      audit,
      configuration,
    });
    return new UsersPart(accounts, audit, hasher, logger);
  }

  async start(): Promise<void> {}

  async stop(): Promise<boolean> {
    await this.accounts.close();
    await this.audit.close();
    return true;
  }

  /** Tells the owner of a slow board that a log-in will take long, and what helps. */
  async measureHash(): Promise<void> {
    try {
      const hashMs = Math.round(await this.hasher.measure());
      const advice = 'a cheaper hash: --accounts-argon2-memory-kib 7168 --accounts-argon2-iterations 5';
      if (hashMs > hashMsMax)
        this.logger.warn('checking a password takes long on this machine', { hashMs, advice });
      else this.logger.debug('time of one password hash', { hashMs });
    } catch (error) {
      // The camera stops; or a thread died, which the pool tells itself.
      if (error instanceof CameraError && error.code === 'worker-unavailable') return;
      this.logger.warn('the time of a password hash could not be measured', errorFields(error));
    }
  }
}
