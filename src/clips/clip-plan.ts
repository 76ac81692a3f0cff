/**
 * Plans a clip: a file that does not exist, and of which every byte is known all the same. Out of the index alone come
 * its exact length and its regions: bytes, tables of samples, and ranges of the files of the segments. What a table holds
 * is made later, range by range (table-bytes.ts, fragment-parts.ts), from the samples of one segment at a time; a day
 * of 120 pictures a second takes no more memory than its list of segments.
 *
 * `mp4` is a progressive file (ISO/IEC 14496-12 §8.1 to §8.7): ftyp, moov, one mdat. No table is written with runs, so
 * that its size follows from counts: an entry of stts for each sample, of stsc for each fragment, offsets of 64 bits.
 * The mdat is made of raw ranges of segments; the headers of their fragments lie dead in it. `fmp4` has the same ranges,
 * each fragment in an mdat of its own behind a moof.
 *
 * Pure, any thread. The rules of time are in clip-timeline.ts.
 */
import { CameraError } from '../base/errors.ts';
import { addFragmentedRegions } from './clip-fragmented.ts';
import { addMovieRegions } from './clip-movie.ts';
import { type ClipTracks, clipTracks } from './clip-tracks.ts';
import type { ClipOptions, ClipPiece, ClipRegion, WallSpan } from './clip-types.ts';
import { etagSource } from './etag-source.ts';
import { RegionList } from './region-list.ts';

/** A clip. */
export interface ClipPlan {
  readonly options: ClipOptions;
  readonly lengthBytes: number;
  /** Really: not before the first picture there is, and not behind the last. */
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  /** From the clip's start to its end; differs from the wall clock's where that stepped. */
  readonly duration90k: number;
  /** Stable text of all that decides the bytes. */
  readonly etagSource: string;
  readonly regions: readonly ClipRegion[];
  readonly pieces: readonly ClipPiece[];
  /** Spans between pieces that nothing is recorded in, of more than 250 ms; those within pieces are not known here. */
  readonly gaps: readonly WallSpan[];
  /** Pieces of the range that the clip cannot hold, because they are of another codec. */
  readonly leftOut: readonly ClipPiece[];
  readonly fragments: number;
  readonly hasAudio: boolean;
  /** Where samples lie in time and file; for the makers of tables. */
  readonly tracks: ClipTracks;
  /** The region that holds a byte. Throws CameraError 'internal' beyond the end. */
  regionAt(byteOffset: number): ClipRegion;
}

/**
 * Plans the clip of a range of time.
 *
 * @param request whole Unix ms.
 * @param found the pieces of the range, in recording order; see clip-pieces.ts.
 * @returns the plan. Throws CameraError 'recording-not-found' when there is no piece.
 */
export function planClip(request: WallSpan, found: readonly ClipPiece[], options: ClipOptions): ClipPlan {
  const codec = found[0]?.segment.format.codec;
  if (codec === undefined)
    throw new CameraError('recording-not-found', 'Nothing is recorded in that range of time.');
  const pieces = found.filter(({ segment }) => segment.format.codec === codec);
  const leftOut = found.filter(({ segment }) => segment.format.codec !== codec);
  const tracks = clipTracks(request, pieces, options);
  const regions = new RegionList();
  if (options.format === 'mp4') addMovieRegions(regions, tracks);
  else addFragmentedRegions(regions, tracks);
  return {
    options,
    lengthBytes: regions.lengthBytes,
    startUnixMs: tracks.startUnixMs,
    endUnixMs: tracks.endUnixMs,
    duration90k: tracks.end90k - tracks.start90k,
    etagSource: etagSource(request, pieces, options),
    regions: regions.all,
    pieces,
    gaps: tracks.gaps,
    leftOut,
    fragments: tracks.pieces.reduce((sum, { counts }) => sum + counts.fragments, 0),
    hasAudio: tracks.audio !== undefined,
    tracks,
    regionAt: offset => regions.at(offset),
  };
}
