// The two parts of a bundle that are compiled: dist/, by the usual build in a folder of its own (dist/ itself is left alone),
// and the native addon of the target, where this machine has a compiler for it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { build as buildAddon } from '../../native-bindings/build.mjs';

/** Builds the daemon into `scratch`; returns the folder. */
export function buildDist(root, scratch) {
  const folder = path.join(scratch, 'dist');
  const run = (file, ...words) => {
    const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] };
    const { status } = spawnSync(process.execPath, [path.join(root, file), ...words], options);
    if (status !== 0) throw new Error(`${file} failed`);
  };
  run('node_modules/tsup/dist/cli-default.js', '--silent', '--out-dir', folder);
  run('scripts/pack-docs.mjs', folder);
  run('scripts/build-web.mjs', path.join(folder, 'web'));
  return folder;
}

/** Compiles the addon; returns its path, or in words why there is none. */
export function compileAddon(target, scratch) {
  const folder = path.join(scratch, 'addon');
  const failure = buildAddon({ target, folder, stdio: ['ignore', 'ignore', 'inherit'] });
  return failure ? { missing: failure } : { file: path.join(folder, 'opencamera.node') };
}

/** The addon of an earlier build; or in words that there is none. */
export function findAddon(root, target) {
  const isOwn = target === `${process.platform}-${process.arch}`;
  const places = [...(isOwn ? ['build/Release'] : []), `prebuilds/${target}`];
  const file = places
    .map(place => path.join(root, 'native-bindings', place, 'opencamera.node'))
    .find(existsSync);
  return file ? { file } : { missing: `native-bindings has none that was built for ${target}` };
}
