/** Writes the head of a fragment of a fragmented clip, see fragmented-layout.ts. Pure, any thread. */
import {
  mdatType,
  mfhdType,
  moofType,
  tfdtType,
  tfhdType,
  trafType,
  trunType,
} from '../isobmff/fragment-layout.ts';
import { otherSampleFlags, syncSampleFlags } from '../isobmff/movie-boxes.ts';
import { audioTrackId, videoTrackId } from '../isobmff/segment-head.ts';
import { leadOf } from './clip-fragmented.ts';
import type { ClipTracks } from './clip-tracks.ts';
import {
  audioEntryBytes,
  fragmentHeadsBytes,
  mdatHeaderBytes,
  mfhdBytes,
  rawSampleBytes,
  rawTfhdBytes,
  tfdtBytes,
  tfhdBytes,
  trafHeaderBytes,
  trunBytes,
  videoEntryBytes,
} from './fragmented-layout.ts';
import type { PieceSamples } from './piece-samples.ts';

/** default-base-is-moof, and the index of the sample entry. */
const tfhdFlags = 0x020002;
/** The same, and default duration and size. */
const rawTfhdFlags = 0x02001a;
/** Data offset; duration, size and flags of each sample. */
const videoTrunFlags = 0x000701;
/** Without flags. */
const audioTrunFlags = 0x000301;
/** Nothing of each sample. */
const rawTrunFlags = 0x000001;

/** The moof and the header of the mdat, a new array. */
export function fragmentHeadBytes(tracks: ClipTracks, piece: PieceSamples, fragment: number): Uint8Array {
  const { sound } = piece.placed;
  const isRaw = tracks.options.audio === 'raw';
  const videoSamples = piece.pictures(fragment);
  const blocks = piece.blocks(fragment);
  const audioBlocks = blocks.to - blocks.from;
  const counts = { fragments: 1, videoSamples, audioBlocks };
  const bytes = new Uint8Array(fragmentHeadsBytes(counts, tracks.options, sound !== undefined));
  const w = new FieldWriter(bytes);
  const moofBytes = bytes.length - mdatHeaderBytes;
  w.box(moofBytes, moofType);
  w.box(mfhdBytes, mfhdType)
    .u32(0)
    .u32(piece.placed.fragmentsBefore + fragment + 1);
  writeVideo(w, tracks, piece, fragment, bytes.length + piece.picturesAt(fragment));
  let soundAt = bytes.length + piece.soundAt(fragment);
  // FLAC frames that the clip does not have lie in the range in front of those that it has; G.711 has none of them.
  if (!isRaw)
    for (let i = piece.blockIndex(fragment); i < blocks.from; i++) soundAt += piece.samples.audioSizes[i]!;
  let payloadBytes = piece.rangeEnd(fragment) - piece.rangeStart(fragment);
  if (sound && isRaw) payloadBytes += writeRaw(w, tracks, piece, fragment, soundAt);
  else if (sound) writeBlocks(w, tracks, piece, fragment, soundAt);
  w.box(mdatHeaderBytes + payloadBytes, mdatType);
  return bytes;
}

function writeVideo(
  w: FieldWriter,
  tracks: ClipTracks,
  piece: PieceSamples,
  fragment: number,
  dataOffset: number,
): void {
  const { videoStarts, samples } = piece;
  const first = piece.pictureIndex(fragment);
  const count = piece.pictures(fragment);
  const trun = trunBytes + videoEntryBytes * count;
  w.box(trafHeaderBytes + tfhdBytes + tfdtBytes + trun, trafType);
  w.box(tfhdBytes, tfhdType).u32(tfhdFlags).u32(videoTrackId).u32(piece.placed.videoEntry);
  w.tfdt(videoStarts[first]! + leadOf(tracks).lead90k);
  w.box(trun, trunType).u32(videoTrunFlags).u32(count).u32(dataOffset);
  for (let i = first; i < first + count; i++) {
    w.u32(videoStarts[i + 1]! - videoStarts[i]!).u32(samples.videoSizes[i]!);
    w.u32(samples.videoSyncs[i] === 1 ? syncSampleFlags : otherSampleFlags);
  }
}

function writeBlocks(
  w: FieldWriter,
  tracks: ClipTracks,
  piece: PieceSamples,
  fragment: number,
  dataOffset: number,
): void {
  const { blockStarts, samples, leadBlocks } = piece;
  const { from, to } = piece.blocks(fragment);
  const count = to - from;
  const trun = trunBytes + audioEntryBytes * count;
  w.box(trafHeaderBytes + tfhdBytes + tfdtBytes + trun, trafType);
  w.box(tfhdBytes, tfhdType).u32(tfhdFlags).u32(audioTrackId).u32(piece.placed.sound!.entry);
  w.tfdt(blockStarts[from - leadBlocks]! + leadOf(tracks).lead8k);
  w.box(trun, trunType).u32(audioTrunFlags).u32(count).u32(dataOffset);
  for (let i = from; i < to; i++)
    w.u32(blockStarts[i - leadBlocks + 1]! - blockStarts[i - leadBlocks]!).u32(samples.audioSizes[i]!);
}

/** Returns the bytes of G.711 that the mdat has. */
function writeRaw(
  w: FieldWriter,
  tracks: ClipTracks,
  piece: PieceSamples,
  fragment: number,
  dataOffset: number,
): number {
  const { chunkStarts } = piece;
  const bytes = chunkStarts[fragment + 1]! - chunkStarts[fragment]!;
  const whole = Math.floor((bytes - 1) / rawSampleBytes);
  const wholeBytes = whole * rawSampleBytes;
  const lastTrun = trunBytes + audioEntryBytes;
  w.box(trafHeaderBytes + rawTfhdBytes + tfdtBytes + trunBytes + lastTrun, trafType);
  w.box(rawTfhdBytes, tfhdType).u32(rawTfhdFlags).u32(audioTrackId).u32(piece.placed.sound!.entry);
  w.u32(rawSampleBytes).u32(rawSampleBytes);
  w.tfdt(chunkStarts[fragment]! + leadOf(tracks).lead8k);
  w.box(trunBytes, trunType).u32(rawTrunFlags).u32(whole).u32(dataOffset);
  w.box(lastTrun, trunType)
    .u32(audioTrunFlags)
    .u32(1)
    .u32(dataOffset + wholeBytes);
  w.u32(bytes - wholeBytes).u32(bytes - wholeBytes);
  return bytes;
}

/** Fields of 32 bits, one behind the other; sizes of boxes are known before. */
class FieldWriter {
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer);
  }

  u32(value: number): this {
    this.view.setUint32(this.at, value);
    this.at += 4;
    return this;
  }

  box(lengthBytes: number, type: number): this {
    return this.u32(lengthBytes).u32(type);
  }

  /** Version 1: 64 bits. */
  tfdt(decodeTime: number): this {
    this.box(tfdtBytes, tfdtType).u32(0x0100_0000);
    return this.u32(Math.floor(decodeTime / 2 ** 32)).u32(decodeTime);
  }
}
