// Where a package lies on this machine: in node_modules, or, for a platform package of another machine, in a folder that
// npm's own client has brought it to (its registry, its credentials, its cache), checked against package-lock.json.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readJson } from './package-files.mjs';

/** `@b/c` of `node_modules/a/node_modules/@b/c`. */
export function nameOfPlace(place) {
  return place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function run(command, words, cwd) {
  const { status, stderr, error } = spawnSync(command, words, { cwd, encoding: 'utf8', timeout: 120_000 });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

/** Throws unless the file has the hash that the lock file says (a Subresource Integrity string, SHA-512). */
export function checkIntegrity(content, integrity, what) {
  if (!integrity?.startsWith('sha512-')) throw new Error(`package-lock.json has no SHA-512 of ${what}`);
  const found = `sha512-${createHash('sha512').update(content).digest('base64')}`;
  if (found !== integrity)
    throw new Error(`${what} is not the package of package-lock.json: its hash is ${found}`);
}

/** The folder of a package with the version of the lock file; fetched into `scratch` where it is not installed. */
export function packageFolder({ root, lock, place, scratch }) {
  const entry = lock.packages[place];
  const folder = path.join(root, place);
  const name = nameOfPlace(place);
  const what = `${name}@${entry.version}`;
  if (existsSync(path.join(folder, 'package.json'))) {
    const { version } = readJson(path.join(folder, 'package.json'));
    if (version !== entry.version) throw new Error(`node_modules has ${name} ${version} for ${what}: npm ci`);
    return folder;
  }
  if (!entry.optional) throw new Error(`${what} is not installed: npm ci`);
  const own = mkdtempSync(path.join(scratch, 'package-'));
  run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', own, what], root);
  const [filename] = readdirSync(own);
  if (!filename) throw new Error(`npm has not brought ${what}`);
  const archive = path.join(own, filename);
  checkIntegrity(readFileSync(archive), entry.integrity, what);
  const unpacked = path.join(own, 'package');
  mkdirSync(unpacked);
  run('tar', ['-xzf', archive, '-C', unpacked, '--strip-components=1', '--no-same-owner'], own);
  return unpacked;
}
