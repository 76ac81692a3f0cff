/**
 * The time line of a clip. It counts from the clip's first picture: video in 1/90000 s, sound in 1/8000 s.
 *
 * Pieces follow each other in recording order. Each lies where its wall clock says, seen from the first, but never before
 * the end of what precedes: where the clock stepped back, the hour that comes twice is shown twice. Gaps stay gaps, up to
 * {@link clipGapMax90k}; the last sample in front of one lasts as long. Its last picture lasts until the end that was
 * asked for at most, and the last block of sound as long.
 *
 * The clip shows from the start that was asked for, by an edit list, and with the picture that was on screen then. The
 * pictures before it pass two hundred times as fast, and that one begins at the start: ffmpeg, and Chromium with it, moves
 * all pictures when an edit begins within one, and passes over the edit list of a fragmented file.
 *
 * Sound as it is on the card has one sample a FLAC block. As G.711 it has no gaps: players read G.711 as one run of
 * samples, so silence stands for what is missing, and every fragment has a chunk of at least one sample, from the first
 * piece with sound on. Pure, any thread.
 */
import type { AudioCodec } from '../base/tracks.ts';
import { gapMin90k, type SampleCounts } from '../isobmff/recorded-segment.ts';
import type { ClipOptions, ClipPiece, WallSpan } from './clip-types.ts';
import { fragmentHeadsBytes } from './fragmented-layout.ts';
import { keptCounts, pieceEnd, pieceStart } from './piece-counts.ts';

/** Twelve hours; durations of samples have 32 bits, which is 13 hours. A longer gap is shortened. */
export const clipGapMax90k = 12 * 3600 * 90_000;

/** A piece in its place. */
export interface PlacedPiece {
  readonly piece: ClipPiece;
  readonly counts: SampleCounts;
  /** Of the first picture, by its time; see PieceSamples for those before the clip's start. */
  readonly start90k: number;
  /** Where the next piece begins, or the clip ends. */
  readonly end90k: number;
  /** Fragments and pictures of the clip before it. */
  readonly fragmentsBefore: number;
  readonly videoSamplesBefore: number;
  /** Index of its sample entry, from 1. */
  readonly videoEntry: number;
  /** Undefined where the clip's track of sound has nothing of it. */
  readonly sound: PlacedSound | undefined;
  /** Where its bytes begin behind the header of the clip, and how many they are. */
  readonly payloadBefore: number;
  readonly payloadBytes: number;
}

/** The sound of a piece in its place. */
export interface PlacedSound {
  /** Where it begins, and where the sound of the next piece does, or the clip ends. */
  readonly start8k: number;
  readonly end8k: number;
  /** Where the base of the segment lies for its sound. */
  readonly base8k: number;
  /** Index of its sample entry, from 1. */
  readonly entry: number;
  readonly law: AudioCodec;
  /** Chunks of the track of sound before it: blocks, or fragments with G.711. */
  readonly chunksBefore: number;
}

/** The track of sound. */
export interface SoundTrack {
  readonly start8k: number;
  readonly end8k: number;
  /** FLAC blocks, or fragments with G.711. */
  readonly chunks: number;
  /** The laws of the sample entries with G.711. */
  readonly laws: readonly AudioCodec[];
}

/** Both tracks. */
export interface ClipTracks {
  readonly options: ClipOptions;
  /** How long each picture lasts that comes before the clip's start, 1/90000 s. */
  readonly leadTicks: number;
  /** What is shown of the line. */
  readonly start90k: number;
  readonly end90k: number;
  /** The same by the wall clock. */
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly pieces: readonly PlacedPiece[];
  readonly gaps: readonly WallSpan[];
  readonly videoEntries: readonly Uint8Array[];
  readonly videoSamples: number;
  readonly syncSamples: number;
  readonly fragments: number;
  /** Undefined: none. */
  readonly audio: SoundTrack | undefined;
  /** Of all pieces. */
  readonly payloadBytes: number;
}

/** From 1/90000 s to 1/8000 s. */
export function to8k(ticks90k: number): number {
  return Math.round((ticks90k * 4) / 45);
}

/** Lays out at least one piece. */
export function clipTracks(
  request: WallSpan,
  pieces: readonly ClipPiece[],
  options: ClipOptions,
): ClipTracks {
  const first = pieces[0]!;
  const wallStart = wallOf(first, first.first.videoStart90k);
  const asked90k = Math.max(0, Math.round((request.startUnixMs - wallStart) * 90));
  const leadTicks = leadTicksOf(first);
  const start90k = first.leadVideoSamples * leadTicks;
  const { starts, gaps, end90k } = placePictures(pieces, start90k - asked90k);
  const counts = pieces.map(keptCounts);
  const sounds = placeSound(pieces, starts, { start90k, end90k }, counts, options);
  const videoEntries: Uint8Array[] = [];
  const placed: PlacedPiece[] = [];
  const total = { fragments: 0, videoSamples: 0, syncSamples: 0, payloadBytes: 0 };
  for (const [i, piece] of pieces.entries()) {
    const own = counts[i]!;
    const sound = sounds.pieces[i];
    let payloadBytes = pieceEnd(piece) - pieceStart(piece);
    if (options.audio !== 'flac') payloadBytes -= own.audioBytes;
    if (options.audio === 'raw' && sound) payloadBytes += sound.end8k - sound.start8k;
    if (options.format === 'fmp4') payloadBytes += fragmentHeadsBytes(own, options, sound !== undefined);
    placed.push({
      piece,
      counts: own,
      start90k: starts[i]!,
      end90k: starts[i + 1] ?? end90k,
      fragmentsBefore: total.fragments,
      videoSamplesBefore: total.videoSamples,
      videoEntry: entryIndex(videoEntries, piece.segment.format.videoEntry),
      sound,
      payloadBefore: total.payloadBytes,
      payloadBytes,
    });
    total.fragments += own.fragments;
    total.videoSamples += own.videoSamples;
    total.syncSamples += own.syncSamples;
    total.payloadBytes += payloadBytes;
  }
  return {
    options,
    leadTicks,
    start90k,
    end90k,
    startUnixMs: wallStart + asked90k / 90,
    endUnixMs: wallEnd(pieces.at(-1)!),
    pieces: placed,
    gaps,
    videoEntries,
    ...total,
    audio: sounds.track,
  };
}

/**
 * The speed of the pictures before the start. Not one tick each: ffmpeg takes what comes behind for an interruption when
 * it lasts a thousand times as long.
 */
function leadTicksOf({ first }: ClipPiece): number {
  return Math.max(1, Math.round(first.videoDuration90k / first.videoSamples / 200));
}

/** `first90k`: of the first picture; below 0 when the pictures before the clip's start last longer than their ticks. */
function placePictures(
  pieces: readonly ClipPiece[],
  first90k: number,
): { starts: number[]; gaps: WallSpan[]; end90k: number } {
  const origin = wallOf(pieces[0]!, pieces[0]!.first.videoStart90k);
  const starts: number[] = [];
  const gaps: WallSpan[] = [];
  let end90k = first90k;
  for (const [i, piece] of pieces.entries()) {
    const wall90k = first90k + Math.round((wallOf(piece, piece.first.videoStart90k) - origin) * 90);
    const start90k = Math.max(end90k, Math.min(wall90k, end90k + clipGapMax90k));
    if (start90k - end90k > gapMin90k)
      gaps.push({
        startUnixMs: wallEnd(pieces[i - 1]!),
        endUnixMs: wallOf(piece, piece.first.videoStart90k),
      });
    starts.push(start90k);
    end90k = start90k + piece.lastVideoEnd90k - piece.first.videoStart90k;
  }
  return { starts, gaps, end90k };
}

function placeSound(
  pieces: readonly ClipPiece[],
  starts: readonly number[],
  { start90k, end90k }: { readonly start90k: number; readonly end90k: number },
  counts: readonly SampleCounts[],
  { audio }: ClipOptions,
): { pieces: (PlacedSound | undefined)[]; track: SoundTrack | undefined } {
  const isRaw = audio === 'raw';
  const placed = pieces.map((): PlacedSound | undefined => undefined);
  const laws: AudioCodec[] = [];
  let chunks = 0;
  /** Where the next sound may begin. */
  let free8k = Number.NEGATIVE_INFINITY;
  let last: (PlacedSound & { index: number }) | undefined;
  let start8k = 0;
  const endLast = (at8k: number): void => {
    if (last) placed[last.index] = { ...last, end8k: at8k };
  };
  for (const [i, piece] of pieces.entries()) {
    const { audioBlocks, fragments } = counts[i]!;
    const own8k = audioBlocks > 0 ? piece.firstAudioStart8k : undefined;
    if (audio === 'none' || (own8k === undefined && !(isRaw && last))) continue;
    const video8k = to8k(starts[i]!);
    const base8k = to8k(starts[i]! - piece.first.videoStart90k);
    // Silence stands in front of sound that begins late.
    const isLate = own8k === undefined || (isRaw && base8k + own8k > video8k + lateMax8k);
    const wanted8k = isLate ? video8k : base8k + own8k;
    const pushed8k = Math.max(wanted8k, free8k);
    // G.711 can begin with any sample.
    const at8k = isRaw ? Math.max(pushed8k, to8k(start90k)) : pushed8k;
    endLast(at8k);
    const law: AudioCodec = piece.segment.format.audioCodec ?? last!.law;
    if (!laws.includes(law)) laws.push(law);
    if (!last) start8k = at8k;
    const own = isRaw ? fragments : audioBlocks;
    last = {
      index: i,
      start8k: at8k,
      end8k: at8k,
      base8k: base8k + pushed8k - wanted8k,
      entry: isRaw ? laws.indexOf(law) + 1 : 1,
      law,
      chunksBefore: chunks,
    };
    chunks += own;
    free8k = at8k + own;
  }
  const end8k = Math.max(to8k(end90k), free8k);
  endLast(end8k);
  return { pieces: placed, track: last && { start8k, end8k, chunks, laws } };
}

/** A second. */
const lateMax8k = 8000;

/** Unix ms of a time of a piece's segment. */
function wallOf(piece: ClipPiece, media90k: number): number {
  return piece.segment.baseWallUnixMs + media90k / 90;
}

function wallEnd(piece: ClipPiece): number {
  return wallOf(piece, piece.lastVideoEnd90k);
}

/** From 1; a new entry is appended. Entries repeat those of just before, as a rule. */
function entryIndex(entries: Uint8Array[], entry: Uint8Array): number {
  const found = entries.findLastIndex(other => sameBytes(other, entry));
  return found >= 0 ? found + 1 : entries.push(entry);
}

/** Whether two arrays hold the same. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
