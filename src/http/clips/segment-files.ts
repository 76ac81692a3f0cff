/**
 * Files of segments that downloads read: each is open once, whoever reads it, and is held against deletion while it is.
 *
 * What the index names and the card cannot give is `card-failed`: a file that is gone, an input error, a file that is
 * shorter than it was. Main thread; the reading is libuv's.
 */
import { close, open, read } from 'node:fs';
import { CameraError } from '../../base/errors.ts';
import type { SegmentRecord } from '../../isobmff/recorded-segment.ts';
import type { RecordingsService } from '../services.ts';

/** A file that is open for one reader. */
export interface SegmentFile {
  /** Reads at a position until the buffer is full; rejects with CameraError `card-failed`. */
  read(into: Uint8Array, position: number): Promise<void>;
  /** Call it once, when no read is under way. */
  close(): void;
}

interface Entry {
  readonly descriptor: Promise<number>;
  readers: number;
}

/** All that are open. */
export class SegmentFiles {
  private readonly recordings: Pick<RecordingsService, 'fileOf' | 'hold' | 'release'>;
  private readonly entries = new Map<string, Entry>();

  constructor(recordings: Pick<RecordingsService, 'fileOf' | 'hold' | 'release'>) {
    this.recordings = recordings;
  }

  /** How many files are open, or being opened. */
  get count(): number {
    return this.entries.size;
  }

  /** Rejects with CameraError `card-failed`. */
  async open(segment: SegmentRecord): Promise<SegmentFile> {
    let entry = this.entries.get(segment.path);
    if (!entry) {
      this.recordings.hold(segment);
      entry = { descriptor: openFile(this.recordings.fileOf(segment)), readers: 0 };
      this.entries.set(segment.path, entry);
    }
    const shared = entry;
    shared.readers += 1;
    try {
      const descriptor = await shared.descriptor;
      return {
        read: (into, position) => readWhole(descriptor, into, position),
        close: () => this.leave(segment, shared),
      };
    } catch (error) {
      this.leave(segment, shared);
      throw error;
    }
  }

  private leave(segment: SegmentRecord, entry: Entry): void {
    entry.readers -= 1;
    if (entry.readers > 0) return;
    this.entries.delete(segment.path);
    this.recordings.release(segment);
    entry.descriptor.then(
      descriptor => close(descriptor, () => undefined),
      () => undefined,
    );
  }
}

function openFile(file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(file, 'r', (error, descriptor) => {
      if (error) reject(cardFailed(error));
      else resolve(descriptor);
    });
  });
}

async function readWhole(descriptor: number, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const count = await readSome(descriptor, into.subarray(done), position + done);
    if (count === 0) throw new CameraError('card-failed', 'a recording is shorter than it was', { position });
    done += count;
  }
}

function readSome(descriptor: number, into: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, into, 0, into.length, position, (error, count) => {
      if (error) reject(cardFailed(error));
      else resolve(count);
    });
  });
}

function cardFailed(cause: NodeJS.ErrnoException): CameraError {
  return new CameraError(
    'card-failed',
    'a recording cannot be read',
    { reason: cause.code ?? 'unknown' },
    { cause },
  );
}
