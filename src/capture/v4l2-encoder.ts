/**
 * Feeds a V4L2 memory-to-memory encoder with the raw pictures of a capture device.
 *
 * Linux media documentation, "Memory-to-memory Stateful Video Encoder Interface". Where both drivers can, the encoder
 * reads the camera's buffers themselves (DMA buffers, V4L2_MEMORY_DMABUF); else a picture is copied once. An encoder
 * that is slower than the camera loses raw pictures, which harms nothing that is coded: a delay would. Left out:
 * conversion of formats and line lengths, since it would cost more than the encoding does; what does not fit is refused
 * in words. Capture thread only.
 */
import type { VideoCodec } from '../base/tracks.ts';
import type { V4l2Device, V4l2PictureFormat } from '../native/v4l2.ts';
import { BufferType, Capability, fourccText } from '../native/v4l2-constants.ts';
import { type CameraSetting, captureTimeOf, pictureBytes, v4l2BufferCount } from './v4l2-camera.ts';
import { roleOf } from './v4l2-choice.ts';
import { v4l2Unusable } from './v4l2-errors.ts';

/** The two queues of an encoder. */
export interface EncoderTypes {
  /** Gives coded pictures. */
  readonly capture: BufferType;
  /** Takes raw pictures. */
  readonly output: BufferType;
}

export interface CodedFormat {
  readonly codec: VideoCodec;
  readonly pixelFormat: number;
}

/** Throws CameraError for a device that is no encoder. */
export function encoderTypesOf(device: V4l2Device): EncoderTypes {
  const { capabilities, driver, card } = device.queryCapabilities();
  if (roleOf(capabilities) !== 'encoder')
    throw v4l2Unusable(`${device.path} (${driver}, ${card})`, 'is no memory-to-memory encoder');
  return capabilities & Capability.videoM2mMplane
    ? { capture: BufferType.videoCaptureMplane, output: BufferType.videoOutputMplane }
    : { capture: BufferType.videoCapture, output: BufferType.videoOutput };
}

/** Sets the encoder to code what the camera gives; the coded queue first, as the standard's set-up begins. */
export function setEncoder(
  device: V4l2Device,
  types: EncoderTypes,
  coded: CodedFormat,
  camera: CameraSetting,
): void {
  const { width, height, pixelFormat, bytesPerLine, sizeImage } = camera;
  const made = device.setFormat(types.capture, { width, height, pixelFormat: coded.pixelFormat });
  if (made.pixelFormat !== coded.pixelFormat || made.planes !== 1)
    throw v4l2Unusable(device.path, `does not code ${fourccText(coded.pixelFormat)}`);
  const raw = device.setFormat(types.output, { width, height, pixelFormat, bytesPerLine, sizeImage });
  const why = misfitOf(raw, camera);
  if (why !== undefined)
    throw v4l2Unusable(device.path, `${why}; ask for another size (?width=…&height=…, multiples of 32)`);
}

function misfitOf(raw: V4l2PictureFormat, camera: CameraSetting): string | undefined {
  const { width, height, pixelFormat, bytesPerLine } = camera;
  if (raw.pixelFormat !== pixelFormat || raw.planes !== 1)
    return `takes no ${fourccText(pixelFormat)} in one piece`;
  if (raw.width !== width || raw.height !== height)
    return `takes ${raw.width} × ${raw.height} where the camera gives ${width} × ${height}`;
  if (bytesPerLine !== 0 && raw.bytesPerLine !== 0 && raw.bytesPerLine !== bytesPerLine)
    return `takes lines of ${raw.bytesPerLine} bytes where the camera gives ${bytesPerLine}`;
  return undefined;
}

/** How raw pictures get to the encoder. */
export type FeedMode = 'imported' | 'copied';

export interface RawFeedOptions {
  readonly camera: V4l2Device;
  readonly cameraType: BufferType;
  readonly encoder: V4l2Device;
  readonly encoderType: BufferType;
  /** 'imported' is an attempt; see {@link RawFeed.mode}. */
  readonly mode: FeedMode;
}

export class RawFeed {
  /** What came of the attempt. */
  readonly mode: FeedMode;
  /** Raw pictures that were not coded: damaged ones, and those that came while the encoder had enough. */
  skipped = 0;
  private readonly options: RawFeedOptions;
  /** Buffers of the encoder's queue that are free. */
  private readonly free: number[] = [];
  /** By the encoder's buffer: the camera's buffer that it reads, -1 for none. */
  private readonly lent: number[];
  private readonly inFlightMax: number;

  /** Requests the encoder's buffers. The camera's are there and with its driver. */
  constructor(options: RawFeedOptions) {
    this.options = options;
    const { encoder, encoderType } = options;
    const imported = options.mode === 'imported' ? this.requestImported() : undefined;
    const count = imported ?? encoder.requestMapped(encoderType, v4l2BufferCount);
    this.mode = imported === undefined ? 'copied' : 'imported';
    this.lent = new Array<number>(count).fill(-1);
    for (let index = 0; index < count; index++) this.free.push(index);
    // Two of the camera's buffers stay with the camera, or it would lose pictures while the encoder works.
    this.inFlightMax = this.mode === 'imported' ? Math.min(count, v4l2BufferCount - 2) : count;
  }

  /** Takes all raw pictures that the camera has; at most as many as there are buffers. Throws what a device throws. */
  pump(nowMonoUs: number): number {
    const { camera, cameraType } = this.options;
    let seen = 0;
    this.takeBack();
    for (; seen < v4l2BufferCount; seen++) {
      const buffer = camera.dequeue(cameraType);
      if (!buffer) break;
      const lengthBytes = pictureBytes(buffer);
      const inFlight = this.lent.length - this.free.length;
      // Memory of another device is taken from its beginning.
      const isShifted = this.mode === 'imported' && buffer.dataOffset > 0;
      if (lengthBytes === 0 || isShifted || inFlight >= this.inFlightMax) {
        this.skipped++;
        camera.queue(cameraType, buffer.index);
        continue;
      }
      this.give(buffer.index, buffer.dataOffset, lengthBytes, captureTimeOf(buffer, nowMonoUs));
    }
    return seen;
  }

  /** Takes back what the encoder is done with. */
  takeBack(): void {
    const { camera, cameraType, encoder, encoderType } = this.options;
    for (let i = 0; i < this.lent.length; i++) {
      const done = encoder.dequeue(encoderType);
      if (!done) return;
      this.free.push(done.index);
      const lent = this.lent[done.index]!;
      this.lent[done.index] = -1;
      if (lent >= 0) camera.queue(cameraType, lent);
    }
  }

  private give(index: number, dataOffset: number, lengthBytes: number, captureMonoUs: number): void {
    const { camera, cameraType, encoder, encoderType } = this.options;
    const slot = this.free.pop()!;
    const timeUs = Math.round(captureMonoUs);
    if (this.mode === 'imported') {
      const place = { device: camera, type: cameraType, index };
      encoder.queueImported(encoderType, slot, lengthBytes, timeUs, place);
      this.lent[slot] = index;
      return;
    }
    camera.copyTo(cameraType, index, dataOffset, lengthBytes, {
      device: encoder,
      type: encoderType,
      index: slot,
    });
    encoder.queue(encoderType, slot, lengthBytes, timeUs);
    camera.queue(cameraType, index);
  }

  /** How many buffers, or undefined where one of the drivers cannot. */
  private requestImported(): number | undefined {
    const { camera, cameraType, encoder, encoderType } = this.options;
    try {
      camera.exportBuffers(cameraType);
      return encoder.requestImported(encoderType, v4l2BufferCount);
    } catch {
      return undefined;
    }
  }
}
