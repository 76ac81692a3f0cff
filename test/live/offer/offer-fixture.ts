/** Offers for tests: the fixtures by name, and edits of their lines. */
import { readdirSync, readFileSync } from 'node:fs';
import { CameraError } from '../../../src/base/errors.ts';
import { type AudioTrackInfo, Codec, Track, type VideoTrackInfo } from '../../../src/base/tracks.ts';

const folder = new URL('../../fixtures/offers/', import.meta.url);

export function readOffer(name: string): string {
  return readFileSync(new URL(`${name}.sdp`, folder), 'utf8');
}

export const offerNames = readdirSync(folder)
  .filter(name => name.endsWith('.sdp'))
  .map(name => name.slice(0, -'.sdp'.length))
  .sort();

/** Applies `edit` to every line; undefined leaves a line out, an array puts several in its place. */
export function editLines(
  sdp: string,
  edit: (line: string) => string | readonly string[] | undefined,
): string {
  const lines = sdp.split('\r\n').slice(0, -1);
  return `${lines.flatMap(line => edit(line) ?? []).join('\r\n')}\r\n`;
}

/** Whether a thrown value is a CameraError of this code whose sentence matches. */
export function isError(code: string, message?: RegExp): (error: unknown) => boolean {
  return error =>
    error instanceof CameraError && error.code === code && (message?.test(error.message) ?? true);
}

export function h264Track(profileLevelId: string, track: Track = Track.main): VideoTrackInfo {
  const bytes = Buffer.from(profileLevelId, 'hex');
  return {
    kind: 'video',
    track,
    codec: Codec.h264,
    width: 1280,
    height: 720,
    framesPerSecond: 30,
    profileIdc: bytes[0]!,
    profileCompatibility: bytes[1]!,
    levelIdc: bytes[2]!,
  };
}

export function h265Track(levelIdc: number, profileIdc = 1): VideoTrackInfo {
  return { ...h264Track('000000'), codec: Codec.h265, profileIdc, profileCompatibility: 0, levelIdc };
}

export const pcmuTrack: AudioTrackInfo = { kind: 'audio', track: Track.audio, codec: Codec.pcmu };
export const pcmaTrack: AudioTrackInfo = { kind: 'audio', track: Track.audio, codec: Codec.pcma };
