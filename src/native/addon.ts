/**
 * The native addon: where it lies and how it is loaded. The only file that loads a `.node` of our own.
 *
 * In order: the path in OPENCAMERAD_ADDON (and then no other), what `npm run build:native` made
 * (native-bindings/build/Release), what came with the package (native-bindings/prebuilds/<platform>-<arch>). Found both
 * from a checkout and from the bundle in dist/. Loads in any thread, once each: the addon keeps nothing between
 * environments. Nothing is thrown: without the addon its callers do the work in JavaScript, or say what they lack.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AlarmBinding } from './alarm-binding.ts';
import type { DataPlaneBinding } from './data-plane-binding.ts';
import type { V4l2Binding } from './v4l2.ts';

/** What the addon exports: native-bindings/src/module.cc. */
export interface Addon {
  readonly alarm: AlarmBinding;
  readonly dataPlane: DataPlaneBinding;
  readonly v4l2: V4l2Binding;
}

/** The addon, or why there is none, in words for the log. */
export type LoadedAddon = { readonly addon: Addon; readonly path: string } | { readonly missing: string };

/** Names the one file to load instead of looking for it. */
const pathVariable = 'OPENCAMERAD_ADDON';

/** Folders between this code and the package's: src/native and dist/workers have two above them. */
const levelsMax = 3;

/** The addon of this process. */
export function loadAddon(env: NodeJS.ProcessEnv = process.env): LoadedAddon {
  const given = env[pathVariable];
  const path = given ?? findAddon();
  if (path === undefined) return { missing: 'it was not built for this machine' };
  try {
    return { addon: createRequire(import.meta.url)(path) as Addon, path };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { missing: `it cannot be loaded: ${reason.split('\n')[0]}` };
  }
}

function findAddon(): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let level = 0; level < levelsMax; level++) {
    folder = dirname(folder);
    const bindings = join(folder, 'native-bindings');
    const places = ['build/Release', `prebuilds/${process.platform}-${process.arch}`];
    const found = places.map(place => join(bindings, place, 'opencamera.node')).find(existsSync);
    if (found !== undefined) return found;
  }
  return undefined;
}
