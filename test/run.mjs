// Runs the tests: `npm test [-- part-of-a-path …]`. Node 20's --test takes no glob, so the files are listed here.
// The daemon is bundled once for all of them (support/command-line.ts); OPENCAMERAD_TEST_SOURCES=1 runs it from its sources.
// OPENCAMERAD_TEST_RETRY=1 gives a few files that failed a second chance, alone, and says so.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildWeb } from '../scripts/build-web.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);
const parts = process.argv.slice(2).filter(argument => !argument.startsWith('-'));
const files = readdirSync(here, { recursive: true })
  .filter(name => name.endsWith('.test.ts'))
  .filter(name => parts.length === 0 || parts.some(part => name.includes(part)))
  .sort()
  .map(name => path.join(here, name));
if (files.length === 0) {
  console.error(`no test file matches ${parts.join(', ')}`);
  process.exit(1);
}

/** Most files wait (for a camera, a time limit, a browser) as long as they compute; more than two make each other late. */
const filesAtOnce = 2;
/** More failures than these are no matter of luck. */
const retriedFilesMax = 3;
/** A folder of this run alone, within the package, so that the bundle finds its packages and assets. */
const bundle = path.join('.test-build', String(process.pid));
const startsCamera = files.some(file =>
  /support\/(daemon|command-line|recorded)/.test(readFileSync(file, 'utf8')),
);
const environment = { ...process.env };
delete environment.OPENCAMERAD_TEST_CLI;
process.once('exit', () => rmSync(path.join(root, bundle), { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

if (startsCamera && process.env.OPENCAMERAD_TEST_SOURCES !== '1') {
  const tsup = path.join(root, 'node_modules/tsup/dist/cli-default.js');
  const { status } = spawnSync(process.execPath, [tsup, '--silent', '--out-dir', bundle], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
  environment.OPENCAMERAD_TEST_CLI = path.join(root, bundle, 'cli.js');
}

// Beside the bundle, which finds it there; cameras within a test's own process are told.
environment.OPENCAMERAD_TEST_WEB = path.join(root, bundle, 'web');
await buildWeb(environment.OPENCAMERAD_TEST_WEB);

/** Runs the files; returns the exit status, and which of them failed, as far as they are known. */
function runFiles(names, atOnce) {
  const failedList = path.join(root, `${bundle}-failed`);
  const { status } = spawnSync(
    process.execPath,
    [
      '--import',
      new URL('./register.mjs', import.meta.url).href,
      '--test',
      '--test-timeout=240000',
      `--test-concurrency=${atOnce}`,
      `--test-reporter=${new URL('./reporter.mjs', import.meta.url).href}`,
      '--test-reporter-destination=stdout',
      ...names,
    ],
    { stdio: 'inherit', env: { ...environment, OPENCAMERAD_TEST_FAILED_FILES: failedList } },
  );
  let failed = [];
  try {
    failed = readFileSync(failedList, 'utf8').split('\n').filter(Boolean);
  } catch {
    // The run ended before its report.
  }
  rmSync(failedList, { force: true });
  return { status: status ?? 1, failed };
}

mkdirSync(path.join(root, '.test-build'), { recursive: true });
const first = runFiles(files, filesAtOnce);
// For CI, on machines whose speed is not ours: what failed beside others may be late, not wrong. It must pass alone, and is
// named as unsteady, to be mended; a file that is wrong fails again.
if (first.status === 0 || process.env.OPENCAMERAD_TEST_RETRY !== '1') process.exit(first.status);
if (first.failed.length === 0 || first.failed.length > retriedFilesMax) process.exit(first.status);
console.log(`\nonce more, alone: ${first.failed.join(', ')}`);
const second = runFiles(first.failed, 1);
if (second.status === 0)
  console.log(`UNSTEADY ${first.failed.join(', ')}: failed beside others, passed alone`);
process.exit(second.status);
