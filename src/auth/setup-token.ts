/**
 * The setup token: 80 random bits that open `POST /user` once, while the camera has no user (contract, point 1).
 *
 * Sixteen characters of Crockford's base 32, which a person can read out and type: case does not matter, hyphens and
 * spaces neither, and O, I and L are taken for the digits they look like. The database holds its SHA-256; with so many
 * random bits a slow hash would add nothing. The token itself lies in `setup-token` (0600) of the state folder until it
 * is spent. Main thread; synchronous, since the file is tiny and read rarely.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { lstatSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeWhole } from '../config/state-folder.ts';

// Crockford base 32: without I, L, O and U.
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const tokenBytes = 10;
const tokenForm = /^[0-9A-HJKMNP-TV-Z]{16}$/;
const fileName = 'setup-token';
/** What is longer is no token however it is written. */
const typedLengthMax = 64;

/** A new setup token: 16 characters, 5 bits each. */
export function makeSetupToken(): string {
  let bits = 0n;
  for (const byte of randomBytes(tokenBytes)) bits = (bits << 8n) | BigInt(byte);
  let token = '';
  for (let i = 0; i < (tokenBytes * 8) / 5; i++, bits >>= 5n) token += alphabet[Number(bits & 31n)];
  return token;
}

/** What the database holds of a token, in hexadecimal. */
export function setupTokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Whether the text, as a person may type it, is the token with this hash; in constant time. */
export function isSetupToken(typed: string, hash: string): boolean {
  const token = typed.length > typedLengthMax ? '' : normal(typed);
  const same = timingSafeEqual(Buffer.from(setupTokenHash(token), 'hex'), Buffer.from(hash, 'hex'));
  return same && tokenForm.test(token);
}

/** The token of the state folder; undefined when there is none, or when it is damaged or open to others. */
export function readSetupToken(folder: string): string | undefined {
  const file = path.join(folder, fileName);
  try {
    const found = lstatSync(file);
    if (!found.isFile() || (found.mode & 0o077) !== 0 || found.size > typedLengthMax) return undefined;
    const token = readFileSync(file, 'utf8').trim();
    return tokenForm.test(token) ? token : undefined;
  } catch {
    return undefined;
  }
}

export function writeSetupToken(folder: string, token: string): void {
  writeWhole(folder, fileName, token);
}

/** Removes the file; nothing when there is none. */
export function removeSetupToken(folder: string): void {
  rmSync(path.join(folder, fileName), { force: true });
}

function normal(typed: string): string {
  return typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
}
