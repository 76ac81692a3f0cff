/** What the headers of both forms of a clip have in common. Pure, any thread. */
import { flacSampleEntry, g711SampleEntry } from '../isobmff/audio-entry.ts';
import type { BoxWriter } from '../isobmff/box-writer.ts';
import { type Edit, mvhd, type TrackInfo } from '../isobmff/movie-boxes.ts';
import { audioTimescale, videoTimescale } from '../isobmff/recorded-segment.ts';
import { audioTrackId, videoTrackId } from '../isobmff/segment-head.ts';
import type { ClipTracks, SoundTrack } from './clip-tracks.ts';

/** The movie counts in the video's ticks. `duration`: 0 in a fragmented file. */
export function movieHeader(w: BoxWriter, tracks: ClipTracks, duration: number): void {
  const nextTrackId = audioTrackId + 1;
  mvhd(w, { createdUnixMs: tracks.startUnixMs, timescale: videoTimescale, duration, nextTrackId });
}

/** What is told of a track besides what it is; durations are 0 in a fragmented file. */
interface Timing {
  readonly durationMovie: number;
  readonly durationMedia: number;
  readonly edits: readonly Edit[];
}

export function videoTrack(tracks: ClipTracks, timing: Timing): TrackInfo {
  const { width, height } = tracks.pieces[0]!.piece.segment.format;
  return {
    ...timing,
    trackId: videoTrackId,
    kind: 'video',
    timescale: videoTimescale,
    width,
    height,
    createdUnixMs: tracks.startUnixMs,
    sampleEntries: tracks.videoEntries,
  };
}

export function soundTrack(tracks: ClipTracks, sound: SoundTrack, timing: Timing): TrackInfo {
  const isRaw = tracks.options.audio === 'raw';
  return {
    ...timing,
    trackId: audioTrackId,
    kind: 'audio',
    timescale: audioTimescale,
    width: 0,
    height: 0,
    createdUnixMs: tracks.startUnixMs,
    sampleEntries: isRaw ? sound.laws.map(g711SampleEntry) : [flacSampleEntry()],
  };
}
