/**
 * The text of one record in a database: `VERSION CHECKSUM JSON`.
 *
 * LMDB notices a damaged tree, not a flipped bit in a value; a user whose record was silently changed, or that lies under
 * another key, must be noticed too. So the checksum (8 bytes of SHA-256; against accidents, not against forgers, who
 * could change the file as a whole) covers key and content. The version belongs to the form of the content: whoever
 * reads a later one than it knows must refuse, not guess. Pure but for the hash.
 */
import { createHash } from 'node:crypto';
import { CameraError } from '../base/errors.ts';

/** Version of every record that is written today. */
export const recordVersion = 1;

/** Most characters of a record's text; far above what any of them needs. */
export const recordLengthMax = 64 * 1024;

const form = /^(\d{1,9}) ([0-9a-f]{16}) (.+)$/s;

/** The text of a record. `content` is anything that JSON can hold. */
export function encodeRecord(key: string, content: unknown): string {
  const json = JSON.stringify(content);
  const text = `${recordVersion} ${checksumOf(key, json)} ${json}`;
  if (text.length > recordLengthMax)
    throw new CameraError('state-failed', `the record ${key} is too large`, { length: text.length });
  return text;
}

/** The content. Throws `state-failed` when the text is damaged, or of a later version. */
export function decodeRecord(key: string, text: string): unknown {
  const parts = form.exec(text);
  if (!parts || checksumOf(key, parts[3]!) !== parts[2])
    throw new CameraError('state-failed', `the record ${key} is damaged`);
  if (Number(parts[1]) !== recordVersion)
    throw new CameraError('state-failed', `the record ${key} is of a later version of this program`, {
      version: Number(parts[1]),
    });
  return JSON.parse(parts[3]!);
}

function checksumOf(key: string, json: string): string {
  return createHash('sha256').update(`${recordVersion}\0${key}\0${json}`).digest('hex').slice(0, 16);
}
