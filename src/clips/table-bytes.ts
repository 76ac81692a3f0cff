/**
 * The entries of the tables of a progressive clip (ISO/IEC 14496-12 §8.6.1.2, §8.6.2, §8.7.3 to §8.7.5), made when they
 * are read. Pure, any thread.
 */
import { CameraError } from '../base/errors.ts';
import type { SegmentSamples } from '../isobmff/recorded-segment.ts';
import { entriesOf, tableEntryBytes } from './clip-movie.ts';
import type { ClipPlan } from './clip-plan.ts';
import type { TableRegion } from './clip-types.ts';
import { type PieceSamples, pieceSamples } from './piece-samples.ts';

/** Writes the entries `from` to `to` of a table one behind the other. */
type EntryWriter = (
  view: DataView,
  piece: PieceSamples,
  entries: { readonly from: number; readonly to: number },
  payloadOffset: number,
) => void;

/**
 * Any bytes of a table, a new array.
 *
 * @param samples of all fragments of the region's piece, from first to last.
 * @param from bytes from the beginning of the region.
 * @param to the byte behind the last. Throws CameraError 'recording-damaged' when the samples are not those of the piece.
 */
export function tableBytes(
  plan: ClipPlan,
  region: TableRegion,
  samples: SegmentSamples,
  from: number,
  to: number,
): Uint8Array {
  const { tracks } = plan;
  const piece = pieceSamples(tracks, region.piece, samples);
  const { [region.table]: entryBytes } = tableEntryBytes;
  const firstEntry = Math.floor(from / entryBytes);
  const endEntry = Math.min(Math.ceil(to / entryBytes), entriesOf(region.table, piece.placed, tracks));
  const bytes = new Uint8Array((endEntry - firstEntry) * entryBytes);
  const payloadOffset = plan.lengthBytes - tracks.payloadBytes + piece.placed.payloadBefore;
  const isRaw = plan.options.audio === 'raw';
  const writer = isRaw && region.table === 'audioOffsets' ? rawOffsets : writers[region.table];
  writer(new DataView(bytes.buffer), piece, { from: firstEntry, to: endEntry }, payloadOffset);
  return bytes.subarray(from - firstEntry * entryBytes, to - firstEntry * entryBytes);
}

const writers: Readonly<Record<TableRegion['table'], EntryWriter>> = {
  videoDurations: (view, piece, entries) => writeDurations(view, piece.videoStarts, entries),
  videoSyncs: writeSyncs,
  videoChunks(view, piece, { from, to }) {
    const { fragmentsBefore, videoEntry } = piece.placed;
    for (let i = from, at = 0; i < to; i++, at += 12) {
      view.setUint32(at, fragmentsBefore + i + 1);
      view.setUint32(at + 4, piece.pictures(i));
      view.setUint32(at + 8, videoEntry);
    }
  },
  videoSizes: (view, piece, entries) => writeSizes(view, piece.samples.videoSizes, entries),
  videoOffsets(view, piece, { from, to }, payloadOffset) {
    for (let i = from, at = 0; i < to; i++, at += 8)
      setUint64(view, at, payloadOffset + piece.unitStart(i) + piece.picturesAt(i));
  },
  audioDurations: (view, piece, entries) => writeDurations(view, piece.blockStarts, entries),
  audioChunks(view, piece, { from, to }) {
    const { chunksBefore, entry } = piece.placed.sound!;
    for (let i = from, at = 0; i < to; i++, at += 12) {
      view.setUint32(at, chunksBefore + i + 1);
      view.setUint32(at + 4, piece.chunkStarts[i + 1]! - piece.chunkStarts[i]!);
      view.setUint32(at + 8, entry);
    }
  },
  audioSizes: (view, piece, entries) =>
    writeSizes(view, piece.samples.audioSizes.subarray(piece.leadBlocks), entries),
  audioOffsets: writeBlockOffsets,
};

/** G.711 of a fragment follows its file range. */
function rawOffsets(...[view, piece, { from, to }, payloadOffset]: Parameters<EntryWriter>): void {
  for (let i = from, at = 0; i < to; i++, at += 8)
    setUint64(view, at, payloadOffset + piece.unitStart(i) + piece.soundAt(i));
}

/** One sample, and how long it lasts. */
function writeDurations(
  view: DataView,
  starts: Float64Array,
  { from, to }: { readonly from: number; readonly to: number },
): void {
  for (let i = from, at = 0; i < to; i++, at += 8) {
    view.setUint32(at, 1);
    view.setUint32(at + 4, starts[i + 1]! - starts[i]!);
  }
}

function writeSizes(
  view: DataView,
  sizes: Uint32Array,
  { from, to }: { readonly from: number; readonly to: number },
): void {
  for (let i = from, at = 0; i < to; i++, at += 4) view.setUint32(at, sizes[i]!);
}

/** Numbers of the random access points among the pictures of the clip, from 1. */
function writeSyncs(...[view, piece, { from, to }]: Parameters<EntryWriter>): void {
  const { counts, videoSamplesBefore } = piece.placed;
  const { videoSyncs } = piece.samples;
  let entry = 0;
  for (let i = 0; i < counts.videoSamples; i++) {
    if (videoSyncs[i] !== 1) continue;
    if (entry >= from && entry < to) view.setUint32(4 * (entry - from), videoSamplesBefore + i + 1);
    entry++;
  }
  if (entry !== counts.syncSamples)
    throw new CameraError('recording-damaged', 'A segment has other key frames than the index says.', {
      segment: piece.placed.piece.segment.number,
    });
}

function writeBlockOffsets(...[view, piece, { from, to }, payloadOffset]: Parameters<EntryWriter>): void {
  const { audioSizes } = piece.samples;
  const first = from + piece.leadBlocks;
  const end = to + piece.leadBlocks;
  for (let f = 0; f < piece.fragments.length; f++) {
    const blocks = piece.blocks(f);
    if (blocks.to <= first) continue;
    if (blocks.from >= end) break;
    let offset = payloadOffset + piece.unitStart(f) + piece.soundAt(f);
    for (let i = piece.blockIndex(f); i < Math.min(blocks.to, end); i++) {
      if (i >= first) setUint64(view, 8 * (i - first), offset);
      offset += audioSizes[i]!;
    }
  }
}

/** A whole number of at most 53 bits. */
function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 4, value);
}
