/**
 * `user reset-password`, `token rotate-key` and `factory-reset`: what only who holds the device may do.
 *
 * They work beside a running camera, which follows within a second, and need the rights of its user. Each says what it
 * did, and what that means for those who were logged in.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  factoryReset,
  type OfflineOptions,
  resetPasswordOffline,
  rotateKeys,
} from '../auth/accounts-offline.ts';
import { auditFileName } from '../auth/audit-file.ts';
import { AuditLog } from '../auth/audit-log.ts';
import { PooledPasswordHasher } from '../auth/password-hasher.ts';
import { CameraError } from '../base/errors.ts';
import type { Configuration } from '../config/configuration.ts';
import { TaskPool } from '../supervisor/task-pool.ts';
import { workerEntry } from '../supervisor/worker-entry.ts';
import type { Logger } from '../telemetry/log.ts';
import { systemClock } from '../telemetry/system-clock.ts';
import { askNewPassword, askYes } from './prompt.ts';

/** Milliseconds for a hash under way to end. */
const stopMs = 2000;

/** What a command is given. */
export interface AccountsCommand {
  readonly configuration: Configuration;
  readonly logger: Logger;
  /** Whether questions are answered with yes. */
  readonly yes: boolean;
  /** Writes results for people. */
  readonly write: (text: string) => void;
}

export async function resetPasswordCommand(command: AccountsCommand): Promise<void> {
  const { configuration, logger, write } = command;
  const password = await askNewPassword();
  await withAccounts(command, async options => {
    const tasks = new TaskPool({ logger });
    try {
      const hasher = new PooledPasswordHasher(tasks, configuration.accounts);
      const { passwordLengthMin } = configuration.accounts;
      const { email } = await resetPasswordOffline({ ...options, hasher, passwordLengthMin }, password);
      write(`The password of ${email} is changed. Every log-in and every link has ended.\n`);
    } finally {
      await tasks.stop(stopMs);
    }
  });
}

export async function rotateKeysCommand(command: AccountsCommand): Promise<void> {
  await withAccounts(command, async options => {
    const sessions = await rotateKeys(options);
    command.write(
      `The keys are new. ${sessions} log-in${sessions === 1 ? '' : 's'} and every link have ended.\n`,
    );
  });
}

export async function factoryResetCommand(command: AccountsCommand): Promise<void> {
  const folder = path.resolve(command.configuration.state);
  // A folder that was mistyped must not look like a reset: the true camera would keep its user.
  if (!['device-uuid', 'accounts'].some(name => existsSync(path.join(folder, name))))
    throw new CameraError('state-failed', `there is no camera in ${folder}; name its folder by --state`);
  const question =
    `This removes the user, every log-in and the settings made by the API in ${folder}.\n` +
    'Recordings and the configuration file stay.';
  if (!command.yes && !(await askYes(question)))
    throw new CameraError('usage-invalid', 'nothing was changed; type yes on a terminal, or give --yes');
  await withAccounts(command, async options => {
    const setupToken = await factoryReset(options);
    command.write(`The camera in ${folder} is as new. Setup token: ${setupToken}\n`);
  });
}

async function withAccounts(
  { configuration, logger }: AccountsCommand,
  work: (options: OfflineOptions) => Promise<void>,
): Promise<void> {
  const folder = path.resolve(configuration.state);
  const audit = new AuditLog({ file: path.join(folder, auditFileName), clock: systemClock, logger });
  try {
    await work({ folder, clock: systemClock, logger, audit, scanEntry: workerEntry('scan-database') });
  } finally {
    await audit.close();
  }
}
