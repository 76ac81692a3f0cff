/** The vocabulary of clips: what is asked for, what a clip is made of, and how its bytes lie. Pure types. */
import type { FragmentRecord, SegmentRecord } from '../isobmff/recorded-segment.ts';

/** Of a request, the clip's own part. */
export interface ClipOptions {
  readonly format: 'mp4' | 'fmp4';
  /** As on the card, as G.711, or no track of sound. */
  readonly audio: 'flac' | 'raw' | 'none';
}

/** Consecutive fragments of one segment, as far as a clip takes them. Made by clip-pieces.ts. */
export interface ClipPiece {
  readonly segment: SegmentRecord;
  /** Starts with a random access point. */
  readonly first: FragmentRecord;
  readonly last: FragmentRecord;
  /** Kept of the last fragment, at least 1; what is cut off lies dead in the clip. */
  readonly lastVideoSamples: number;
  /** Random access points among them. */
  readonly lastSyncSamples: number;
  readonly lastAudioBlocks: number;
  /** Where the last kept picture ends, since the segment's base; cut at the clip's end. */
  readonly lastVideoEnd90k: number;
  /** Where the first block of sound that is taken begins, since the segment's base; undefined: there is none. */
  readonly firstAudioStart8k: number | undefined;
  /** Blocks of sound in front of it that are not taken, because the clip begins behind them. */
  readonly leadAudioBlocks: number;
  /** Pictures in front of the one that is on screen when the clip begins; it cannot be decoded without them. */
  readonly leadVideoSamples: number;
}

/** A table of samples: the entries that stand for the samples of one piece. */
export type TableKind =
  | 'videoDurations'
  | 'videoSyncs'
  | 'videoChunks'
  | 'videoSizes'
  | 'videoOffsets'
  | 'audioDurations'
  | 'audioChunks'
  | 'audioSizes'
  | 'audioOffsets';

/** A run of bytes of the clip. `piece` is an index into the plan's pieces. */
export type ClipRegion =
  | BytesRegion
  | TableRegion
  /** A range of the segment's file as it is. */
  | {
      readonly kind: 'file';
      readonly offset: number;
      readonly lengthBytes: number;
      readonly piece: number;
      readonly fileOffset: number;
    }
  | FragmentsRegion;

/** Bytes that are there already. */
export interface BytesRegion {
  readonly kind: 'bytes';
  readonly offset: number;
  readonly lengthBytes: number;
  readonly bytes: Uint8Array;
}

/** Entries of a table: tableBytes() makes them of the piece's samples. */
export interface TableRegion {
  readonly kind: 'table';
  readonly offset: number;
  readonly lengthBytes: number;
  readonly piece: number;
  readonly table: TableKind;
}

/** The fragments of a piece, headers, file ranges and G.711 in turns: fragmentParts() says which. */
export interface FragmentsRegion {
  readonly kind: 'fragments';
  readonly offset: number;
  readonly lengthBytes: number;
  readonly piece: number;
}

/** A span of wall-clock time, Unix ms; fractions are possible. */
export interface WallSpan {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
}
