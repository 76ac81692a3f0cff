/**
 * Reads the public keys that firmware may be signed with: files, and folders of `*.pub` files, as the configuration names
 * them. They are read for every upload, so that a key is trusted from the moment its file is there and no longer than
 * that. A file that is no key is an error and not left out: whoever put it there relies on it. Main thread.
 */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { CameraError } from '../base/errors.ts';
import { readPublicKey, type TrustedKey } from './public-keys.ts';

/** Keys at once; a maker has two, an owner one more. */
const keysMax = 32;
/** Bytes of a key file; a PEM has some hundred. */
const keyFileBytesMax = 16 * 1024;

/** The key whose private half lies beside it for everybody: for development, under a flag of its own. */
export const developmentKeyName = 'assets/firmware/development.pub';

/**
 * All keys, none twice. Throws CameraError `firmware-key-invalid` for what cannot be read or is no key to be trusted.
 * @param names paths of files and folders.
 */
export function readTrustedKeys(names: readonly string[]): readonly TrustedKey[] {
  const files = names.flatMap(filesOf);
  if (files.length > keysMax) throw invalid(`there are more than ${keysMax} keys`);
  const keys = new Map<string, TrustedKey>();
  for (const file of files) {
    const key = readKey(file);
    keys.set(key.id, key);
  }
  return [...keys.values()];
}

function filesOf(name: string): readonly string[] {
  let entries: readonly Dirent[];
  try {
    if (!statSync(name).isDirectory()) return [name];
    entries = readdirSync(name, { withFileTypes: true });
  } catch (cause) {
    throw invalid(`${name} cannot be read`, cause);
  }
  return entries.filter(entry => entry.name.endsWith('.pub')).map(entry => path.join(name, entry.name));
}

function readKey(file: string): TrustedKey {
  let text: string;
  try {
    if (statSync(file).size > keyFileBytesMax) throw new Error('it is too large');
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw invalid(`${file} cannot be read`, cause);
  }
  if (/PRIVATE KEY/.test(text)) throw invalid(`${file} is a private key, which has no place on a camera`);
  try {
    return readPublicKey(text);
  } catch (cause) {
    throw invalid(`${file}: ${(cause as Error).message}`, cause);
  }
}

function invalid(message: string, cause?: unknown): CameraError {
  return new CameraError('firmware-key-invalid', message, {}, { cause });
}
