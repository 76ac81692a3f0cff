/**
 * A slot's folder: the software as it was unpacked, and an inventory to check it by.
 *
 *     SLOTS/a/software/dist/cli.js …
 *     SLOTS/a/inventory.json       path, length and SHA-256 of every file
 *
 * It is made under another name, flushed, read back, and renamed; so a folder of the final name was whole once, and the
 * inventory says whether it still is. The read after the installation comes from the page cache mostly; the one before
 * a first start, after a restart or a power cut, comes from the disk.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { CameraError } from '../base/errors.ts';
import { readBytes } from './limits.ts';
import { readTar } from './tar-reader.ts';

/** One file of a slot. */
interface InventoryEntry {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Without it the camera cannot be started from a slot. */
const entryFile = 'dist/cli.js';
const inventoryName = 'inventory.json';
const softwareName = 'software';

/** The folder of the software in a slot's folder. */
export function softwareFolder(slotFolder: string): string {
  return path.join(slotFolder, softwareName);
}

/** The file that is started. */
export function entryOf(slotFolder: string): string {
  return path.join(slotFolder, softwareName, entryFile);
}

/**
 * Unpacks a payload (`.tar.gz`, as `npm run bundle` makes it) into the folder of a slot, which must not be there.
 *
 * @param bytesMax that it may have when unpacked.
 * @throws CameraError `firmware-malformed`, `firmware-no-room`, `firmware-storage-failed`; parts of it may be left under
 * names that begin with the folder's.
 */
export async function makeSlotFolder(
  payloadFile: string,
  slotFolder: string,
  expected: { readonly version: string; readonly bytesMax: number },
): Promise<void> {
  const fresh = `${slotFolder}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(path.join(fresh, softwareName), { recursive: true, mode: 0o755 });
  const entries = await unpack(payloadFile, path.join(fresh, softwareName), expected.bytesMax);
  if (!entries.some(entry => entry.path === entryFile))
    throw new CameraError('firmware-malformed', `the payload of the image has no ${entryFile}`);
  const version = await versionIn(path.join(fresh, softwareName));
  if (version !== expected.version)
    throw new CameraError(
      'firmware-malformed',
      `the payload is version ${version}, the image says otherwise`,
    );
  const inventory = await open(path.join(fresh, inventoryName), 'wx', 0o644);
  try {
    await inventory.writeFile(JSON.stringify(entries, null, 1));
    await inventory.sync();
  } finally {
    await inventory.close();
  }
  await checkSlotFolder(fresh, { flush: true });
  await rename(fresh, slotFolder);
  await syncFolder(path.dirname(slotFolder));
}

/**
 * Reads a slot's folder and holds it against its inventory. Rejects with CameraError `firmware-storage-failed` when
 * anything is not as it was.
 * @param options `flush`: every file and folder is brought to the disk first.
 */
export async function checkSlotFolder(
  slotFolder: string,
  options: { readonly flush?: boolean } = {},
): Promise<void> {
  let entries: readonly InventoryEntry[];
  try {
    entries = JSON.parse(await readFile(path.join(slotFolder, inventoryName), 'utf8'));
  } catch (cause) {
    throw damaged('its inventory cannot be read', cause);
  }
  const buffer = Buffer.allocUnsafe(readBytes);
  const folders = new Set([slotFolder, softwareFolder(slotFolder)]);
  for (const entry of entries) {
    const file = path.join(slotFolder, softwareName, entry.path);
    for (let up = path.dirname(file); up.length > slotFolder.length; up = path.dirname(up)) folders.add(up);
    const handle = await open(file, 'r').catch(cause => {
      throw damaged(`${entry.path} is missing`, cause);
    });
    try {
      if (options.flush) await handle.sync();
      const found = await digestOf(handle, buffer).catch(cause => {
        throw damaged(`${entry.path} cannot be read`, cause);
      });
      if (found.bytes !== entry.bytes || found.sha256 !== entry.sha256)
        throw damaged(`${entry.path} is not as it was`);
    } finally {
      await handle.close();
    }
  }
  if (options.flush) for (const folder of folders) await syncFolder(folder);
}

/** Brings the names in a folder to the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Length and SHA-256 of an open file, from its beginning. */
export async function digestOf(
  handle: FileHandle,
  buffer: Buffer,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, bytes);
    if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') };
    hash.update(buffer.subarray(0, bytesRead));
    bytes += bytesRead;
  }
}

async function unpack(payloadFile: string, folder: string, bytesMax: number): Promise<InventoryEntry[]> {
  const entries: InventoryEntry[] = [];
  const made = new Set([folder]);
  const makeFolder = async (wanted: string): Promise<void> => {
    if (made.has(wanted)) return;
    await mkdir(wanted, { recursive: true, mode: 0o755 });
    made.add(wanted);
  };
  let current:
    | { handle: FileHandle; hash: ReturnType<typeof createHash>; path: string; bytes: number }
    | undefined;
  const input = createReadStream(payloadFile, { highWaterMark: readBytes });
  const gunzip = createGunzip();
  input.on('error', error => gunzip.destroy(error));
  try {
    await readTar(
      input.pipe(gunzip),
      {
        folder: name => makeFolder(path.join(folder, name)),
        async file(name, bytes, isExecutable) {
          const target = path.join(folder, name);
          await makeFolder(path.dirname(target));
          const handle = await open(target, 'wx', isExecutable ? 0o755 : 0o644);
          current = { handle, hash: createHash('sha256'), path: name, bytes };
        },
        async data(bytes) {
          current!.hash.update(bytes);
          for (let at = 0; at < bytes.length; )
            at += (await current!.handle.write(bytes, at, bytes.length - at)).bytesWritten;
        },
        async fileEnd() {
          const { handle, hash, path: name, bytes } = current!;
          current = undefined;
          await handle.close();
          entries.push({ path: name, bytes, sha256: hash.digest('hex') });
        },
      },
      { bytesMax },
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // What zlib says of bytes that are not its own: Z_DATA_ERROR, Z_BUF_ERROR and the like.
    if (code?.startsWith('Z_'))
      throw new CameraError('firmware-malformed', 'the payload is not gzip', {}, { cause: error });
    // A name below a file, or one that the file system cannot hold.
    if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'ENAMETOOLONG')
      throw new CameraError(
        'firmware-malformed',
        'the payload holds names that cannot be together',
        {},
        { cause: error },
      );
    throw error;
  } finally {
    input.destroy();
    gunzip.destroy();
    await current?.handle.close();
  }
  return entries;
}

async function versionIn(folder: string): Promise<string> {
  try {
    const text = await readFile(path.join(folder, 'package.json'), 'utf8');
    return String((JSON.parse(text) as { version?: unknown }).version);
  } catch (cause) {
    throw new CameraError(
      'firmware-malformed',
      'the payload of the image has no package.json',
      {},
      { cause },
    );
  }
}

function damaged(what: string, cause?: unknown): CameraError {
  return new CameraError('firmware-storage-failed', `a slot is damaged: ${what}`, {}, { cause });
}
