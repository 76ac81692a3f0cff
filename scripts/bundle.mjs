// `npm run bundle -- --target linux-arm64`: the daemon as a device gets it, the payload of a firmware image: one archive that
// runs where there is nothing but Node 20. The same commit gives the same bytes, in any folder, with the same Node and compiler.
//
// In it: dist/, assets/, node_modules/ with what is loaded at run time and the native code of one platform, the addon,
// licences/ and sbom.cdx.json. scripts/bundle/ has a file for each of these questions.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildDist, compileAddon, findAddon } from './bundle/build-parts.mjs';
import { nameOfPlace, packageFolder } from './bundle/foreign-package.mjs';
import { licenceOf, licenceText } from './bundle/licences.mjs';
import { checkNative, filesBelow, nodeAbi, packageFiles, readJson } from './bundle/package-files.mjs';
import { findPackages, placesUsedBy } from './bundle/packages.mjs';
import { sbomOf } from './bundle/sbom.mjs';
import { gzipOf, tarOf } from './bundle/tar.mjs';

const targets = ['linux-x64', 'linux-arm64'];

const help = `npm run bundle -- --target ${targets.join('|')} [options]

Makes bundle-VERSION-TARGET.tar.gz: the daemon for one platform, to run without npm ("node dist/cli.js start"), the payload
of a firmware image. With the same Node and compiler, the same commit gives the same bytes.

  --out DIR               where to; "bundles" in this folder unless told
  --no-build              take dist/ and the addon as they were built before, rather than building them anew
  --dist DIR              take this build rather than dist/; implies --no-build
  --version-override X    the version that the bundle says it has (1.2.3), rather than package.json's; for tests of upgrades
  --help

SOURCE_DATE_EPOCH (seconds) is the time of all files in it, and of the list of parts; 1970 and no time unless it is set.
`;

const root = fileURLToPath(new URL('../', import.meta.url)).replace(/\/$/, '');

/** Wrong words on the command line. */
class UsageError extends Error {}

function readOptions() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        target: { type: 'string' },
        out: { type: 'string', default: path.join(root, 'bundles') },
        dist: { type: 'string' },
        'no-build': { type: 'boolean', default: false },
        'version-override': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  if (values.help) return undefined;
  if (!targets.includes(values.target)) throw new UsageError(`--target is one of ${targets.join(', ')}`);
  const version = values['version-override'];
  if (version !== undefined && !/^(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){2}$/.test(version))
    throw new UsageError('--version-override is three numbers, as 1.2.3');
  const epoch = process.env.SOURCE_DATE_EPOCH;
  // Eleven octal digits are what a tape archive has for a time.
  if (epoch !== undefined && !(/^\d+$/.test(epoch) && Number(epoch) < 8 ** 11))
    throw new UsageError('SOURCE_DATE_EPOCH is a number of seconds');
  return {
    target: values.target,
    out: path.resolve(values.out),
    dist: values.dist && path.resolve(values.dist),
    isBuilt: values['no-build'] || values.dist !== undefined,
    version,
    epochSeconds: epoch === undefined ? undefined : Number(epoch),
  };
}

/** The file's content as an entry of the archive. */
function entryOf(file, isExecutable = false) {
  return { content: readFileSync(file), isExecutable };
}

/** Assets but what only people read or use: scripts, pictures for the README, the key that development images are signed with. */
const isShipped = name => !/^screenshots\/|\.(?:mjs|key)$/.test(name);

/** What a build that was cut off, or made by tsup alone, lacks first. */
const neededFiles = [
  'dist/cli.js',
  'dist/workers/live.js',
  'dist/docs/swagger-ui-bundle.js.gz',
  'dist/web/index.html.br',
];

const textEntry = text => ({ content: Buffer.from(text), isExecutable: false });

/** package.json of the bundle: what Node and the daemon read. There is nothing to install, so nothing about installing. */
function ownPackage(own, version) {
  const { name, description, license, type, bin } = own;
  return { name, version, description, license, type, private: true, bin, engines: { node: '20' } };
}

/** Adds the packages to `files`; returns one row for each, shipped or bundled, for the list of parts. */
function addPackages({ files, lock, target, scratch, bundled, shipped, loaded }) {
  const places = [...new Set([...bundled, ...shipped])].sort();
  const rows = new Map();
  for (const place of places) {
    const entry = lock.packages[place];
    const name = nameOfPlace(place);
    const folder = packageFolder({ root, lock, place, scratch });
    const isShipped = shipped.includes(place);
    if (isShipped)
      for (const file of packageFiles({ name, folder, target })) {
        const added = entryOf(path.join(folder, file));
        if (file.endsWith('.node')) checkNative(`${place}/${file}`, added.content, target);
        files.set(`${place}/${file}`, added);
      }
    const key = `${name}@${entry.version}`;
    const parent = places.find(other => lock.packages[other].optionalDependencies?.[name]);
    const licence = licenceOf(name, entry, folder);
    const licenceFile = `licenses/${key}.txt`;
    const text = licenceText({
      name,
      version: entry.version,
      licence,
      folder,
      parentFolder: parent && packageFolder({ root, lock, place: parent, scratch }),
    });
    files.set(licenceFile, textEntry(text));
    const isBundled = bundled.includes(place);
    const before = rows.get(key);
    rows.set(key, {
      name,
      version: entry.version,
      licence,
      licenceFile,
      integrity: entry.integrity,
      isShipped: isShipped || (before?.isShipped ?? false),
      isBundled: isBundled || (before?.isBundled ?? false),
      dependsOn: placesUsedBy(lock, place, places).map(used => [
        nameOfPlace(used),
        lock.packages[used].version,
      ]),
    });
  }
  const lost = loaded.filter(file => !files.has(file));
  if (lost.length > 0)
    throw new Error(`scripts/bundle/package-files.mjs leaves out what is loaded: ${lost.join(', ')}`);
  return [...rows.values()];
}

async function makeBundle(
  { target, out, dist: givenDist, isBuilt, version: givenVersion, epochSeconds },
  scratch,
) {
  const own = readJson(path.join(root, 'package.json'));
  const lock = readJson(path.join(root, 'package-lock.json'));
  const version = givenVersion ?? own.version;
  const dist = isBuilt ? (givenDist ?? path.join(root, 'dist')) : buildDist(root, scratch);
  const addon = isBuilt ? findAddon(root, target) : compileAddon(target, scratch);
  const metafile = readJson(path.join(dist, 'metafile-esm.json'));

  const files = new Map();
  for (const name of filesBelow(dist))
    if (name !== 'metafile-esm.json')
      files.set(`dist/${name}`, entryOf(path.join(dist, name), name === 'cli.js'));
  for (const name of filesBelow(path.join(root, 'assets')))
    if (isShipped(name)) files.set(`assets/${name}`, entryOf(path.join(root, 'assets', name)));
  for (const name of ['LICENSE', 'README.md']) files.set(name, entryOf(path.join(root, name)));
  files.set('package.json', textEntry(`${JSON.stringify(ownPackage(own, version), null, 2)}\n`));
  if (addon.file) {
    const name = `native-bindings/prebuilds/${target}/opencamera.node`;
    files.set(name, entryOf(addon.file));
    checkNative(name, files.get(name).content, target);
  }

  const { bundled, shipped, loaded } = await findPackages({ root, lock, metafile, target });
  const packages = addPackages({ files, lock, target, scratch, bundled, shipped, loaded });
  const dependsOn = placesUsedBy(lock, '', [...bundled, ...shipped]).map(place => [
    nameOfPlace(place),
    lock.packages[place].version,
  ]);
  const product = { name: own.name, version, license: own.license, dependsOn };
  files.set('sbom.cdx.json', textEntry(sbomOf({ product, target, packages, epochSeconds })));

  const missing = neededFiles.filter(name => !files.has(name));
  if (missing.length > 0) throw new Error(`${dist} is no whole build: ${missing.join(', ')} is missing`);

  const tar = tarOf(files, epochSeconds ?? 0);
  const archive = gzipOf(tar);
  mkdirSync(out, { recursive: true });
  const file = path.join(out, `bundle-${version}-${target}.tar.gz`);
  writeFileSync(`${file}.partial`, archive);
  renameSync(`${file}.partial`, file);
  const megabytes = bytes => `${(bytes / 1e6).toFixed(1)} MB`;
  console.log(
    [
      file,
      `sha256    ${createHash('sha256').update(archive).digest('hex')}`,
      `size      ${megabytes(archive.length)}, unpacked ${megabytes(tar.length)}, ${files.size} files`,
      `packages  ${shipped.length} in node_modules, ${bundled.length} in dist`,
      `native    ${target}, glibc, Node 20 (ABI ${nodeAbi})`,
      `addon     ${addon.file ? 'yes' : `left out: ${addon.missing}`}`,
    ].join('\n'),
  );
}

async function main() {
  let scratch;
  try {
    const options = readOptions();
    if (!options) {
      console.log(help.trimEnd());
      return 0;
    }
    scratch = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-bundle-'));
    await makeBundle(options, scratch);
    return 0;
  } catch (error) {
    console.error(`bundle: ${error.message}`);
    if (error instanceof UsageError) console.error('npm run bundle -- --help');
    return error instanceof UsageError ? 2 : 1;
  } finally {
    if (scratch) rmSync(scratch, { recursive: true, force: true });
  }
}

process.exitCode = await main();
