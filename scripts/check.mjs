// `npm run check`: types, format and lint, promise rules, import rules, dead code, and whether the
// types of the API are those of its document. Two at a time; quiet when all is well.
import { spawn } from 'node:child_process';

const checks = {
  types: 'tsc --project .',
  'types of the page': 'tsc --project src/web && npx --no-install tsc --project test/web',
  style: 'biome check --error-on-warnings --diagnostic-level=warn',
  promises: 'eslint --max-warnings 0 src workers test bench',
  imports: 'depcruise --config .dependency-cruiser.cjs --output-type err src workers',
  'dead code': 'knip',
  'api types': 'node scripts/generate-api-types.mjs --check',
};

function run([name, command]) {
  return new Promise(resolve => {
    const startedMs = performance.now();
    const child = spawn(`npx --no-install ${command}`, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', chunk => (output += chunk));
    child.stderr.on('data', chunk => (output += chunk));
    child.on('close', status => {
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
      if (status !== 0) console.log(output.replace(/^npm warn.*\n/gm, ''));
      resolve(status === 0);
    });
  });
}

const wanted = process.argv.slice(2);
const queue = Object.entries(checks).filter(([name]) => wanted.length === 0 || wanted.includes(name));
let isGood = true;
async function work() {
  for (let check = queue.shift(); check; check = queue.shift()) if (!(await run(check))) isGood = false;
}
await Promise.all([work(), work()]);
process.exit(isGood ? 0 : 1);
