// Completes package-lock.json with the platform packages that the registry it was made from does not carry.
//
// Packages with native parts list one optional dependency a platform. A registry mirror may carry only some of them;
// npm then writes a lock file without the others, and refuses it itself (`npm ci`: "Missing: … from lock file").
// Each missing one is entered with the version its parent asks for and the platform its name says, so that it is
// skipped elsewhere and fetched where it belongs. Run it after every change of dependencies:
// `npm install --package-lock-only && node scripts/complete-lock.mjs`.
import { readFileSync, writeFileSync } from 'node:fs';

const systems = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
  'aix',
  'wasi',
];
const processors = [
  'arm64',
  'x64',
  'ia32',
  'arm',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
];

function platformOf(name) {
  const words = name.split('/').at(-1).split(/[-_.]/);
  const has = word => words.includes(word) || (word === 'ppc64' && words.includes('ppc64le'));
  const os = systems.filter(has);
  const cpu = processors.filter(has);
  const libc = words.some(word => word.startsWith('musl'))
    ? ['musl']
    : words.some(word => word.startsWith('gnu'))
      ? ['glibc']
      : [];
  return {
    ...(os.length && { os }),
    ...(cpu.length && { cpu }),
    ...(os.includes('linux') && libc.length && { libc }),
  };
}

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
let added = 0;
for (const [place, entry] of Object.entries({ ...lock.packages })) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (!/^\d/.test(version)) continue;
    const nested = `${place ? `${place}/` : ''}node_modules/${name}`;
    const found = lock.packages[nested] ?? lock.packages[`node_modules/${name}`];
    if (found?.version === version) continue;
    const free = lock.packages[`node_modules/${name}`] === undefined;
    const at = free ? `node_modules/${name}` : nested;
    lock.packages[at] = { version, ...platformOf(name), ...(entry.dev && { dev: true }), optional: true };
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} platform packages added`);
