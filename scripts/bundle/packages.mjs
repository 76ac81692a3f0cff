// Which packages the built daemon loads when it runs, and which are written into it.
//
// The build tells (esbuild's metafile) what it took in and what it left outside. From there the modules are followed as Node
// follows them, so a package that is only there for compilers, types or another program is not in the bundle. Native parts
// are loaded by a name that is put together at run time; they are the optional dependencies of a followed package.
import { builtinModules } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';

/** Optional packages that the camera never asks for, and why. */
const unneeded = {
  '@napi-rs/nice': "piscina's niceIncrement, which is not used",
};

/** The place in the lock file of the package that a file belongs to, as `node_modules/a/node_modules/@b/c`; or undefined. */
function placeOf(lock, file) {
  for (let folder = path.posix.dirname(file); folder !== '.'; folder = path.posix.dirname(folder))
    if (lock.packages[folder]) return folder;
  return undefined;
}

/** Where Node finds `name` from the package at `from`: in it or in a folder above it; undefined when the lock has none. */
function resolvePlace(lock, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const place = `${folder ? `${folder}/` : ''}node_modules/${name}`;
    if (lock.packages[place]) return place;
    if (!folder) return undefined;
    if (!folder.includes('/node_modules/')) folder = '';
  }
}

/** Whether npm would install it there: an entry names the systems that it is for, or is for all. */
function fits({ os, cpu, libc }, target) {
  const [targetOs, targetCpu] = target.split('-');
  return (
    (!os || os.includes(targetOs)) && (!cpu || cpu.includes(targetCpu)) && (!libc || libc.includes('glibc'))
  );
}

/** What is taken in beside tsup: by scripts/pack-docs.mjs and by scripts/build-web.mjs. */
const packedPlaces = ['node_modules/swagger-ui-dist', 'node_modules/preact'];

/** Places of the packages whose code the build took in, sorted. */
function bundledPlaces(lock, metafile) {
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0),
  );
  const places = inputs.map(([file]) => placeOf(lock, file)).filter(Boolean);
  return [...new Set([...places, ...packedPlaces])].sort();
}

/**
 * Returns `bundled` and `shipped` (places in package-lock.json, sorted) and `loaded`, the files below node_modules that
 * static imports reach from the build.
 */
export async function findPackages({ root, lock, metafile, target }) {
  const bundled = bundledPlaces(lock, metafile);
  const imports = Object.values(metafile.outputs)
    .flatMap(output => output.imports)
    .filter(({ external, path: name }) => external && !isBuiltin(name));
  // What is neither taken in nor imported is loaded by name (uwebsockets).
  const known = new Set([
    ...bundled,
    ...imports.map(({ path: name }) => placeOf(lock, `node_modules/${name}/x`)),
  ]);
  const named = Object.keys(lock.packages[''].dependencies).filter(
    name => !known.has(`node_modules/${name}`),
  );
  const lines = [
    ...imports.map(({ kind, path: name }) =>
      kind === 'require-call' ? `require(${JSON.stringify(name)})` : `import ${JSON.stringify(name)}`,
    ),
    ...named.map(name => `require(${JSON.stringify(name)})`),
  ];
  const traced = await build({
    stdin: { contents: [...new Set(lines)].join('\n'), resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Node's own conditions; without them esbuild adds one for bundlers.
    conditions: ['node-addons', 'module-sync'],
    external: ['*.node'],
    logLevel: 'error',
    treeShaking: false,
    outdir: path.join(root, 'never-written'),
  });
  const loaded = Object.keys(traced.metafile.inputs).filter(file => file.startsWith('node_modules/'));
  const shipped = new Set(loaded.map(file => placeOf(lock, file)));
  const queue = [...shipped];
  const follow = (from, names) => {
    for (const name of names) {
      const place = resolvePlace(lock, from, name);
      if (!place || shipped.has(place) || unneeded[name] || !fits(lock.packages[place], target)) continue;
      shipped.add(place);
      queue.push(place);
    }
  };
  for (let place = queue.shift(); place; place = queue.shift()) {
    follow(place, Object.keys(lock.packages[place].optionalDependencies ?? {}));
    // The modules of an optional one were not followed: all that it asks for goes along.
    if (lock.packages[place].optional) follow(place, Object.keys(lock.packages[place].dependencies ?? {}));
  }
  return { bundled, shipped: [...shipped].sort(), loaded };
}

function isBuiltin(name) {
  return name.startsWith('node:') || builtinModules.includes(name);
}

/** Places among `places` that the lock file says the package at `place` (`''`: our own) uses. */
export function placesUsedBy(lock, place, places) {
  const { dependencies, optionalDependencies, devDependencies } = lock.packages[place];
  const names = Object.keys({
    ...dependencies,
    ...optionalDependencies,
    ...(place === '' && devDependencies),
  });
  const used = names.map(name => resolvePlace(lock, place, name));
  return [...new Set(used.filter(found => places.includes(found)))];
}
