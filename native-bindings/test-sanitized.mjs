/**
 * `npm run test:sanitize`: builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer and runs test/native
 * with it. A finding ends the process, and with it the test.
 *
 * The sanitizer's library has to be loaded before all others, because node itself was built without it. Leaks are not
 * looked for: node frees little at its end, so its own would hide ours.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const failure = build({ isSanitized: true });
if (failure) {
  console.error(`native-bindings: ${failure}`);
  process.exit(1);
}
const compiler = process.env.CXX?.split(' ')[0] || 'g++';
const library = spawnSync(compiler, ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout.trim();
const files = readdirSync(join(root, 'test/native'))
  .filter(name => name.endsWith('.test.ts') && !name.startsWith('javascript'))
  .map(name => join(root, 'test/native', name));
const { status } = spawnSync(
  process.execPath,
  ['--import', './test/register.mjs', '--test', '--test-reporter=spec', '--test-concurrency=1', ...files],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      LD_PRELOAD: library,
      ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1',
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
      OPENCAMERAD_ADDON: join(root, 'native-bindings/build/Sanitize/opencamera.node'),
      OPENCAMERAD_REQUIRE_ALL: '1',
    },
  },
);
process.exit(status ?? 1);
