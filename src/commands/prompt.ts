/**
 * Questions on the terminal: a new password, typed twice and not shown; yes or no.
 *
 * Questions go to standard error, so that standard output stays for results. Without a terminal a password is one line
 * of standard input, for scripts; it is never taken from the command line, which other users of the machine can read.
 */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CameraError } from '../base/errors.ts';

/** Longest line that is read: no password is that long. */
const lineBytesMax = 4096;

/** Asks for a new password. Throws CameraError `usage-invalid` when the two differ or nothing comes. */
export async function askNewPassword(): Promise<string> {
  if (!process.stdin.isTTY) return readLine();
  const first = await askHidden('New password: ');
  const second = await askHidden('Once more: ');
  if (first !== second)
    throw new CameraError('usage-invalid', 'the two passwords differ; nothing was changed');
  return first;
}

/** Asks a question that only the word yes answers with yes. Without a terminal the answer is no. */
export async function askYes(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`${question} Type yes to go on: `)).trim().toLowerCase() === 'yes';
  } finally {
    lines.close();
  }
}

async function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  // What the line editor would echo is thrown away.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise((resolve, reject) => {
      lines.once('SIGINT', () => reject(new CameraError('usage-invalid', 'nothing was changed')));
      lines.once('close', () => reject(new CameraError('usage-invalid', 'no password was given')));
      lines.question('').then(resolve, reject);
    });
  } finally {
    process.stderr.write('\n');
    lines.close();
  }
}

/** The one line of standard input, without its end. */
async function readLine(): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > lineBytesMax) break;
  }
  const line = utf8Text(Buffer.concat(chunks))?.replace(/\r?\n$/, '');
  if (line === undefined || line === '' || /[\r\n]/.test(line) || bytes > lineBytesMax)
    throw new CameraError('usage-invalid', 'give the new password as one line of UTF-8 on standard input');
  return line;
}

/** Undefined for what is not UTF-8: nobody could log in with what a lenient reader makes of it. */
function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
