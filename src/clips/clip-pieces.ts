/**
 * Picks the pieces of a clip out of the index, in two steps, because the samples at both ends have to be read: first the
 * fragments, then how much of them. Of each segment, by its own clock: from the last fragment with a random access
 * point at or before the start, to the last picture that begins before the end. A start in a gap is the end of the gap.
 * Pure, any thread.
 */
import { CameraError } from '../base/errors.ts';
import {
  type FragmentRecord,
  gapMin90k,
  type RecordedStream,
  type SegmentRecord,
  type SegmentSamples,
} from '../isobmff/recorded-segment.ts';
import type { ClipOptions, ClipPiece, WallSpan } from './clip-types.ts';

/** What is asked of the index; its answers come at once. */
export interface RecordingLookup {
  segmentsIn(stream: RecordedStream, startUnixMs: number, endUnixMs: number): readonly SegmentRecord[];
  fragmentAt(stream: RecordedStream, segmentNumber: number, media90k: number): FragmentRecord | undefined;
  syncFragmentAt(stream: RecordedStream, segmentNumber: number, media90k: number): FragmentRecord | undefined;
  fragments(
    stream: RecordedStream,
    segmentNumber: number,
    from?: number,
    to?: number,
  ): readonly FragmentRecord[];
}

/** A piece whose last fragment is not cut yet. */
export interface UncutPiece {
  readonly segment: SegmentRecord;
  readonly first: FragmentRecord;
  readonly last: FragmentRecord;
  readonly firstAudioStart8k: number | undefined;
  /** Where the clip ends, since the segment's base. */
  readonly end90k: number;
  /** Whether cutPiece() wants the samples of the last fragment. */
  readonly needsLastSamples: boolean;
  /** Where the clip begins in the piece; undefined: with it, or before it. */
  readonly start: ClipStart | undefined;
}

/** The beginning of a clip within its first piece. */
export interface ClipStart {
  /** Since the segment's base. */
  readonly media90k: number;
  /** The fragment that it lies in; cutPiece() wants its samples. */
  readonly fragment: FragmentRecord;
  /** Where the first block of sound in later fragments begins; undefined: there is none. */
  readonly laterAudioStart8k: number | undefined;
}

/** Samples that cutPiece() may want, each of one fragment alone. */
export interface EndSamples {
  /** Of the clip's first fragment that is shown. */
  readonly start: SegmentSamples | undefined;
  readonly last: SegmentSamples | undefined;
}

/** The pieces of a range, in recording order, each fragment once; none when nothing is recorded in it. */
export function selectPieces(index: RecordingLookup, stream: RecordedStream, range: WallSpan): UncutPiece[] {
  const pieces: UncutPiece[] = [];
  const segments = index.segmentsIn(stream, range.startUnixMs, range.endUnixMs);
  for (const [i, segment] of segments.entries()) {
    const start90k = Math.max(0, Math.round((range.startUnixMs - segment.baseWallUnixMs) * 90));
    const end90k = Math.round((range.endUnixMs - segment.baseWallUnixMs) * 90);
    const last = index.fragmentAt(stream, segment.number, end90k - 1);
    const first = last && firstFragment(index, segment, start90k, last);
    if (!last || !first) continue;
    const isCut = last.videoStart90k + last.videoDuration90k > end90k;
    const isLast = i === segments.length - 1;
    pieces.push({
      segment,
      first,
      last,
      firstAudioStart8k: firstSound(index, segment, first, last),
      end90k,
      needsLastSamples: isCut || (isLast && last.audioBlocks > 0),
      // Only the first piece has pictures that are not shown.
      start: pieces.length === 0 ? clipStart(index, segment, start90k, first, last) : undefined,
    });
  }
  return pieces;
}

/**
 * Cuts a piece where the clip begins and ends.
 *
 * @param options a fragmented clip has no FLAC before its start, because players pass over its edit list.
 * @throws CameraError 'recording-damaged' when samples are needed and are missing or others.
 */
export function cutPiece(piece: UncutPiece, samples: EndSamples, options: ClipOptions): ClipPiece {
  const { segment, first, last } = piece;
  const lastVideoEnd90k = Math.min(last.videoStart90k + last.videoDuration90k, piece.end90k);
  const end = cutEnd(piece, samples.last, lastVideoEnd90k);
  const start = cutStart(piece, samples.start, options);
  const blocks = last.before.audioBlocks - first.before.audioBlocks + end.lastAudioBlocks;
  const common = { segment, first, last, lastVideoEnd90k, ...end, ...start };
  if (blocks > start.leadAudioBlocks && start.firstAudioStart8k !== undefined) return common;
  // What is left is none: all of it is in front of the clip.
  return { ...common, firstAudioStart8k: undefined, leadAudioBlocks: blocks };
}

type PieceEnd = Pick<ClipPiece, 'lastVideoSamples' | 'lastSyncSamples' | 'lastAudioBlocks'>;

function cutEnd(
  { segment, last, needsLastSamples }: UncutPiece,
  samples: SegmentSamples | undefined,
  end90k: number,
): PieceEnd {
  if (!needsLastSamples)
    return {
      lastVideoSamples: last.videoSamples,
      lastSyncSamples: last.syncSamples,
      lastAudioBlocks: last.audioBlocks,
    };
  const own = samplesOf(segment, last, samples);
  const lastVideoSamples = countBefore(own.videoDurations, last.videoStart90k, end90k);
  let lastSyncSamples = 0;
  for (let i = 0; i < lastVideoSamples; i++) lastSyncSamples += own.videoSyncs[i]!;
  return {
    lastVideoSamples,
    lastSyncSamples,
    lastAudioBlocks: countBefore(own.audioDurations, last.audioStart8k, (end90k * 4) / 45),
  };
}

type PieceStart = Pick<ClipPiece, 'leadVideoSamples' | 'leadAudioBlocks' | 'firstAudioStart8k'>;

function cutStart(
  { segment, first, start, firstAudioStart8k }: UncutPiece,
  samples: SegmentSamples | undefined,
  { format, audio }: ClipOptions,
): PieceStart {
  if (!start) return { leadVideoSamples: 0, leadAudioBlocks: 0, firstAudioStart8k };
  const { fragment, media90k } = start;
  const { videoDurations, audioDurations } = samplesOf(segment, fragment, samples);
  const shown = countBefore(videoDurations, fragment.videoStart90k, media90k + 1) - 1;
  const begun = countBefore(audioDurations, fragment.audioStart8k, (media90k * 4) / 45);
  // The block that the clip begins in is heard from there on, by the edit list.
  const leading = format === 'fmp4' && audio === 'flac' ? begun : Math.max(0, begun - 1);
  let start8k: number | undefined = fragment.audioStart8k;
  for (let i = 0; i < leading; i++) start8k += audioDurations[i]!;
  if (leading === fragment.audioBlocks) start8k = start.laterAudioStart8k;
  return {
    leadVideoSamples: fragment.before.videoSamples - first.before.videoSamples + Math.max(0, shown),
    leadAudioBlocks: fragment.before.audioBlocks - first.before.audioBlocks + leading,
    firstAudioStart8k: start8k,
  };
}

/** The samples of one fragment, if they are. */
function samplesOf(
  segment: SegmentRecord,
  { number, videoSamples, audioBlocks }: FragmentRecord,
  samples: SegmentSamples | undefined,
): SegmentSamples {
  if (samples?.videoSizes.length !== videoSamples || samples.audioSizes.length !== audioBlocks)
    throw new CameraError('recording-damaged', 'A fragment has other samples than the index says.', {
      segment: segment.number,
      fragment: number,
    });
  return samples;
}

/** How many samples begin before a time. */
function countBefore(durations: Uint32Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; count < durations.length && at < end; count++) at += durations[count]!;
  return count;
}

function firstFragment(
  index: RecordingLookup,
  { stream, number }: SegmentRecord,
  start90k: number,
  last: FragmentRecord,
): FragmentRecord | undefined {
  const at = index.fragmentAt(stream, number, start90k);
  const end90k = at ? at.videoStart90k + at.videoDuration90k : 0;
  const next =
    at && start90k < end90k ? undefined : nextFragment(index, stream, number, at ? at.number + 1 : 0, last);
  // Nothing was recorded at the start: what comes next is the first, or there is nothing in the range at all.
  if (at && start90k >= end90k && !next) return undefined;
  if (next?.startsWithSync && (!at || next.videoStart90k - end90k > gapMin90k)) return next;
  const sync = index.syncFragmentAt(stream, number, start90k);
  if (sync && sync.number <= last.number) return sync;
  // The beginning of the segment was lost.
  return index.fragments(stream, number, undefined, last.number).find(({ startsWithSync }) => startsWithSync);
}

/** The first fragment from a number on, if the range still holds it. */
function nextFragment(
  index: RecordingLookup,
  stream: RecordedStream,
  segmentNumber: number,
  from: number,
  last: FragmentRecord,
): FragmentRecord | undefined {
  if (from > last.number) return undefined;
  return index.fragments(stream, segmentNumber, from, last.number)[0];
}

/** Where the first block of a piece begins; most often it is in the first fragment. */
function firstSound(
  index: RecordingLookup,
  { stream, number }: SegmentRecord,
  first: FragmentRecord,
  last: FragmentRecord,
): number | undefined {
  if (first.audioBlocks > 0) return first.audioStart8k;
  if (last.before.audioBlocks + last.audioBlocks === first.before.audioBlocks) return undefined;
  return index.fragments(stream, number, first.number, last.number).find(({ audioBlocks }) => audioBlocks > 0)
    ?.audioStart8k;
}

/** Undefined when the clip begins with the piece. */
function clipStart(
  index: RecordingLookup,
  segment: SegmentRecord,
  media90k: number,
  first: FragmentRecord,
  last: FragmentRecord,
): ClipStart | undefined {
  const fragment = index.fragmentAt(segment.stream, segment.number, media90k);
  if (!fragment || fragment.number < first.number || media90k <= first.videoStart90k) return undefined;
  const next = nextFragment(index, segment.stream, segment.number, fragment.number + 1, last);
  return { media90k, fragment, laterAudioStart8k: next && firstSound(index, segment, next, last) };
}
