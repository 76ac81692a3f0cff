/** The regions of a clip in order, and the search in them. Pure, any thread. */
import { CameraError } from '../base/errors.ts';
import type { ClipRegion, TableKind } from './clip-types.ts';

/** Grows at its end. */
export class RegionList {
  readonly all: ClipRegion[] = [];
  lengthBytes = 0;

  bytes(bytes: Uint8Array): void {
    this.push({ kind: 'bytes', offset: this.lengthBytes, lengthBytes: bytes.length, bytes });
  }

  table(lengthBytes: number, piece: number, table: TableKind): void {
    this.push({ kind: 'table', offset: this.lengthBytes, lengthBytes, piece, table });
  }

  file(lengthBytes: number, piece: number, fileOffset: number): void {
    this.push({ kind: 'file', offset: this.lengthBytes, lengthBytes, piece, fileOffset });
  }

  fragments(lengthBytes: number, piece: number): void {
    this.push({ kind: 'fragments', offset: this.lengthBytes, lengthBytes, piece });
  }

  /** The region that holds a byte. Throws CameraError 'internal' beyond the end. */
  at(byteOffset: number): ClipRegion {
    if (!(byteOffset >= 0 && byteOffset < this.lengthBytes))
      throw new CameraError('internal', 'A clip has no such byte.', { byteOffset });
    let low = 0;
    let high = this.all.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.all[middle]!.offset <= byteOffset) low = middle;
      else high = middle - 1;
    }
    return this.all[low]!;
  }

  /** A region without bytes is none. */
  private push(region: ClipRegion): void {
    if (region.lengthBytes === 0) return;
    this.all.push(region);
    this.lengthBytes += region.lengthBytes;
  }
}
