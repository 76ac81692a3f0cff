// Runs the tests: `npm test [-- part-of-a-path …]`. Node 20's --test takes no glob, so the files are listed here.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
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
const register = new URL('./register.mjs', import.meta.url).href;
const { status } = spawnSync(
  process.execPath,
  ['--import', register, '--test', '--test-timeout=120000', ...files],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
