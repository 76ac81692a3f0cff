/**
 * The files of the audit log: appending, turning over at 1 MiB, and reading for the command line.
 *
 * The file is opened for each batch and closed after it, flushed to the card, 0600 even if somebody widened it. A write
 * that failed half-way (a full card) leaves half a line: the next one begins on a new line and readers skip what is no
 * JSON object.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import path from 'node:path';

/** Bytes after which a file is turned over; there is one older file. */
export const auditFileBytesMax = 1024 * 1024;
/** Name of the newer file in the state folder. */
export const auditFileName = 'audit.log';

/** One line. */
export interface AuditEntry {
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly event: string;
  readonly remoteAddress?: string;
  readonly requestId?: string;
  /** How many events the line stands for, when it is more than this one. */
  readonly count?: number;
  readonly [field: string]: unknown;
}

/** Appends lines (without their ends), in order, and flushes them. */
export async function appendLines(file: string, lines: readonly string[]): Promise<void> {
  const text = Buffer.from(`${lines.join('\n')}\n`, 'utf8');
  let handle = await openForAppending(file);
  try {
    if ((await handle.stat()).size + text.length > auditFileBytesMax) {
      await handle.close();
      await rename(file, `${file}.1`);
      handle = await openForAppending(file);
    }
    const { size } = await handle.stat();
    if (size > 0 && !(await endsItsLine(file, size))) await handle.writeFile('\n');
    await handle.writeFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/**
 * The newest entries of the audit log in a state folder, oldest first; none where there is no log.
 *
 * @param limit most entries.
 */
export async function readAudit(folder: string, limit: number): Promise<readonly AuditEntry[]> {
  const file = path.join(folder, auditFileName);
  const texts = await Promise.all([readEnd(`${file}.1`), readEnd(file)]);
  const entries = texts.flatMap(text => text.split('\n').flatMap(entryOf));
  return limit > 0 ? entries.slice(-limit) : [];
}

async function openForAppending(file: string): Promise<FileHandle> {
  // Without blocking: a named pipe in its place must not keep a thread for ever.
  const { O_APPEND, O_CREAT, O_WRONLY, O_NONBLOCK } = constants;
  const handle = await open(file, O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK, 0o600);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new Error(`${file} is not a file`);
    if ((stat.mode & 0o777) !== 0o600) await handle.chmod(0o600);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function endsItsLine(file: string, size: number): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return bytesRead === 0 || buffer[0] === 0x0a;
  } finally {
    await handle.close();
  }
}

/** The last megabytes of a file; '' when there is none. */
async function readEnd(file: string): Promise<string> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { size } = await handle.stat();
      const length = Math.min(size, 2 * auditFileBytesMax);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function entryOf(line: string): AuditEntry[] {
  if (!line.startsWith('{')) return [];
  try {
    const entry: unknown = JSON.parse(line);
    const { time, event } = entry as Partial<AuditEntry>;
    return typeof time === 'string' && typeof event === 'string' ? [entry as AuditEntry] : [];
  } catch {
    return [];
  }
}
