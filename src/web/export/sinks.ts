/** Where the bytes of a download go: a file that the owner chose, or pieces that become a file at the end. */
import { saveBlob } from '../live/snapshot.ts';
import type { ByteSink } from './clip-download.ts';

/** Bytes that are put into one Blob: small ones cost, large ones wait in memory. */
const pieceBytes = 8 * 1024 * 1024;

/** Beyond this a clip that cannot be written into a file is left to the browser's own download. */
export const blobBytesMax = 1.5e9;

/** Keeps the bytes as Blobs, and has the browser save them as a file at the end. */
export class BlobSink implements ByteSink {
  private readonly name: string;
  private readonly type: string;
  private blobs: Blob[] = [];
  private parts: Uint8Array<ArrayBuffer>[] = [];
  private partBytes = 0;

  constructor(name: string, type = 'video/mp4') {
    this.name = name;
    this.type = type;
  }

  write(bytes: Uint8Array<ArrayBuffer>): void {
    this.parts.push(bytes);
    this.partBytes += bytes.length;
    if (this.partBytes >= pieceBytes) this.pack();
  }

  close(): void {
    this.pack();
    saveBlob(new Blob(this.blobs, { type: this.type }), this.name);
    this.clear();
  }

  clear(): void {
    this.blobs = [];
    this.parts = [];
    this.partBytes = 0;
  }

  private pack(): void {
    this.blobs.push(new Blob(this.parts));
    this.parts = [];
    this.partBytes = 0;
  }
}

/** A file to write, as the File System Access draft of the WICG has it. */
interface WritableFile {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  truncate(size: number): Promise<void>;
  seek(position: number): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

interface FilePicker {
  showSaveFilePicker?(options: {
    readonly suggestedName: string;
    readonly types: readonly { readonly description: string; readonly accept: Record<string, string[]> }[];
  }): Promise<{ createWritable(): Promise<WritableFile> }>;
}

/** Whether the owner can choose a file that is written while it comes. */
export function canPickFile(): boolean {
  return (window as unknown as FilePicker).showSaveFilePicker !== undefined;
}

/** Lets the owner choose a file; undefined when none was chosen. */
export async function pickFile(suggestedName: string): Promise<ByteSink | undefined> {
  try {
    const types = [{ description: 'Video', accept: { 'video/mp4': ['.mp4'] } }];
    const handle = await (window as unknown as FilePicker).showSaveFilePicker?.({ suggestedName, types });
    const file = await handle?.createWritable();
    return file && fileSink(file);
  } catch {
    return undefined;
  }
}

function fileSink(file: WritableFile): ByteSink {
  return {
    write: bytes => file.write(bytes),
    close: () => file.close(),
    async clear() {
      await file.truncate(0);
      await file.seek(0);
    },
  };
}
