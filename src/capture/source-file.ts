/**
 * A regular file that a source reads at its own places, with errors in words.
 *
 * Reads are synchronous: they fill memory of the ring or a staging buffer that nobody else may touch meanwhile, and a
 * few KB from the page cache take less time than a round through the thread pool. Files are for demonstration and tests;
 * a camera is a child process or a device. Capture thread only.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { CameraError } from '../base/errors.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
};

export class SourceFile {
  readonly path: string;
  readonly sizeBytes: number;
  private readonly fd: number;
  private open = true;

  /** Opens it. Throws CameraError `source-failed` when it is missing, unreadable, empty or not a regular file. */
  constructor(path: string) {
    this.path = path;
    // Without O_NONBLOCK the open of a named pipe would wait for its writer, and the whole thread with it.
    this.fd = this.attempt(() => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
    const status = this.attempt(() => fstatSync(this.fd));
    this.sizeBytes = status.size;
    if (status.isFile() && status.size > 0) return;
    this.close();
    if (status.isFile()) throw this.failure('it is empty');
    throw this.failure('it is not a regular file; for a pipe or device use command:cat PATH');
  }

  /**
   * Fills `target` from byte `offset` on; returns how many bytes there were, fewer only at the end of the file.
   * Throws CameraError `source-failed`.
   */
  read(target: Uint8Array, offset: number): number {
    let filled = 0;
    while (filled < target.length) {
      const at = filled;
      const bytes = this.attempt(() => readSync(this.fd, target, at, target.length - at, offset + at));
      if (bytes === 0) break;
      filled += bytes;
    }
    return filled;
  }

  /** Once or more often. */
  close(): void {
    if (this.open) closeSync(this.fd);
    this.open = false;
  }

  /** An error that names the file and, in words, what is wrong with it. */
  failure(reason: string, cause?: unknown): CameraError {
    return new CameraError(
      'source-failed',
      `the file ${this.path} cannot be played: ${reason}`,
      {},
      { cause },
    );
  }

  private attempt<T>(operation: () => T): T {
    try {
      return operation();
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      throw this.failure(reasons[code] ?? message, error);
    }
  }
}
