/**
 * The boxes of a movie header that a segment of the recorder and a clip have in common (ISO/IEC 14496-12 §8.2 to §8.6,
 * §8.8), each a function named by its type that writes one box with its fields in wire order. Times are written with 64
 * bits (version 1), so that no box changes its size with what is in it. Pure, any thread.
 */
import type { BoxWriter } from './box-writer.ts';

/** Seconds from 1904-01-01, the epoch of the format, to 1970-01-01. */
const epochSeconds = 2_082_844_800;

/** A 3×3 matrix that changes nothing. */
const unityMatrix = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/** sample_flags of a sync sample: it depends on no other (§8.8.3.1). */
export const syncSampleFlags = 0x0200_0000;
/** sample_flags of any other sample: it depends on others, sample_is_non_sync_sample is set. */
export const otherSampleFlags = 0x0101_0000;

/** What a track is, apart from its tables. */
export interface TrackInfo {
  readonly trackId: number;
  readonly kind: 'video' | 'audio';
  /** In the movie's timescale, edits applied; 0 in a fragmented file. */
  readonly durationMovie: number;
  /** In the track's own timescale; 0 in a fragmented file. */
  readonly durationMedia: number;
  readonly timescale: number;
  /** Pixels; 0 for sound. */
  readonly width: number;
  readonly height: number;
  /** Unix ms. */
  readonly createdUnixMs: number;
  /** The edit list; none: the track is shown from its beginning. */
  readonly edits: readonly Edit[];
  /** The sample entry boxes: one in a segment; a clip has as many as its segments differ. */
  readonly sampleEntries: readonly Uint8Array[];
}

/** One entry of an edit list (§8.6.6). */
export interface Edit {
  /** In the movie's timescale. */
  readonly durationMovie: number;
  /** Where it begins in the track, in the track's timescale; -1: nothing is shown for so long. */
  readonly mediaTime: number;
}

export function ftyp(w: BoxWriter, majorBrand: string, compatible: readonly string[]): void {
  w.begin('ftyp').fourcc(majorBrand).u32(0x200);
  for (const brand of compatible) w.fourcc(brand);
  w.finish();
}

export function mvhd(
  w: BoxWriter,
  movie: { createdUnixMs: number; timescale: number; duration: number; nextTrackId: number },
): void {
  w.beginFull('mvhd', 1, 0);
  creationAndModification(w, movie.createdUnixMs);
  w.u32(movie.timescale).u64(movie.duration);
  w.fixed16(1).fixed8(1).zeros(10); // rate, volume, reserved
  for (const value of unityMatrix) w.u32(value);
  w.zeros(24).u32(movie.nextTrackId).finish();
}

/**
 * A whole trak: headers, edit list and sample description; `tables` writes stts to stco into the sample table box, and
 * may leave holes there.
 */
export function trak(w: BoxWriter, track: TrackInfo, tables: (w: BoxWriter) => void): void {
  w.begin('trak');
  tkhd(w, track);
  if (track.edits.length > 0) edts(w, track.edits);
  w.begin('mdia');
  mdhd(w, track);
  hdlr(w, track.kind);
  w.begin('minf');
  if (track.kind === 'video') vmhd(w);
  else smhd(w);
  dinf(w);
  w.begin('stbl');
  w.beginFull('stsd', 0, 0).u32(track.sampleEntries.length);
  for (const entry of track.sampleEntries) w.bytes(entry);
  w.finish();
  tables(w);
  w.finish().finish().finish().finish(); // stbl, minf, mdia, trak
}

/** The tables of a track whose samples all lie in fragments. */
export function emptyTables(w: BoxWriter): void {
  w.beginFull('stts', 0, 0).u32(0).finish();
  w.beginFull('stsc', 0, 0).u32(0).finish();
  w.beginFull('stsz', 0, 0).u32(0).u32(0).finish();
  w.beginFull('stco', 0, 0).u32(0).finish();
}

/**
 * Says that fragments follow. `audioTrackId` undefined: there is no sound. `durationMovie`: of the whole movie in its
 * timescale, where that is known from the start.
 */
export function mvex(
  w: BoxWriter,
  videoTrackId: number,
  audioTrackId: number | undefined,
  durationMovie?: number,
): void {
  w.begin('mvex');
  if (durationMovie !== undefined) w.beginFull('mehd', 1, 0).u64(durationMovie).finish();
  trex(w, videoTrackId, otherSampleFlags);
  if (audioTrackId !== undefined) trex(w, audioTrackId, syncSampleFlags);
  w.finish();
}

function tkhd(w: BoxWriter, track: TrackInfo): void {
  w.beginFull('tkhd', 1, 3); // track_enabled, track_in_movie
  creationAndModification(w, track.createdUnixMs);
  w.u32(track.trackId).u32(0).u64(track.durationMovie).zeros(8);
  w.u16(0).u16(0); // layer, alternate_group
  w.fixed8(track.kind === 'audio' ? 1 : 0).u16(0); // volume, reserved
  for (const value of unityMatrix) w.u32(value);
  w.fixed16(track.width).fixed16(track.height).finish();
}

function edts(w: BoxWriter, edits: readonly Edit[]): void {
  w.begin('edts').beginFull('elst', 1, 0).u32(edits.length);
  for (const { durationMovie, mediaTime } of edits) w.u64(durationMovie).u64(mediaTime).u16(1).u16(0);
  w.finish().finish();
}

function mdhd(w: BoxWriter, track: TrackInfo): void {
  w.beginFull('mdhd', 1, 0);
  creationAndModification(w, track.createdUnixMs);
  w.u32(track.timescale).u64(track.durationMedia);
  w.u16(0x55c4).u16(0).finish(); // language "und", pre_defined
}

function hdlr(w: BoxWriter, kind: 'video' | 'audio'): void {
  w.beginFull('hdlr', 0, 0).u32(0);
  w.fourcc(kind === 'video' ? 'vide' : 'soun').zeros(12);
  w.text(kind === 'video' ? 'Video' : 'Sound').finish();
}

function vmhd(w: BoxWriter): void {
  w.beginFull('vmhd', 0, 1).u16(0).zeros(6).finish(); // graphicsmode copy, opcolor
}

function smhd(w: BoxWriter): void {
  w.beginFull('smhd', 0, 0).fixed8(0).u16(0).finish(); // balance, reserved
}

function dinf(w: BoxWriter): void {
  w.begin('dinf').beginFull('dref', 0, 0).u32(1);
  w.beginFull('url ', 0, 1).finish(); // the samples are in this file
  w.finish().finish();
}

function trex(w: BoxWriter, trackId: number, defaultSampleFlags: number): void {
  // default_sample_description_index, _duration, _size
  w.beginFull('trex', 0, 0).u32(trackId).u32(1).u32(0).u32(0).u32(defaultSampleFlags).finish();
}

function creationAndModification(w: BoxWriter, unixMs: number): void {
  const seconds = Math.max(0, Math.floor(unixMs / 1000) + epochSeconds);
  w.u64(seconds).u64(seconds);
}
