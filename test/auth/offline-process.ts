/** What the command line will do, as a process of its own beside the one of the test: `offline-process.ts WHAT FOLDER`. */
import { factoryReset, resetPasswordOffline, rotateKeys } from '../../src/auth/accounts-offline.ts';
import { AuditLog } from '../../src/auth/audit-log.ts';
import { PooledPasswordHasher } from '../../src/auth/password-hasher.ts';
import { systemClock as clock } from '../../src/telemetry/system-clock.ts';
import { scanEntry } from './accounts-fixture.ts';
import { cheapCost, DirectTasks } from './direct-tasks.ts';

const [, , what, folder] = process.argv as [string, string, string, string];
const ignore = (): void => {};
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const audit = new AuditLog({ file: `${folder}/audit.log`, clock, logger });
const options = { folder, clock, logger, audit, scanEntry };
const acts: Record<string, () => Promise<unknown>> = {
  'rotate-keys': () => rotateKeys(options),
  'reset-password': () => {
    const hasher = new PooledPasswordHasher(new DirectTasks(), cheapCost);
    return resetPasswordOffline({ ...options, hasher, passwordLengthMin: 5 }, 'from the command line');
  },
  'factory-reset': () => factoryReset(options),
};
console.log(JSON.stringify(await acts[what]!()));
await audit.close();
