/**
 * The regions of a fragmented clip: ftyp and moov of a movie without samples (ISO/IEC 14496-12 §8.8), and the fragments
 * of each piece. Decode times go on over all pieces. Pure, any thread.
 */
import { BoxWriter } from '../isobmff/box-writer.ts';
import { emptyTables, ftyp, mvex, trak } from '../isobmff/movie-boxes.ts';
import { audioTrackId, videoTrackId } from '../isobmff/segment-head.ts';
import { movieHeader, soundTrack, videoTrack } from './clip-header.ts';
import { type ClipTracks, to8k } from './clip-tracks.ts';
import type { RegionList } from './region-list.ts';

export function addFragmentedRegions(regions: RegionList, tracks: ClipTracks): void {
  const { start90k, end90k, audio } = tracks;
  const { lead90k, lead8k } = leadOf(tracks);
  const w = new BoxWriter(2048);
  ftyp(w, 'iso6', ['iso6', 'iso5', 'isom', 'mp41']);
  w.begin('moov');
  movieHeader(w, tracks, 0);
  // An edit of duration 0 lasts as long as its track.
  const timing = (mediaTime: number) => ({
    durationMovie: 0,
    durationMedia: 0,
    edits: [{ durationMovie: 0, mediaTime }],
  });
  trak(w, videoTrack(tracks, timing(start90k + lead90k)), emptyTables);
  if (audio) trak(w, soundTrack(tracks, audio, timing(to8k(start90k) + lead8k)), emptyTables);
  mvex(w, videoTrackId, audio ? audioTrackId : undefined, end90k - start90k);
  w.finish();
  regions.bytes(w.result());
  for (const [piece, { payloadBytes }] of tracks.pieces.entries()) regions.fragments(payloadBytes, piece);
}

/** How much later than on the clip's line everything is decoded, so that early sound has no time below 0. */
export function leadOf({ audio }: ClipTracks): { lead90k: number; lead8k: number } {
  const fours = Math.ceil(Math.max(0, -(audio?.start8k ?? 0)) / 4);
  return { lead90k: 45 * fours, lead8k: 4 * fours };
}
