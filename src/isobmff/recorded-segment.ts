/**
 * What is known of a recording: segments, the fragments in them, the samples in those. One vocabulary for the recorder
 * that writes them, the index that keeps them and the clips that are made of them. Pure types, and the arithmetic on them.
 *
 * A *segment* is one fragmented MP4 file of one video stream and the sound beside it. A *fragment* is a moof and its mdat
 * (ISO/IEC 14496-12 §8.8): at most about a second of both. Times inside a segment count from its base, the capture time of
 * its first picture: video in 1/90000 s, sound in 1/8000 s. The base has one wall-clock time; order is by segment number
 * and fragment number alone, never by the wall clock, which may step.
 */
import type { AudioCodec, VideoCodec } from '../base/tracks.ts';

/** Ticks a second of video in segments and clips. */
export const videoTimescale = 90_000;
/** Ticks a second of sound: one a G.711 sample. */
export const audioTimescale = 8000;

/** Which video is recorded: 0 the main stream, 1 the sub stream. Numbers of Track. */
export type RecordedStream = 0 | 1;

/** One moof and its mdat. Counts fit 32 bits unless said otherwise. */
export interface FragmentRecord {
  /** In its segment, from 0; may skip where a damaged fragment was left out. */
  readonly number: number;
  /** Of the moof in the file. Segments are shorter than 2 GiB. */
  readonly offset: number;
  /** Of moof and mdat together. */
  readonly lengthBytes: number;
  /** Whether its first picture is a random access point; a segment's first fragment always does. */
  readonly startsWithSync: boolean;
  /** Of the first picture, since the segment's base. */
  readonly videoStart90k: number;
  /** From the first picture to the end of the last. */
  readonly videoDuration90k: number;
  /** Pictures, at least 1, at most 65535. */
  readonly videoSamples: number;
  /** Pictures among them that are random access points. */
  readonly syncSamples: number;
  /** Of the first block of sound, since the segment's base; 0 without sound. */
  readonly audioStart8k: number;
  /** FLAC frames; each is one sample of the MP4. */
  readonly audioBlocks: number;
  /** G.711 samples that they hold. */
  readonly audioSamples: number;
  /** Bytes of all of them. */
  readonly audioBytes: number;
  /** What the fragments before it in the segment hold together. */
  readonly before: SampleCounts;
}

/** Counts over a run of fragments. */
export interface SampleCounts {
  readonly fragments: number;
  readonly videoSamples: number;
  readonly syncSamples: number;
  readonly audioBlocks: number;
  readonly audioSamples: number;
  readonly audioBytes: number;
}

export const noSamples: SampleCounts = {
  fragments: 0,
  videoSamples: 0,
  syncSamples: 0,
  audioBlocks: 0,
  audioSamples: 0,
  audioBytes: 0,
};

/** The counts up to and with a fragment. */
export function countsAfter({ before, ...fragment }: FragmentRecord): SampleCounts {
  return {
    fragments: before.fragments + 1,
    videoSamples: before.videoSamples + fragment.videoSamples,
    syncSamples: before.syncSamples + fragment.syncSamples,
    audioBlocks: before.audioBlocks + fragment.audioBlocks,
    audioSamples: before.audioSamples + fragment.audioSamples,
    audioBytes: before.audioBytes + fragment.audioBytes,
  };
}

/** What a segment's pictures and sound are. Two segments with equal `videoEntry` decode with the same parameter sets. */
export interface SegmentFormat {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** The law of the G.711 that the FLAC blocks were made of; undefined: there is no track of sound. */
  readonly audioCodec: AudioCodec | undefined;
  /** The whole sample entry box: avc1 with avcC, or hvc1 with hvcC; some 100 to 1000 bytes. */
  readonly videoEntry: Uint8Array;
}

/** One file. */
export interface SegmentRecord {
  readonly stream: RecordedStream;
  /** Counts up over all segments of the stream that were ever made in this folder, from 1. */
  readonly number: number;
  /** Path below the folder of the recordings, with `/`; see recorder/segment-path.ts. */
  readonly path: string;
  /** Wall clock at media time 0, Unix ms (whole). */
  readonly baseWallUnixMs: number;
  readonly format: SegmentFormat;
  /** Offset of the first fragment: ftyp, moov and header box lie before it. */
  readonly headBytes: number;
  /** Offset behind the last fragment. */
  readonly endOffset: number;
  /** End of the last picture since the base; gaps are within. */
  readonly duration90k: number;
  /** Of all its fragments. */
  readonly counts: SampleCounts;
  /** How often a fragment does not begin where the one before ends. */
  readonly gaps: number;
  /** Where the table of samples lies; 0 while the segment is written, or where it has none. */
  readonly trailerOffset: number;
  /** Nothing is added any more. */
  readonly isClosed: boolean;
}

/**
 * The samples of some consecutive fragments of one segment, in flat arrays, in the order of the file. Video and sound are
 * counted from the first of these fragments; `before` of the fragments still counts from the segment's beginning.
 */
export interface SegmentSamples {
  readonly fragments: readonly FragmentRecord[];
  /** Bytes of each picture. */
  readonly videoSizes: Uint32Array;
  /** Ticks of 1/90000 s. */
  readonly videoDurations: Uint32Array;
  /** 1 for a random access point. */
  readonly videoSyncs: Uint8Array;
  /** Bytes of each FLAC frame. */
  readonly audioSizes: Uint32Array;
  /** Ticks of 1/8000 s on the time line; may differ a little from the samples in the block. */
  readonly audioDurations: Uint32Array;
  /** G.711 samples in each block. */
  readonly audioBlockSamples: Uint32Array;
}

/** A fragment that begins later than this behind the end of the one before is behind a gap. */
export const gapMin90k = 90 * 250;
