/**
 * A payload on the disk until it is installed: written as it comes, flushed, and read back before anybody relies on it.
 */
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { CameraError } from '../base/errors.ts';
import { readBytes, reserveBytes } from './limits.ts';
import type { FirmwareManifest } from './manifest.ts';
import { digestOf } from './slot-folder.ts';
import { onDisk } from './storage-errors.ts';

/** One file. Methods reject with CameraError `firmware-no-room` or `firmware-storage-failed`. */
export class PayloadFile {
  readonly file: string;
  private readonly handle: FileHandle;
  private isClosed = false;

  private constructor(file: string, handle: FileHandle) {
    this.file = file;
    this.handle = handle;
  }

  /** Makes it anew; what lay under the name is removed. Refuses what the disk has no room for. */
  static async create(file: string, { payloadBytes }: FirmwareManifest): Promise<PayloadFile> {
    return onDisk(async () => {
      await rm(file, { force: true });
      const freeBytes = await freeBytesOf(path.dirname(file));
      if (payloadBytes > freeBytes - reserveBytes)
        throw new CameraError('firmware-no-room', 'the disk of the slots has no room for the image', {
          payloadBytes,
          freeBytes,
        });
      return new PayloadFile(file, await open(file, 'wx+', 0o600));
    });
  }

  /** Appends; borrowed until the promise is settled. */
  write(bytes: Uint8Array): Promise<void> {
    return onDisk(async () => {
      for (let at = 0; at < bytes.length; )
        at += (await this.handle.write(bytes, at, bytes.length - at)).bytesWritten;
    });
  }

  /** Brings it to the disk, reads it again, and rejects unless it is what was signed. Closes it. */
  async settle({ payloadBytes, payloadSha256 }: FirmwareManifest): Promise<void> {
    await onDisk(async () => {
      await this.handle.sync();
      const found = await digestOf(this.handle, Buffer.allocUnsafe(readBytes));
      if (found.bytes !== payloadBytes || found.sha256 !== payloadSha256)
        throw new CameraError('firmware-storage-failed', 'the payload was read back as something else');
      await this.close();
    });
  }

  /** Deletes it. Never rejects. */
  async remove(): Promise<void> {
    await this.close().catch(() => undefined);
    await rm(this.file, { force: true }).catch(() => undefined);
  }

  private async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.handle.close();
  }
}

/** What may be written on the file system of a folder. */
export async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
