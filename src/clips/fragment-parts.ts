/**
 * What lies in a region of fragments, in order: of each fragment the head, in a fragmented clip, then the range of the
 * segment's file, then G.711 where the clip has that. Pure, any thread.
 */
import { CameraError } from '../base/errors.ts';
import type { SegmentSamples } from '../isobmff/recorded-segment.ts';
import type { ClipPlan } from './clip-plan.ts';
import type { FragmentsRegion } from './clip-types.ts';
import { fragmentHeadBytes } from './fragment-head-bytes.ts';
import { fragmentHeadsBytes } from './fragmented-layout.ts';
import { pieceSamples } from './piece-samples.ts';
import { type FileRange, makeSound, soundSources } from './raw-sound.ts';

/** Of a part of kind 'sound': 8 s. */
const soundBytesMax = 64_000;

/** A run of bytes within a region of fragments, at least one; parts follow each other. Offsets are the segment file's. */
export type FragmentPart =
  | { readonly kind: 'bytes'; readonly lengthBytes: number; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly lengthBytes: number; readonly fileOffset: number }
  /** G.711 out of the FLAC frames in `sources`, some 20 KB at most: read all of them, then `make` gives the bytes. */
  | {
      readonly kind: 'sound';
      readonly lengthBytes: number;
      readonly sources: readonly FileRange[];
      make(sources: readonly Uint8Array[]): Uint8Array;
    };

/**
 * The part that begins at a byte of the region and ends where something else follows; parts of kind 'sound' and 'bytes'
 * are at most `bytesMax` long.
 *
 * @param samples of all fragments of the region's piece. Throws CameraError 'recording-damaged' when they are others.
 * @param from bytes from the beginning of the region.
 */
export function fragmentPartAt(
  plan: ClipPlan,
  region: FragmentsRegion,
  samples: SegmentSamples,
  from: number,
  bytesMax: number,
): FragmentPart {
  if (!(from >= 0 && from < region.lengthBytes))
    throw new CameraError('internal', 'A piece of a clip has no such byte.', { from });
  const { tracks } = plan;
  const piece = pieceSamples(tracks, region.piece, samples);
  const fragment = piece.fragmentOf(from);
  let at = from - piece.unitStart(fragment);

  if (plan.options.format === 'fmp4') {
    const headBytes = headBytesOf();
    if (at < headBytes) {
      const bytes = fragmentHeadBytes(tracks, piece, fragment).subarray(at, at + bytesMax);
      return { kind: 'bytes', lengthBytes: bytes.length, bytes };
    }
    at -= headBytes;
  }

  const fileOffset = piece.rangeStart(fragment) + at;
  const rangeEnd = piece.rangeEnd(fragment);
  if (fileOffset < rangeEnd) return { kind: 'file', lengthBytes: rangeEnd - fileOffset, fileOffset };
  at = fileOffset - rangeEnd;

  const start8k = piece.chunkStarts[fragment]! + at;
  const end8k = Math.min(piece.chunkStarts[fragment + 1]!, start8k + Math.min(bytesMax, soundBytesMax));
  const { ranges, blocks } = soundSources(piece, start8k, end8k);
  return {
    kind: 'sound',
    lengthBytes: end8k - start8k,
    sources: ranges,
    make: sources => makeSound(piece, blocks, sources, start8k, end8k),
  };

  function headBytesOf(): number {
    const blocks = piece.blocks(fragment);
    const counts = {
      fragments: 1,
      videoSamples: piece.pictures(fragment),
      audioBlocks: blocks.to - blocks.from,
    };
    return fragmentHeadsBytes(counts, plan.options, piece.placed.sound !== undefined);
  }
}
