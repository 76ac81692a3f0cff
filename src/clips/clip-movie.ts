/**
 * The regions of a progressive clip: ftyp, moov and the header of the mdat, with holes for the tables of each piece, and
 * the ranges of the pieces behind them. ISO/IEC 14496-12 §8.6.1.2 (stts), §8.6.2 (stss), §8.7.3 to §8.7.5 (stsz, stsc,
 * co64). Pure, any thread.
 */
import { BoxWriter } from '../isobmff/box-writer.ts';
import { type Edit, ftyp, trak } from '../isobmff/movie-boxes.ts';
import { movieHeader, soundTrack, videoTrack } from './clip-header.ts';
import { type ClipTracks, type PlacedPiece, type SoundTrack, to8k } from './clip-tracks.ts';
import type { TableKind } from './clip-types.ts';
import { pieceStart } from './piece-counts.ts';
import type { RegionList } from './region-list.ts';

/** Bytes of one entry of each table. */
export const tableEntryBytes: Readonly<Record<TableKind, number>> = {
  videoDurations: 8,
  videoSyncs: 4,
  videoChunks: 12,
  videoSizes: 4,
  videoOffsets: 8,
  audioDurations: 8,
  audioChunks: 12,
  audioSizes: 4,
  audioOffsets: 8,
};

/** Of a box whose size field has 64 bits. */
const largeBoxHeaderBytes = 16;

interface TableHole {
  readonly offset: number;
  readonly lengthBytes: number;
  readonly piece: number;
  readonly table: TableKind;
}

export function addMovieRegions(regions: RegionList, tracks: ClipTracks): void {
  const holes: TableHole[] = [];
  const w = new BoxWriter(4096);
  const leaveTable = (table: TableKind): void => {
    for (const [piece, placed] of tracks.pieces.entries()) {
      const lengthBytes = tableEntryBytes[table] * entriesOf(table, placed, tracks);
      if (lengthBytes === 0) continue;
      holes.push({ offset: w.offset, lengthBytes, piece, table });
      w.hole(lengthBytes);
    }
  };
  writeMovie(w, tracks, leaveTable);
  w.u32(1)
    .fourcc('mdat')
    .u64(largeBoxHeaderBytes + tracks.payloadBytes);

  let nextHole = 0;
  for (const { offset, bytes } of w.pieces()) {
    for (let hole = holes[nextHole]; hole && hole.offset < offset; hole = holes[++nextHole])
      regions.table(hole.lengthBytes, hole.piece, hole.table);
    regions.bytes(bytes);
  }
  for (const [piece, placed] of tracks.pieces.entries()) {
    // Without sound on the card there is nothing to be left out.
    const isWhole = tracks.options.audio === 'flac' || (placed.counts.audioBytes === 0 && !placed.sound);
    if (isWhole) regions.file(placed.payloadBytes, piece, pieceStart(placed.piece));
    else regions.fragments(placed.payloadBytes, piece);
  }
}

/** Entries that a table has for a piece. */
export function entriesOf(table: TableKind, { counts, sound }: PlacedPiece, { options }: ClipTracks): number {
  switch (table) {
    case 'videoDurations':
    case 'videoSizes':
      return counts.videoSamples;
    case 'videoSyncs':
      return counts.syncSamples;
    case 'videoChunks':
    case 'videoOffsets':
      return counts.fragments;
    default:
      if (!sound) return 0;
      return options.audio === 'raw' ? counts.fragments : counts.audioBlocks;
  }
}

function writeMovie(w: BoxWriter, tracks: ClipTracks, leaveTable: (table: TableKind) => void): void {
  const { start90k, end90k, audio } = tracks;
  const durationMovie = end90k - start90k;
  ftyp(w, 'isom', ['isom', 'iso2', 'mp41']);
  w.begin('moov');
  movieHeader(w, tracks, durationMovie);
  const videoEdits: Edit[] = [{ durationMovie, mediaTime: start90k }];
  trak(w, videoTrack(tracks, { durationMovie, durationMedia: end90k, edits: videoEdits }), () => {
    w.beginFull('stts', 0, 0).u32(tracks.videoSamples);
    leaveTable('videoDurations');
    w.finish().beginFull('stss', 0, 0).u32(tracks.syncSamples);
    leaveTable('videoSyncs');
    w.finish().beginFull('stsc', 0, 0).u32(tracks.fragments);
    leaveTable('videoChunks');
    w.finish().beginFull('stsz', 0, 0).u32(0).u32(tracks.videoSamples);
    leaveTable('videoSizes');
    w.finish().beginFull('co64', 0, 0).u32(tracks.fragments);
    leaveTable('videoOffsets');
    w.finish();
  });
  if (audio) {
    const durationMedia = audio.end8k - audio.start8k;
    const edits = soundEdits(tracks, audio);
    trak(w, soundTrack(tracks, audio, { durationMovie, durationMedia, edits }), () => {
      if (tracks.options.audio === 'raw') rawTables(w, audio, leaveTable);
      else blockTables(w, audio, leaveTable);
    });
  }
  w.finish();
}

/** Sound begins where the clip does, or later. */
function soundEdits({ start90k, end90k }: ClipTracks, audio: SoundTrack): Edit[] {
  const early8k = to8k(start90k) - audio.start8k;
  const durationMovie = end90k - start90k;
  if (early8k >= 0) return [{ durationMovie, mediaTime: early8k }];
  const late90k = Math.round((-early8k * 45) / 4);
  return [
    { durationMovie: late90k, mediaTime: -1 },
    { durationMovie: Math.max(0, durationMovie - late90k), mediaTime: 0 },
  ];
}

/** Each FLAC block is a sample and a chunk: how many fragments have any would not be known. */
function blockTables(w: BoxWriter, { chunks }: SoundTrack, leaveTable: (table: TableKind) => void): void {
  w.beginFull('stts', 0, 0).u32(chunks);
  leaveTable('audioDurations');
  w.finish().beginFull('stsc', 0, 0).u32(1).u32(1).u32(1).u32(1);
  w.finish().beginFull('stsz', 0, 0).u32(0).u32(chunks);
  leaveTable('audioSizes');
  w.finish().beginFull('co64', 0, 0).u32(chunks);
  leaveTable('audioOffsets');
  w.finish();
}

/** A sample is one byte and one tick. */
function rawTables(w: BoxWriter, audio: SoundTrack, leaveTable: (table: TableKind) => void): void {
  const samples = audio.end8k - audio.start8k;
  w.beginFull('stts', 0, 0).u32(1).u32(samples).u32(1);
  w.finish().beginFull('stsc', 0, 0).u32(audio.chunks);
  leaveTable('audioChunks');
  w.finish().beginFull('stsz', 0, 0).u32(1).u32(samples);
  w.finish().beginFull('co64', 0, 0).u32(audio.chunks);
  leaveTable('audioOffsets');
  w.finish();
}
