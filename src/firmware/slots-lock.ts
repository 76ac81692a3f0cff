/**
 * One launcher for a folder of slots: a file that names the process, and the camera that it started.
 *
 * A process is known by its id, the moment of its start (Linux: /proc/PID/stat, field 22) and the start of the machine,
 * since ids come again. A
 * launcher that was killed leaves its camera for a moment; the next one waits for it, then ends it, so that two versions
 * never share a port, a card and a database.
 */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CameraError } from '../base/errors.ts';

interface Holder {
  readonly pid: number;
  readonly started: string;
}

interface Content {
  readonly launcher: Holder;
  readonly child: Holder | null;
}

/** Until a camera without a launcher is ended by force; its own stop takes 2 s. */
const orphanMs = 5000;
const lookMs = 50;
/** Another launcher may take the lock in the same moment; then it is looked at again. */
const triesMax = 5;

/** The lock, held. */
export class SlotsLock {
  private readonly file: string;

  private constructor(file: string) {
    this.file = file;
  }

  /** Takes the lock. Rejects with CameraError `state-failed` while another launcher lives. */
  static async take(folder: string): Promise<SlotsLock> {
    const lock = new SlotsLock(path.join(folder, 'lock'));
    for (let tries = 0; tries < triesMax; tries++) {
      if (lock.link({ launcher: ownHolder(), child: null })) return lock;
      const left = lock.read();
      if (left && isAlive(left.launcher))
        throw new CameraError(
          'state-failed',
          `another camera runs from ${folder} (process ${left.launcher.pid})`,
        );
      if (left?.child) await endOrphan(left.child);
      rmSync(lock.file, { force: true });
    }
    throw new CameraError('state-failed', `another camera is being started from ${folder}`);
  }

  /** Notes what was started. */
  holdsChild(pid: number): void {
    const started = startOfProcess(pid);
    if (started !== undefined)
      writeFileSync(this.file, encode({ launcher: ownHolder(), child: { pid, started } }));
  }

  release(): void {
    rmSync(this.file, { force: true });
  }

  /** Whole or not at all: under a name of its own first. */
  private link(content: Content): boolean {
    const own = `${this.file}.${process.pid}`;
    try {
      writeFileSync(own, encode(content), { mode: 0o600 });
      linkSync(own, this.file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw new CameraError(
        'state-failed',
        `the slots cannot be locked: ${(error as Error).message}`,
        {},
        { cause: error },
      );
    } finally {
      rmSync(own, { force: true });
    }
  }

  private read(): Content | undefined {
    try {
      return JSON.parse(readFileSync(this.file, 'utf8'));
    } catch {
      return undefined;
    }
  }
}

function encode(content: Content): string {
  return JSON.stringify(content);
}

function ownHolder(): Holder {
  return { pid: process.pid, started: startOfProcess(process.pid) ?? '' };
}

async function endOrphan(holder: Holder): Promise<void> {
  for (let waitedMs = 0; isAlive(holder); waitedMs += lookMs) {
    if (waitedMs >= orphanMs) {
      process.kill(holder.pid, 'SIGKILL');
      waitedMs = Number.NEGATIVE_INFINITY;
    }
    await delay(lookMs);
  }
}

function isAlive({ pid, started }: Holder): boolean {
  return startOfProcess(pid) === started;
}

/** Which start of the machine, and how many ticks after it a process was started; undefined when it is gone (or a zombie). */
export function startOfProcess(pid: number): string | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const boot = bootId();
  // The name, in parentheses, may hold anything; state is field 3, start is field 22 (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${boot} ${fields[19]}`;
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}
