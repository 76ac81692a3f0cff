/**
 * A file that is there while the camera runs: found at start, the last life ended by a signal or a power cut, and the
 * database is looked at by another process before this one maps it (a damaged page would end it by SIGBUS, again and
 * again). Main thread; two short file calls a life.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs';
import path from 'node:path';

/** See the head of the file. */
export class LifeMarker {
  /** Whether the last life ended without {@link end}. */
  readonly wasThere: boolean;
  private readonly file: string;

  constructor(folder: string) {
    this.file = path.join(folder, 'running');
    this.wasThere = existsSync(this.file);
  }

  /** Before the database is opened. False when it cannot be written: the disk is full or read-only. */
  begin(): boolean {
    try {
      flushAndClose(openSync(this.file, 'w', 0o600));
      flushAndClose(openSync(path.dirname(this.file), 'r'));
      return true;
    } catch {
      return this.wasThere;
    }
  }

  /** After the database was closed. Lost in a power cut, it costs a look more. */
  end(): void {
    try {
      rmSync(this.file, { force: true });
    } catch {
      // The next life looks at the database once more.
    }
  }
}

function flushAndClose(descriptor: number): void {
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
