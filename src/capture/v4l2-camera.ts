/**
 * A V4L2 capture device, opened and set: pixel format, size and rate, buffers mapped and given to the driver.
 *
 * Linux media documentation, "Video Capture Interface" and "Streaming I/O (Memory Mapping)". Each call is short, but
 * some drivers take tens of milliseconds for one of them, so the caller lets the event loop turn between the steps.
 * Capture thread only.
 */
import type { V4l2DequeuedBuffer, V4l2Device } from '../native/v4l2.ts';
import { BufferFlag, BufferType, Capability, fourccText } from '../native/v4l2-constants.ts';
import { chooseInterval, chooseSize, rateOf, roleOf, type Size } from './v4l2-choice.ts';
import { v4l2Unusable } from './v4l2-errors.ts';
import type { V4l2Options } from './v4l2-options.ts';

/** Buffers of a queue: one with the driver, one that is filled, and two for a reader that comes late. */
export const v4l2BufferCount = 4;

/** A time of the driver's is believed up to this age in microseconds; some give another clock's under this flag. */
const timestampAgeUsMax = 2_000_000;

/** What a device was set to. */
export interface CameraSetting extends Size {
  readonly pixelFormat: number;
  /** Frames a second; 0: not known. */
  readonly fps: number;
  readonly bytesPerLine: number;
  readonly sizeImage: number;
}

/** The type of the queue that gives pictures. Throws CameraError for a device that captures nothing. */
export function captureTypeOf(device: V4l2Device): BufferType {
  const { capabilities, driver, card } = device.queryCapabilities();
  const role = roleOf(capabilities);
  const named = `${device.path} (${driver}, ${card})`;
  if (role === 'encoder')
    throw v4l2Unusable(
      named,
      `codes pictures that another device captures: use v4l2:/dev/video0?encoder=${device.path}`,
    );
  if (role === 'other') throw v4l2Unusable(named, 'is no capture device');
  if (!(capabilities & Capability.streaming)) throw v4l2Unusable(named, 'cannot stream through memory');
  return capabilities & Capability.videoCapture ? BufferType.videoCapture : BufferType.videoCaptureMplane;
}

/** Sets format, size and rate to what is nearest to the options; tells what the driver made of it. */
export function setCamera(
  device: V4l2Device,
  type: BufferType,
  pixelFormat: number,
  options: V4l2Options,
): CameraSetting {
  const { width, height, fps } = options;
  const wanted = width !== undefined && height !== undefined ? { width, height } : undefined;
  const intervals = (size: Size) => device.intervals(pixelFormat, size.width, size.height);
  const size = chooseSize(device.sizes(pixelFormat), wanted, fps, at => intervals(at).map(rateOf));
  const format = device.setFormat(type, { ...size, pixelFormat });
  if (format.pixelFormat !== pixelFormat)
    throw v4l2Unusable(
      device.path,
      `gives ${fourccText(format.pixelFormat)} where ${fourccText(pixelFormat)} was asked for`,
    );
  if (format.planes !== 1) throw v4l2Unusable(device.path, 'gives pictures in several pieces of memory');
  const interval = chooseInterval(intervals(format), fps);
  return { ...format, fps: setRate(device, type, interval) };
}

/** The rate that the driver took, frames a second; one that knows no rates keeps its own. */
export function setRate(
  device: V4l2Device,
  type: BufferType,
  interval: { readonly numerator: number; readonly denominator: number } | undefined,
): number {
  if (interval === undefined) return 0;
  try {
    return rateOf(device.setInterval(type, interval));
  } catch {
    return 0;
  }
}

/** Maps buffers and gives all of them to the driver. */
export function giveBuffers(device: V4l2Device, type: BufferType): void {
  const count = device.requestMapped(type, v4l2BufferCount);
  for (let index = 0; index < count; index++) device.queue(type, index);
}

/** Bytes of the picture in the buffer; 0 when the driver says that it is damaged, or its sizes cannot be. */
export function pictureBytes(buffer: V4l2DequeuedBuffer): number {
  const { flags, bytesUsed, dataOffset, lengthBytes } = buffer;
  if (flags & BufferFlag.error || bytesUsed > lengthBytes || dataOffset >= bytesUsed) return 0;
  return bytesUsed - dataOffset;
}

/** When the picture was captured, by the driver if its clock is ours, else now. */
export function captureTimeOf(buffer: V4l2DequeuedBuffer, nowMonoUs: number): number {
  const kind = buffer.flags & BufferFlag.timestampMask;
  // A memory-to-memory device copies the time that it was given, which is ours.
  const isMonotonic = kind === BufferFlag.timestampMonotonic || kind === BufferFlag.timestampCopy;
  const ageUs = nowMonoUs - buffer.timestampUs;
  return isMonotonic && ageUs >= 0 && ageUs <= timestampAgeUsMax ? buffer.timestampUs : nowMonoUs;
}
