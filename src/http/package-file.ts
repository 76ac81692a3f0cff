/**
 * Finds files of the package wherever the build has put this code: below src/http in the source tree, below dist in the
 * package. Called at start and for files that are read when they are asked for.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** How many folders above this file the package may begin: two from src/http, one from dist. */
const levelsUpMax = 4;

/** Absolute path of a file or folder, as `assets/page/index.html`; undefined when the package has none. */
export function findPackageFile(name: string): string | undefined {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  for (let level = 0; level < levelsUpMax; level++) {
    folder = path.dirname(folder);
    const candidate = path.join(folder, ...name.split('/'));
    if (existsSync(candidate)) return candidate;
  }
  return undefined;
}
