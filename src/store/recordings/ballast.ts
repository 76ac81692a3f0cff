/**
 * A file that takes up room until it is needed: LMDB copies every page that it changes, so on a full disk not even a
 * deletion can be committed. Then this file goes, and comes back when there is room. Main thread; deleting is at once,
 * making is in the background and never fails aloud.
 */
import { randomFillSync } from 'node:crypto';
import { existsSync, rmSync, statfsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Room for the deletion of some hours of segments. */
const ballastBytes = 256 * 1024;

/** So many times the room must be there before it is taken again. */
const roomFactor = 8;

/** See the head of the file. */
export class Ballast {
  private readonly file: string;
  private making: Promise<void> | undefined;

  /** @param folder where the database is, for the same disk. */
  constructor(folder: string) {
    this.file = path.join(folder, 'ballast');
  }

  get isThere(): boolean {
    return existsSync(this.file);
  }

  /** Resolves when it is made; undefined while it is not being made. */
  get busy(): Promise<void> | undefined {
    return this.making;
  }

  /** Whether there is less room than the ballast takes. */
  isDiskFull(): boolean {
    try {
      return this.freeBytes() < ballastBytes;
    } catch {
      return false;
    }
  }

  /** Gives the room back; false when there was none to give. */
  release(): boolean {
    if (!this.isThere) return false;
    try {
      rmSync(this.file);
      return true;
    } catch {
      return false;
    }
  }

  /** Takes the room again when there is enough. Never rejects. */
  make(): Promise<void> {
    this.making ??= this.write().finally(() => {
      this.making = undefined;
    });
    return this.making;
  }

  private async write(): Promise<void> {
    try {
      if (this.isThere) return;
      if (this.freeBytes() < roomFactor * ballastBytes) return;
      // Random, so that no file system keeps it in less room.
      await writeFile(`${this.file}.new`, randomFillSync(new Uint8Array(ballastBytes)), { mode: 0o600 });
      await rename(`${this.file}.new`, this.file);
    } catch {
      rmSync(`${this.file}.new`, { force: true });
    }
  }

  private freeBytes(): number {
    const { blocks, bavail, bsize } = statfsSync(path.dirname(this.file));
    // Some file systems in memory do not tell.
    return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
  }
}
