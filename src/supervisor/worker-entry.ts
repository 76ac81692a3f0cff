/**
 * Finds the files that are not code of this one: the entries of the workers and the package's own folder.
 *
 * The same code runs from TypeScript (src/supervisor/…, entries in workers/NAME.ts) and built (dist/cli.js or a chunk
 * beside it, entries in dist/workers/NAME.js), from a clone or from an installed package. Both are found by looking
 * upwards from this module. Main thread, at start.
 */
import { existsSync } from 'node:fs';
import { CameraError } from '../base/errors.ts';

/** How many folders upwards anything of ours can lie. */
const levelsMax = 4;

/**
 * The entry file of a worker thread.
 * @param from URL of a module of the daemon; a parameter for tests.
 */
export function workerEntry(name: string, from: string = import.meta.url): URL {
  const extension = from.endsWith('.ts') ? 'ts' : 'js';
  return find(`workers/${name}.${extension}`, from);
}

/** URL of the package's folder (with package.json and assets/), ending in a slash. */
export function packageFolder(from: string = import.meta.url): URL {
  return new URL('.', find('package.json', from));
}

function find(path: string, from: string): URL {
  for (let level = 0, up = './'; level <= levelsMax; level++, up += '../') {
    const candidate = new URL(up + path, from);
    if (existsSync(candidate)) return candidate;
  }
  throw new CameraError('internal', `the file ${path} is missing: the installation is incomplete`, { path });
}
