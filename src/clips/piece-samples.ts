/**
 * The samples of a piece in their place: which of them the clip has, when each begins on the clip's line, and where each
 * fragment lies in the clip. Times rise by at least one tick from sample to sample and fill the piece to its end, so that
 * every duration is what lies between two samples, gaps included. Pure; the objects are shared, and not changed.
 */
import { CameraError } from '../base/errors.ts';
import type { FragmentRecord, SegmentSamples } from '../isobmff/recorded-segment.ts';
import type { ClipTracks, PlacedPiece } from './clip-tracks.ts';
import { to8k } from './clip-tracks.ts';
import { fragmentHeadsBytes } from './fragmented-layout.ts';
import { countsBefore, payloadOffset, pieceStart, soundOffset } from './piece-counts.ts';

/** What is made of the samples once; it lives as long as they do. */
const made = new WeakMap<SegmentSamples, PieceSamples>();

/** See the file's comment. Throws CameraError 'recording-damaged' when the samples are not those of the piece. */
export function pieceSamples(tracks: ClipTracks, piece: number, samples: SegmentSamples): PieceSamples {
  const placed = tracks.pieces[piece]!;
  let found = made.get(samples);
  if (found?.placed !== placed) {
    found = new PieceSamples(tracks, placed, samples);
    made.set(samples, found);
  }
  return found;
}

export class PieceSamples {
  readonly placed: PlacedPiece;
  readonly samples: SegmentSamples;
  readonly fragments: readonly FragmentRecord[];
  private readonly tracks: ClipTracks;
  private videoTimes: Float64Array | undefined;
  private blockTimes: Float64Array | undefined;
  private chunkTimes: Float64Array | undefined;

  constructor(tracks: ClipTracks, placed: PlacedPiece, samples: SegmentSamples) {
    this.tracks = tracks;
    this.placed = placed;
    this.samples = samples;
    this.fragments = samples.fragments;
    const { piece, counts } = placed;
    const first = this.fragments[0];
    const last = this.fragments.at(-1);
    const isOfPiece =
      first?.offset === piece.first.offset &&
      last?.offset === piece.last.offset &&
      this.fragments.length === counts.fragments &&
      this.pictureIndex(counts.fragments - 1) + piece.lastVideoSamples === counts.videoSamples &&
      this.blockIndex(counts.fragments - 1) + piece.lastAudioBlocks ===
        counts.audioBlocks + this.leadBlocks &&
      samples.videoSizes.length >= counts.videoSamples &&
      samples.audioSizes.length >= counts.audioBlocks + this.leadBlocks;
    if (!isOfPiece)
      throw new CameraError('recording-damaged', 'A segment has other samples than the index says.', {
        segment: piece.segment.number,
      });
  }

  /** Index of the first picture of a fragment among those of the piece. */
  pictureIndex(fragment: number): number {
    return this.fragments[fragment]!.before.videoSamples - this.fragments[0]!.before.videoSamples;
  }

  /** Blocks in front of those that the clip has. */
  get leadBlocks(): number {
    return this.placed.piece.leadAudioBlocks;
  }

  /** Index of the first block of a fragment among those of the piece, the leading ones counted. */
  blockIndex(fragment: number): number {
    return this.fragments[fragment]!.before.audioBlocks - this.fragments[0]!.before.audioBlocks;
  }

  /** Pictures of a fragment that the clip has. */
  pictures(fragment: number): number {
    const isLast = fragment === this.fragments.length - 1;
    return isLast ? this.placed.piece.lastVideoSamples : this.fragments[fragment]!.videoSamples;
  }

  /** Blocks of a fragment that the clip has: indices as of blockIndex(). */
  blocks(fragment: number): { readonly from: number; readonly to: number } {
    const isLast = fragment === this.fragments.length - 1;
    const index = this.blockIndex(fragment);
    const kept = isLast ? this.placed.piece.lastAudioBlocks : this.fragments[fragment]!.audioBlocks;
    const to = Math.max(this.leadBlocks, index + kept);
    return { from: Math.min(to, Math.max(this.leadBlocks, index)), to };
  }

  /** When each picture begins, 1/90000 s, and behind the last the end of the piece. */
  get videoStarts(): Float64Array {
    if (this.videoTimes) return this.videoTimes;
    const { start90k, end90k, piece } = this.placed;
    const { videoDurations } = this.samples;
    const times = new Float64Array(this.placed.counts.videoSamples + 1);
    for (let f = 0; f < this.fragments.length; f++) {
      let at = start90k + this.fragments[f]!.videoStart90k - piece.first.videoStart90k;
      const index = this.pictureIndex(f);
      for (let i = index; i < index + this.pictures(f); i++) {
        times[i] = at;
        at += videoDurations[i]!;
      }
    }
    const { leadVideoSamples } = piece;
    // Up to the picture that is on screen when the clip begins.
    if (leadVideoSamples > 0)
      for (let i = 0; i <= leadVideoSamples; i++) times[i] = i * this.tracks.leadTicks;
    this.videoTimes = inOrder(times, Math.max(0, start90k), end90k);
    return this.videoTimes;
  }

  /** When each block that the clip has begins, 1/8000 s, and behind the last the end of the piece's sound. */
  get blockStarts(): Float64Array {
    if (this.blockTimes) return this.blockTimes;
    const { sound, counts, piece } = this.placed;
    const { audioDurations } = this.samples;
    const times = new Float64Array(counts.audioBlocks + 1);
    for (let f = 0; f < this.fragments.length; f++) {
      let at = sound!.base8k + this.fragments[f]!.audioStart8k;
      const { from, to } = this.blocks(f);
      for (let i = this.blockIndex(f); i < to; i++) {
        if (i >= from) times[i - this.leadBlocks] = at;
        at += audioDurations[i]!;
      }
    }
    // G.711 may begin within a block.
    const start8k = Math.min(sound!.start8k, sound!.base8k + (piece.firstAudioStart8k ?? 0));
    this.blockTimes = inOrder(times, start8k, sound!.end8k);
    return this.blockTimes;
  }

  /** When the G.711 of each fragment begins, 1/8000 s, and behind the last the end of the piece's sound. */
  get chunkStarts(): Float64Array {
    if (this.chunkTimes) return this.chunkTimes;
    const sound = this.placed.sound!;
    const times = new Float64Array(this.fragments.length + 1);
    for (let f = 0; f < this.fragments.length; f++) times[f] = to8k(this.videoStarts[this.pictureIndex(f)]!);
    times[0] = sound.start8k;
    this.chunkTimes = inOrder(times, sound.start8k, sound.end8k);
    return this.chunkTimes;
  }

  /** Where what the clip has of a fragment begins, its new head included, seen from the piece's first byte in the clip. */
  unitStart(fragment: number): number {
    if (fragment === this.fragments.length) return this.placed.payloadBytes;
    const { options } = this.tracks;
    const counts = countsBefore(this.fragments[fragment]!, this.fragments[0]!);
    let at = this.rangeStart(fragment) - pieceStart(this.placed.piece);
    if (options.audio !== 'flac') at -= counts.audioBytes;
    if (options.audio === 'raw' && this.placed.sound)
      at += this.chunkStarts[fragment]! - this.placed.sound.start8k;
    if (options.format === 'fmp4') {
      const audioBlocks = Math.max(0, counts.audioBlocks - this.leadBlocks);
      at += fragmentHeadsBytes({ ...counts, audioBlocks }, options, this.placed.sound !== undefined);
    }
    return at;
  }

  /** The fragment that a byte of the piece in the clip belongs to. */
  fragmentOf(byteOffset: number): number {
    let low = 0;
    let high = this.fragments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.unitStart(middle) <= byteOffset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Where the file's range of a fragment begins: behind the one before, so that whatever lies between goes along. */
  rangeStart(fragment: number): number {
    if (fragment === 0) return pieceStart(this.placed.piece);
    const before = this.fragments[fragment - 1]!;
    return before.offset + before.lengthBytes;
  }

  /** Where it ends: FLAC goes along only when the clip has it. */
  rangeEnd(fragment: number): number {
    const { [fragment]: record } = this.fragments;
    return this.tracks.options.audio === 'flac' ? record!.offset + record!.lengthBytes : soundOffset(record!);
  }

  /** How far into a fragment's range its first picture lies. */
  picturesAt(fragment: number): number {
    return payloadOffset(this.placed.piece.segment, this.fragments[fragment]!) - this.rangeStart(fragment);
  }

  /** How far into it the first FLAC frame lies, or would. */
  soundAt(fragment: number): number {
    return soundOffset(this.fragments[fragment]!) - this.rangeStart(fragment);
  }
}

/** Makes the times rise, from `start` to `end` behind the last. They do, but for a clock that is corrected. */
function inOrder(times: Float64Array, start: number, end: number): Float64Array {
  const count = times.length - 1;
  let last = start - 1;
  for (let i = 0; i < count; i++) {
    last = Math.min(Math.max(times[i]!, last + 1), end - (count - i));
    times[i] = last;
  }
  times[count] = end;
  return times;
}
