/**
 * Chooses what a V4L2 device is set to: pixel format, size and rate, by what it offers and what was asked for.
 *
 * Linux media documentation, "Image formats" and "Data negotiation". Asking for nothing gives the largest size up to
 * 1920 × 1080 that comes at 25 frames a second or more: raw pictures over USB are often large and slow. Asking for a
 * size that there is not gives the nearest; the driver has the last word. Pure, but for the questions to the device.
 */
import { Codec, type VideoCodec } from '../base/tracks.ts';
import type { V4l2FormatDescription, V4l2Interval, V4l2SizeRange } from '../native/v4l2.ts';
import { Capability, fourccText, PixelFormat } from '../native/v4l2-constants.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What a device node is good for. */
export type DeviceRole = 'camera' | 'encoder' | 'other';

/** Where nothing is asked for: a picture of this size at most, */
const largestDefault: Size = { width: 1920, height: 1080 };
/** at this rate at least, in frames a second. */
const rateDefault = 25;
/** Where the device names no sizes. */
const sizeDefault: Size = { width: 1280, height: 720 };
/** A rate that is this much too small still counts as the one asked for (29.97 for 30). */
const rateTolerance = 0.98;

const codedFormats: readonly (readonly [VideoCodec, number])[] = [
  [Codec.h264, PixelFormat.h264],
  [Codec.h265, PixelFormat.hevc],
];
/** Raw formats in one piece of memory, the smallest first. */
const rawFormats: readonly number[] = [
  PixelFormat.nv12,
  PixelFormat.yuv420,
  PixelFormat.yuyv,
  PixelFormat.uyvy,
];

/** By the V4L2_CAP bits of the node. */
export function roleOf(capabilities: number): DeviceRole {
  if (capabilities & (Capability.videoM2m | Capability.videoM2mMplane)) return 'encoder';
  return capabilities & (Capability.videoCapture | Capability.videoCaptureMplane) ? 'camera' : 'other';
}

/** The coded format to take: that of `codec`, or H.264 before H.265; undefined when there is none. */
export function chooseCoded(
  formats: readonly V4l2FormatDescription[],
  codec: VideoCodec | undefined,
): { readonly codec: VideoCodec; readonly pixelFormat: number } | undefined {
  for (const [candidate, pixelFormat] of codedFormats)
    if ((codec === undefined || codec === candidate) && formats.some(f => f.pixelFormat === pixelFormat))
      return { codec: candidate, pixelFormat };
  return undefined;
}

/** The raw format that the camera gives and the encoder takes; undefined when there is none. */
export function chooseRaw(
  given: readonly V4l2FormatDescription[],
  taken: readonly V4l2FormatDescription[],
): number | undefined {
  const isIn = (list: readonly V4l2FormatDescription[], wanted: number) =>
    list.some(({ pixelFormat }) => pixelFormat === wanted);
  return rawFormats.find(pixelFormat => isIn(given, pixelFormat) && isIn(taken, pixelFormat));
}

/** Those among `formats` that can be sent to viewers as they are. */
export function codedFormatsOf(formats: readonly V4l2FormatDescription[]): readonly V4l2FormatDescription[] {
  return formats.filter(format => codedFormats.some(([, pixelFormat]) => pixelFormat === format.pixelFormat));
}

/**
 * The size to ask for.
 * @param wanted undefined: not asked for.
 * @param ratesOf frames a second that the device has at a size; none: it does not say.
 */
export function chooseSize(
  ranges: readonly V4l2SizeRange[],
  wanted: Size | undefined,
  fps: number | undefined,
  ratesOf: (size: Size) => readonly number[],
): Size {
  const target = wanted ?? largestDefault;
  const sizes = ranges.map(range => nearestIn(range, target));
  if (wanted) return nearest(sizes, wanted) ?? wanted;
  const fitting = sizes
    .filter(({ width, height }) => width <= target.width && height <= target.height)
    .sort((a, b) => area(b) - area(a));
  const rate = (fps ?? rateDefault) * rateTolerance;
  const quickEnough = fitting.find(size => {
    const rates = ratesOf(size);
    return rates.length === 0 || rates.some(candidate => candidate >= rate);
  });
  return quickEnough ?? fitting[0] ?? nearest(sizes, target) ?? sizeDefault;
}

/** The interval nearest to `fps`; without a wish the shortest, but none shorter than a 30th of a second. */
export function chooseInterval(
  intervals: readonly V4l2Interval[],
  fps: number | undefined,
): V4l2Interval | undefined {
  if (fps !== undefined && intervals.length === 0) return asInterval(fps);
  const target = fps ?? 30;
  const error = (interval: V4l2Interval) => Math.abs(Math.log(rateOf(interval) / target));
  let best: V4l2Interval | undefined;
  for (const interval of intervals)
    if (rateOf(interval) > 0 && (best === undefined || error(interval) < error(best))) best = interval;
  return best;
}

/** Frames a second, or 0 for an interval that says nothing. */
export function rateOf({ numerator, denominator }: V4l2Interval): number {
  return numerator > 0 ? denominator / numerator : 0;
}

/** What formats there are, for people. */
export function listFormats(formats: readonly V4l2FormatDescription[]): string {
  return formats.length === 0 ? 'none' : formats.map(({ pixelFormat }) => fourccText(pixelFormat)).join(', ');
}

function asInterval(fps: number): V4l2Interval {
  return Number.isInteger(fps)
    ? { numerator: 1, denominator: fps }
    : { numerator: 1000, denominator: Math.round(fps * 1000) };
}

function nearestIn(range: V4l2SizeRange, target: Size): Size {
  return {
    width: nearestStep(target.width, range.minWidth, range.maxWidth, range.stepWidth),
    height: nearestStep(target.height, range.minHeight, range.maxHeight, range.stepHeight),
  };
}

function nearestStep(target: number, minimum: number, maximum: number, step: number): number {
  const clamped = Math.min(Math.max(target, minimum), maximum);
  return step > 1 ? minimum + Math.floor((clamped - minimum) / step) * step : clamped;
}

function nearest(sizes: readonly Size[], target: Size): Size | undefined {
  const distance = ({ width, height }: Size) =>
    Math.abs(width - target.width) + Math.abs(height - target.height);
  let best: Size | undefined;
  for (const size of sizes) if (best === undefined || distance(size) < distance(best)) best = size;
  return best;
}

function area({ width, height }: Size): number {
  return width * height;
}
