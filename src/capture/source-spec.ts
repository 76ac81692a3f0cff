/**
 * Reads the source strings of the configuration: what a source is, before anything is opened or started.
 *
 * Video: `demo` | `file:PATH` | `command:SHELL COMMAND` (`command+h264:`, `command+h265:` where the codec shall not be
 * guessed) | `v4l2:DEVICE?OPTIONS` (v4l2-options.ts). Audio: `demo` | `file:PATH` | `command:…` (PCMU) | `command+pcma:…`. An empty text is no
 * source. Any thread; no I/O.
 */
import { CameraError } from '../base/errors.ts';
import { type AudioCodec, Codec, type VideoCodec } from '../base/tracks.ts';
import { parseV4l2Options, type V4l2Options } from './v4l2-options.ts';

export type VideoSourceSpec =
  | { readonly kind: 'demo' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'command'; readonly command: string; readonly codec: VideoCodec | undefined }
  | { readonly kind: 'v4l2'; readonly options: V4l2Options };

export type AudioSourceSpec =
  | { readonly kind: 'demo' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'command'; readonly command: string; readonly codec: AudioCodec };

const videoCodecs: Readonly<Record<string, VideoCodec>> = { h264: Codec.h264, h265: Codec.h265 };
const audioCodecs: Readonly<Record<string, AudioCodec>> = { pcmu: Codec.pcmu, pcma: Codec.pcma };

/** The video source that `text` names; undefined for ''. Throws CameraError `config-invalid`. */
export function parseVideoSource(text: string): VideoSourceSpec | undefined {
  if (text === '') return undefined;
  if (text === 'demo') return { kind: 'demo' };
  const { scheme, codec, rest } = split(text);
  if (scheme === 'file' && codec === undefined) return { kind: 'file', path: rest };
  if (scheme === 'v4l2' && codec === undefined) return { kind: 'v4l2', options: parseV4l2Options(rest) };
  if (scheme === 'command' && (codec === undefined || Object.hasOwn(videoCodecs, codec)))
    return { kind: 'command', command: rest, codec: codec === undefined ? undefined : videoCodecs[codec] };
  throw unknown('video', text, 'demo, file:PATH, command:SHELL COMMAND or v4l2:DEVICE');
}

/**
 * The audio source that `text` names; undefined for ''. `auto` is the demo's sound where the main video is the demo.
 * Throws CameraError `config-invalid`.
 */
export function parseAudioSource(text: string, mainVideo: string): AudioSourceSpec | undefined {
  if (text === '' || (text === 'auto' && mainVideo !== 'demo')) return undefined;
  if (text === 'demo' || text === 'auto') return { kind: 'demo' };
  const { scheme, codec, rest } = split(text);
  if (scheme === 'file' && codec === undefined) return { kind: 'file', path: rest };
  if (scheme === 'command' && Object.hasOwn(audioCodecs, codec ?? 'pcmu'))
    return { kind: 'command', command: rest, codec: audioCodecs[codec ?? 'pcmu']! };
  throw unknown('audio', text, 'auto, demo, file:PATH, command:SHELL COMMAND or command+pcma:SHELL COMMAND');
}

function split(text: string): { scheme: string; codec: string | undefined; rest: string } {
  const match = /^([a-z0-9]+)(?:\+([a-z0-9]+))?:(.*\S.*)$/s.exec(text);
  return { scheme: match?.[1] ?? '', codec: match?.[2], rest: match?.[3] ?? '' };
}

function unknown(kind: string, text: string, expected: string): CameraError {
  // The text may be a command with a password in it, so only its beginning is told.
  return new CameraError('config-invalid', `the ${kind} source is not ${expected}`, {
    source: text.slice(0, 16),
  });
}
