/**
 * Reads a tar archive in the one form that payloads have: ustar (POSIX.1-1988), regular files and folders alone.
 *
 * No library, because they are made to read everything that ever was called tar: links, devices, sparse files, names
 * that a later header changes. Here every such thing is an error, as are absolute names, `..`, a name that comes twice,
 * and anything but zeros behind the end. What an archive may unpack to is bounded before it is written. Pure.
 */
import { CameraError } from '../base/errors.ts';
import { entryPathBytesMax, payloadEntriesMax, unpackedBytesMax } from './limits.ts';

/** Is told what is in the archive, in its order; the reading waits for each. */
export interface TarSink {
  folder(path: string): Promise<void>;
  /** A file begins; its bytes come by `data`, then `fileEnd`. */
  file(path: string, lengthBytes: number, isExecutable: boolean): Promise<void>;
  /** Borrowed until the promise is settled; at least one byte. */
  data(bytes: Uint8Array): Promise<void>;
  fileEnd(): Promise<void>;
}

const blockBytes = 512;

/** Reads a whole archive. Rejects with CameraError `firmware-malformed` for any other form, or with what the sink throws. */
export async function readTar(
  source: AsyncIterable<Uint8Array>,
  sink: TarSink,
  bounds: { readonly bytesMax: number } = { bytesMax: unpackedBytesMax },
): Promise<void> {
  const reader = new Reader(sink, Math.min(bounds.bytesMax, unpackedBytesMax));
  for await (const bytes of source) await reader.push(bytes);
  reader.finish();
}

class Reader {
  private readonly sink: TarSink;
  private readonly bytesMax: number;
  private readonly header = new Uint8Array(blockBytes);
  private headerFilled = 0;
  /** Of the file that is being read, and of the padding behind it. */
  private fileLeft = 0;
  private paddingLeft = 0;
  private isInFile = false;
  private zeroBlocks = 0;
  private bytes = 0;
  private readonly paths = new Set<string>();

  constructor(sink: TarSink, bytesMax: number) {
    this.sink = sink;
    this.bytesMax = bytesMax;
  }

  async push(bytes: Uint8Array): Promise<void> {
    let at = 0;
    const take = (most: number): Uint8Array => {
      const piece = bytes.subarray(at, at + Math.min(most, bytes.length - at));
      at += piece.length;
      return piece;
    };
    while (at < bytes.length) {
      if (this.fileLeft > 0) {
        const piece = take(this.fileLeft);
        this.fileLeft -= piece.length;
        await this.sink.data(piece);
      } else if (this.isInFile) await this.endFile();
      else if (this.paddingLeft > 0) {
        const piece = take(this.paddingLeft);
        this.paddingLeft -= piece.length;
        if (piece.some(byte => byte !== 0)) throw malformed('padding that is not empty');
      } else {
        const piece = take(blockBytes - this.headerFilled);
        this.header.set(piece, this.headerFilled);
        this.headerFilled += piece.length;
        if (this.headerFilled < blockBytes) continue;
        this.headerFilled = 0;
        await this.begin();
      }
    }
    if (this.isInFile && this.fileLeft === 0) await this.endFile();
  }

  finish(): void {
    if (this.zeroBlocks < 2 || this.headerFilled > 0) throw malformed('no end');
  }

  private async endFile(): Promise<void> {
    this.isInFile = false;
    await this.sink.fileEnd();
  }

  private async begin(): Promise<void> {
    const { header } = this;
    if (header.every(byte => byte === 0)) {
      this.zeroBlocks++;
      return;
    }
    if (this.zeroBlocks > 0) throw malformed('something behind the end');
    const { path, isFolder, lengthBytes, isExecutable } = parseHeader(header);
    if (this.paths.has(path)) throw malformed('a name that comes twice');
    if (this.paths.size >= payloadEntriesMax) throw malformed('too many files');
    this.paths.add(path);
    this.bytes += lengthBytes;
    if (this.bytes > this.bytesMax)
      throw new CameraError('firmware-no-room', 'the payload unpacks to too much');
    if (isFolder) {
      await this.sink.folder(path);
      return;
    }
    await this.sink.file(path, lengthBytes, isExecutable);
    this.isInFile = true;
    this.fileLeft = lengthBytes;
    this.paddingLeft = (blockBytes - (lengthBytes % blockBytes)) % blockBytes;
  }
}

interface Entry {
  readonly path: string;
  readonly isFolder: boolean;
  readonly lengthBytes: number;
  readonly isExecutable: boolean;
}

/** Offsets and lengths of POSIX.1-1988, "Archive/Interchange File Format". */
function parseHeader(header: Uint8Array): Entry {
  const magic = text(header, 257, 6) + text(header, 263, 2);
  if (magic !== 'ustar00' || header[262] !== 0) throw malformed('another kind of archive');
  let sum = 0;
  for (let i = 0; i < blockBytes; i++) sum += i >= 148 && i < 156 ? 0x20 : header[i]!;
  if (sum !== octal(header, 148, 8)) throw malformed('a wrong checksum');
  const kind = String.fromCharCode(header[156]!);
  if (kind !== '0' && kind !== '5') throw malformed('something that is neither file nor folder');
  if (text(header, 157, 100) !== '') throw malformed('a link');
  const prefix = text(header, 345, 155);
  const name = (prefix === '' ? '' : `${prefix}/`) + text(header, 0, 100);
  const isFolder = kind === '5';
  const path = isFolder && name.endsWith('/') ? name.slice(0, -1) : name;
  checkPath(path);
  const lengthBytes = octal(header, 124, 12);
  if (isFolder && lengthBytes !== 0) throw malformed('a folder with a content');
  return { path, isFolder, lengthBytes, isExecutable: (octal(header, 100, 8) & 0o100) !== 0 };
}

function checkPath(path: string): void {
  const isPlain =
    path.length > 0 &&
    path.length <= entryPathBytesMax &&
    // Visible ASCII but the backslash: what every file system takes, and no two names that look the same.
    /^[!-[\]-~]+(?: [!-[\]-~]+)*$/.test(path) &&
    path.split('/').every(segment => segment !== '' && segment !== '.' && segment !== '..');
  if (!isPlain) throw malformed('a name that cannot be');
}

/** Up to the first NUL; behind it only NULs. */
function text(header: Uint8Array, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  const used = end < 0 ? field : field.subarray(0, end);
  if (end >= 0 && field.subarray(end).some(byte => byte !== 0)) throw malformed('a field with a tail');
  return String.fromCharCode(...used);
}

/** Octal digits, ended by NUL or a space. */
function octal(header: Uint8Array, offset: number, length: number): number {
  const field = String.fromCharCode(...header.subarray(offset, offset + length));
  const match = /^([0-7]{1,11})[\0 ]+$/.exec(field);
  if (!match) throw malformed('a number that is none');
  return Number.parseInt(match[1]!, 8);
}

function malformed(what: string): CameraError {
  return new CameraError('firmware-malformed', `the payload of the image holds ${what}`);
}
