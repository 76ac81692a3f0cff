/**
 * Compiles the addon with the machine's own C++ compiler: all of src/*.cc in one command, against the headers that lie
 * beside the node binary. Downloads nothing, needs no node-gyp and no Python.
 *
 *   node native-bindings/build.mjs                       build/Release/opencamera.node, for this machine
 *   node native-bindings/build.mjs --sanitize            build/Sanitize/…, with AddressSanitizer and UBSan
 *   node native-bindings/build.mjs --target linux-arm64  prebuilds/linux-arm64/…, cross-compiled (also linux-x64)
 *
 * The compiler is $CXX (may hold options), or the first of g++, c++ and clang++ that is there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const output = 'opencamera.node';

/** Debian's names of the cross-compilers, by target. */
const crossCompilers = {
  'linux-arm64': 'aarch64-linux-gnu-g++',
  'linux-x64': 'x86_64-linux-gnu-g++',
};

const warnings = ['-Wall', '-Wextra', '-Werror'];
const language = ['-std=c++17', '-fno-exceptions', '-fno-rtti', '-fvisibility=hidden', '-fPIC', '-pthread'];
const hardening = ['-fstack-protector-strong', '-D_FORTIFY_SOURCE=2', '-Wl,-z,relro,-z,now'];
const release = ['-O2', '-g0', ...hardening, '-Wl,--gc-sections', '-ffunction-sections', '-s'];
const sanitize = [
  '-O1',
  '-g',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=undefined',
];

/** The folder of node_api.h, or undefined. */
function findHeaders() {
  const prefix = dirname(dirname(process.execPath));
  const given = process.env.npm_config_nodedir;
  const folders = [
    ...(given ? [join(given, 'include/node'), join(given, 'src')] : []),
    join(prefix, 'include/node'),
    '/usr/include/node',
    '/usr/include/nodejs/src',
  ];
  return folders.find(folder => existsSync(join(folder, 'node_api.h')));
}

/** The compiler as a command and its first arguments, or undefined. */
function findCompiler(target) {
  const named = process.env.CXX?.split(' ').filter(Boolean);
  const isCross = target !== undefined && target !== `${process.platform}-${process.arch}`;
  const names = isCross ? [crossCompilers[target]] : ['g++', 'c++', 'clang++'];
  const commands = [...(named?.length ? [named] : []), ...names.map(name => [name])];
  return commands.find(([name]) => !spawnSync(name, ['--version'], { stdio: 'ignore' }).error);
}

/**
 * Builds. Returns undefined when all went well, else one sentence that says what is missing; the compiler's own words
 * go to `stdio`.
 */
export function build({ target, isSanitized = false, stdio = 'inherit', folder: given } = {}) {
  if (process.platform !== 'linux') return 'the addon is for Linux';
  if (target !== undefined && !(target in crossCompilers)) return `there is no target ${target}`;
  const headers = findHeaders();
  if (!headers) return `node_api.h is not beside ${process.execPath}`;
  const compiler = findCompiler(target);
  if (!compiler) return 'there is no C++ compiler';
  const usual = target ? `prebuilds/${target}` : isSanitized ? 'build/Sanitize' : 'build/Release';
  const folder = given ?? join(here, usual);
  mkdirSync(folder, { recursive: true });
  const sources = readdirSync(join(here, 'src')).filter(name => name.endsWith('.cc'));
  const path = join(folder, output);
  // Written beside and renamed: a process that has the old one mapped keeps it whole.
  const partial = `${path}.${process.pid}`;
  const [command, ...first] = compiler;
  const { status } = spawnSync(
    command,
    [
      ...first,
      ...language,
      ...warnings,
      ...(isSanitized ? sanitize : release),
      '-DNAPI_VERSION=8',
      `-I${headers}`,
      '-shared',
      '-o',
      partial,
      ...sources.sort().map(name => join(here, 'src', name)),
    ],
    { stdio },
  );
  if (status === 0) renameSync(partial, path);
  else rmSync(partial, { force: true });
  return status === 0 ? undefined : `${command} could not compile it`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2);
  const at = words.indexOf('--target');
  const failure = build({
    target: at < 0 ? undefined : (words[at + 1] ?? ''),
    isSanitized: words.includes('--sanitize'),
  });
  if (failure) console.error(`native-bindings: ${failure}`);
  process.exitCode = failure ? 1 : 0;
}
