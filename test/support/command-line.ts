/**
 * How tests start the command line: as it ships where `npm test` has built it, else from its sources.
 *
 * test/run.mjs bundles the daemon once a run, as `npm run build` does, and names the bundle in OPENCAMERAD_TEST_CLI. A camera then
 * starts in a third of the CPU time that the sources need, and what is tested is what is installed. Without the variable (one
 * file run by hand, or coverage) the sources run.
 */
import { fileURLToPath } from 'node:url';

const built = process.env.OPENCAMERAD_TEST_CLI;

/** Arguments of node before the command's own words. */
export const commandLine: readonly string[] =
  built === undefined || built === ''
    ? ['--import', fileOf('../register.mjs'), fileOf('../../src/cli.ts')]
    : [built];

function fileOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
