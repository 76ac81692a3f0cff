/** A launcher as a process of its own: `launcher-process.ts FOLDER OWN_ENTRY TRIAL_LIMIT_MS ARGV…`. */
import { launch } from '../../src/commands/launch.ts';

const [folder, ownEntry, limit, ...argv] = process.argv.slice(2);
process.exitCode = await launch({
  folder: folder!,
  trialLimitMs: Number(limit),
  argv,
  ownEntry: ownEntry!,
  factoryVersion: '0.9.0',
  variables: { slot: 'OPENCAMERAD_BOOT_SLOT', factoryVersion: 'OPENCAMERAD_FACTORY_VERSION' },
  say: text => process.stderr.write(`${text}\n`),
}).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  return 1;
});
