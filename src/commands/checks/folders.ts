/**
 * The state folder and the folder of the recordings: there, ours, writable, private, with room, and on a card.
 *
 * Writing is tried with a file of our own name that is removed again. Whether the recordings lie on the file system of
 * the root is told by the device numbers (POSIX stat): a missing card must not fill the flash that the system boots from.
 */
import { constants } from 'node:fs';
import { access, open, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Configuration } from '../../config/configuration.ts';
import { type Finding, good, problem, warning } from '../finding.ts';

/** Below so much room the user database and the log cannot be trusted to be written, bytes. */
const stateRoomBytesMin = 16 * 1024 * 1024;

/** Below so much room there is less than a quarter of an hour at 8 Mbit/s, bytes. */
const recordingsRoomBytesMin = 1e9;

export async function checkStateFolder({ state }: Configuration): Promise<readonly Finding[]> {
  const folder = path.resolve(state);
  const subject = 'state folder';
  const found = await stat(folder).catch(() => undefined);
  if (!found) {
    const parent = path.dirname(folder);
    return (await isWritable(parent))
      ? [good(subject, `${folder} will be made at the first start`)]
      : [problem(subject, `${folder} does not exist and cannot be made in ${parent}`, ownerAdvice(parent))];
  }
  if (!found.isDirectory())
    return [problem(subject, `${folder} is not a folder`, 'choose another with --state')];
  const findings: Finding[] = [];
  const failure = await tryToWrite(folder);
  if (failure)
    findings.push(problem(subject, `${folder} cannot be written: ${failure}`, ownerAdvice(folder)));
  if ((found.mode & 0o077) !== 0)
    findings.push(
      warning(subject, `${folder} can be read by other users of this machine`, `chmod 700 ${quoted(folder)}`),
    );
  const room = await roomOf(folder);
  if (room && room.freeBytes < stateRoomBytesMin)
    findings.push(problem(subject, `${folder} has ${megabytes(room.freeBytes)} left`, 'free some room'));
  return findings.length > 0 ? findings : [good(subject, `${folder} is private and writable`)];
}

export async function checkRecordingsFolder(configuration: Configuration): Promise<readonly Finding[]> {
  const subject = 'recordings';
  const isOwn = configuration.recordings === '';
  const folder = path.resolve(
    isOwn ? path.join(configuration.state, 'recordings') : configuration.recordings,
  );
  const found = await stat(folder).catch(() => undefined);
  if (!found)
    return isOwn
      ? [good(subject, `${folder} will be made at the first start`)]
      : [
          problem(
            subject,
            `${folder} does not exist: is the card in and mounted?`,
            `mount it, or mkdir ${quoted(folder)}`,
          ),
        ];
  if (!found.isDirectory())
    return [problem(subject, `${folder} is not a folder`, 'choose another with --recordings')];
  const findings: Finding[] = [];
  const failure = await tryToWrite(folder);
  if (failure)
    findings.push(problem(subject, `${folder} cannot be written: ${failure}`, ownerAdvice(folder)));
  const root = await stat('/');
  if (found.dev === root.dev)
    findings.push(
      warning(
        subject,
        `${folder} lies on the file system that the machine boots from`,
        'mount a card there or name one with --recordings, unless this is meant',
      ),
    );
  const room = await roomOf(folder);
  if (room && room.freeBytes < recordingsRoomBytesMin)
    findings.push(
      warning(
        subject,
        `${folder} has ${megabytes(room.freeBytes)} left`,
        'free some room or use a larger card',
      ),
    );
  if (findings.length > 0 || !room) return findings;
  return [good(subject, `${folder}: ${gigabytes(room.freeBytes)} of ${gigabytes(room.totalBytes)} free`)];
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** Writes and removes a file; the reason when that fails. */
async function tryToWrite(folder: string): Promise<string | undefined> {
  const name = path.join(folder, `.opencamerad-doctor-${process.pid}`);
  try {
    const file = await open(name, 'wx', 0o600);
    try {
      await file.write('doctor');
      await file.sync();
    } finally {
      await file.close();
      await rm(name, { force: true });
    }
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

async function roomOf(folder: string): Promise<{ freeBytes: number; totalBytes: number } | undefined> {
  try {
    const { bsize, bavail, blocks } = await statfs(folder);
    return { freeBytes: bsize * bavail, totalBytes: bsize * blocks };
  } catch {
    return undefined;
  }
}

function ownerAdvice(folder: string): string {
  return `give it to the user that runs the camera (chown), check ${quoted(folder)} for a read-only mount, or choose another`;
}

function quoted(name: string): string {
  return `'${name.replaceAll("'", "'\\''")}'`;
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1e6)} MB`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
