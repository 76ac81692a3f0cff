/**
 * G.711 out of FLAC blocks, as one run of samples at 8 kHz. Each block begins at its time; one whose duration differs
 * from its samples by the small correction of the recorder's clock is drawn out or shortened to it, sample by sample;
 * where no block lies is silence, and where a block cannot be decoded. Pure, any thread.
 */
import { CameraError } from '../base/errors.ts';
import { Codec } from '../base/tracks.ts';
import { flacToG711 } from '../codec/flac/flac-decoder.ts';
import { flacBlockSamplesMax } from '../codec/flac/frame-format.ts';
import { pcmaSilence, pcmuSilence } from '../codec/g711.ts';
import { soundOffset } from './piece-counts.ts';
import type { PieceSamples } from './piece-samples.ts';

/** A range of the file of the piece's segment. */
export interface FileRange {
  readonly fileOffset: number;
  readonly lengthBytes: number;
}

/** Blocks of one range: indices among those of the piece. */
export interface BlockRun {
  readonly from: number;
  readonly to: number;
}

/** What a block's duration may differ from its samples by and still be a correction: a part, or some samples. */
const correctionPart = 1 / 25;
const correctionMin = 2;

/** The FLAC frames that a span of the clip's line needs, one range a fragment, and which blocks those are. */
export function soundSources(
  piece: PieceSamples,
  start8k: number,
  end8k: number,
): { ranges: FileRange[]; blocks: BlockRun[] } {
  const ranges: FileRange[] = [];
  const blocks: BlockRun[] = [];
  if (piece.placed.counts.audioBlocks === 0) return { ranges, blocks };
  const starts = piece.blockStarts;
  const first = Math.max(0, firstFrom(starts, start8k + 1) - 1);
  const end = Math.min(firstFrom(starts, end8k), starts.length - 1);
  const { audioSizes } = piece.samples;
  for (let f = 0; f < piece.fragments.length; f++) {
    const own = piece.blocks(f);
    const from = Math.max(first + piece.leadBlocks, own.from);
    const to = Math.min(end + piece.leadBlocks, own.to);
    if (own.from >= end + piece.leadBlocks) break;
    if (from >= to) continue;
    let fileOffset = soundOffset(piece.fragments[f]!);
    for (let i = piece.blockIndex(f); i < from; i++) fileOffset += audioSizes[i]!;
    let lengthBytes = 0;
    for (let i = from; i < to; i++) lengthBytes += audioSizes[i]!;
    ranges.push({ fileOffset, lengthBytes });
    blocks.push({ from, to });
  }
  return { ranges, blocks };
}

/** The bytes of the span, a new array. `sources`: what lies in the ranges of soundSources(). */
export function makeSound(
  piece: PieceSamples,
  blocks: readonly BlockRun[],
  sources: readonly Uint8Array[],
  start8k: number,
  end8k: number,
): Uint8Array {
  const { law } = piece.placed.sound!;
  const out = new Uint8Array(end8k - start8k).fill(law === Codec.pcmu ? pcmuSilence : pcmaSilence);
  for (const [r, { from, to }] of blocks.entries()) {
    let at = 0;
    for (let i = from; i < to; i++) {
      const frame = sources[r]!.subarray(at, at + piece.samples.audioSizes[i]!);
      at += frame.length;
      const samples = decode(frame, piece);
      const ticks = Math.min(lengthOf(samples.length, piece.samples.audioDurations[i]!), spanOf(piece, i));
      const offset = piece.blockStarts[i - piece.leadBlocks]! - start8k;
      placeSamples(samples, piece.samples.audioDurations[i]!, ticks, offset, out);
    }
  }
  return out;
}

/** Ticks until the next block. */
function spanOf({ blockStarts, leadBlocks }: PieceSamples, block: number): number {
  return blockStarts[block - leadBlocks + 1]! - blockStarts[block - leadBlocks]!;
}

/** How long samples are heard: as long as the block lasts, unless there is a gap behind them. */
function lengthOf(samples: number, duration8k: number): number {
  const isCorrection = Math.abs(duration8k - samples) <= Math.max(correctionMin, samples * correctionPart);
  return isCorrection ? duration8k : samples;
}

/** Puts `ticks` samples at an offset that may lie outside of `out`, on either side. */
function placeSamples(
  samples: Uint8Array,
  duration8k: number,
  ticks: number,
  offset: number,
  out: Uint8Array,
): void {
  const drawnOut = lengthOf(samples.length, duration8k);
  const from = Math.max(0, -offset);
  const to = Math.min(ticks, out.length - offset);
  for (let i = from; i < to; i++) {
    const source = drawnOut === samples.length ? i : Math.floor((i * samples.length) / drawnOut);
    out[offset + i] = samples[source]!;
  }
}

const scratch = new Uint8Array(flacBlockSamplesMax);

/** Borrowed until the next call; none when the block is damaged. */
function decode(frame: Uint8Array, piece: PieceSamples): Uint8Array {
  try {
    return scratch.subarray(0, flacToG711(frame, piece.placed.sound!.law, scratch));
  } catch (error) {
    if (error instanceof CameraError) return scratch.subarray(0, 0);
    throw error;
  }
}

/** Index of the first value that is not less. */
function firstFrom(values: Float64Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
