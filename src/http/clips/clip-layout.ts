/**
 * What lies where in a clip, as its reader sees it. Pure types.
 */
import type { SegmentRecord } from '../../isobmff/recorded-segment.ts';

/** Bytes from the offset that was asked for, at least 1: in memory, made out of a file, or in the file of a segment. */
export type ClipPart =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'made'; make(readFile: ReadFile): Promise<Uint8Array> }
  | {
      readonly kind: 'file';
      readonly segment: SegmentRecord;
      readonly position: number;
      readonly lengthBytes: number;
    };

/** Reads from a segment's file until the buffer is full; rejects with CameraError `card-failed`. */
export type ReadFile = (segment: SegmentRecord, position: number, into: Uint8Array) => Promise<void>;

/** A clip of known length. */
export interface ClipLayout {
  readonly lengthBytes: number;
  /**
   * What lies from an offset on, of what is not in a file at most so many bytes. A promise when samples have to be loaded
   * first, for which nobody need wait; it rejects with a CameraError.
   */
  partAt(offset: number, bytesMax: number): ClipPart | Promise<ClipPart>;
}
