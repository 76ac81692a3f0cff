/**
 * Reads the text behind `v4l2:`: a device and what is asked of it.
 *
 * `DEVICE?key=value&…` with the keys `width`, `height` (pixels), `fps`, `bitrateKbps`, `codec` (h264 or h265),
 * `keyframeSeconds` and `encoder` (the device of a memory-to-memory encoder, which then codes the raw pictures of
 * DEVICE). What is left out is chosen by what the device can do. Any thread; no I/O.
 */
import { CameraError } from '../base/errors.ts';
import { Codec, type VideoCodec } from '../base/tracks.ts';

export interface V4l2Options {
  readonly device: string;
  /** Device of the encoder; undefined: DEVICE gives coded pictures itself. */
  readonly encoder?: string;
  /** Pixels; both or none. */
  readonly width?: number;
  readonly height?: number;
  /** Frames a second. */
  readonly fps?: number;
  readonly bitrateKbps?: number;
  /** Undefined: H.264 where there is it, else H.265. */
  readonly codec?: VideoCodec;
  /** Time from one key frame to the next. */
  readonly keyframeSeconds: number;
}

/** Long enough that key frames cost little, and half of what a viewer waits for one at worst without being asked. */
const keyframeSecondsDefault = 2;

/** Least and greatest value of each number. Sides: what H.264 level 6.2 can code is below. */
const ranges = {
  width: [16, 16384],
  height: [16, 16384],
  fps: [0.1, 240],
  bitrateKbps: [16, 200_000],
  keyframeSeconds: [0.1, 60],
} as const;
const whole: ReadonlySet<string> = new Set(['width', 'height', 'bitrateKbps']);
const codecs: Readonly<Record<string, VideoCodec>> = { h264: Codec.h264, h265: Codec.h265 };

/** Throws CameraError `config-invalid` for an unknown key, a wrong value, or a width without a height. */
export function parseV4l2Options(text: string): V4l2Options {
  const question = text.indexOf('?');
  const device = question < 0 ? text : text.slice(0, question);
  if (device === '') throw invalid('no device is named', '');
  const options: Record<string, string | number> = { device, keyframeSeconds: keyframeSecondsDefault };
  const query = new URLSearchParams(question < 0 ? '' : text.slice(question + 1));
  for (const [key, value] of query) options[key] = readValue(key, value);
  if ((options.width === undefined) !== (options.height === undefined))
    throw invalid('width and height go together', '');
  return options as unknown as V4l2Options;
}

function readValue(key: string, value: string): string | number {
  if (key === 'encoder' && value !== '') return value;
  if (key === 'codec' && Object.hasOwn(codecs, value)) return codecs[value]!;
  if (key === 'codec') throw invalid('the codec is h264 or h265', key);
  if (!Object.hasOwn(ranges, key))
    throw invalid(`"${key.slice(0, 32)}" is none of encoder, codec, ${Object.keys(ranges).join(', ')}`, key);
  const [least, greatest] = ranges[key as keyof typeof ranges];
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (!(number >= least && number <= greatest) || (whole.has(key) && !Number.isInteger(number)))
    throw invalid(`${key} is a ${whole.has(key) ? 'whole ' : ''}number from ${least} to ${greatest}`, key);
  return number;
}

function invalid(message: string, key: string): CameraError {
  return new CameraError('config-invalid', `the V4L2 source: ${message}`, { key: key.slice(0, 32) });
}
