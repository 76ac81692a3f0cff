/**
 * A run of a V4L2 source: opens and sets the devices, then moves each coded picture into the ring when it is there.
 *
 * One device that gives H.264 or H.265 (UVC cameras, encoder nodes of a board's image processor), or a camera of raw
 * pictures with a memory-to-memory encoder behind it (v4l2-encoder.ts). The event loop wakes when a buffer is ready; the
 * picture is copied once and its buffer is the driver's again at once. Damaged pictures, and those that the driver
 * counted and did not deliver, are losses: counted, and a key frame is asked for. When the device goes away the run ends,
 * and supervised-source.ts opens it again. Capture thread only.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import type { VideoCodec } from '../base/tracks.ts';
import { type V4l2Binding, type V4l2DequeuedBuffer, V4l2Device, v4l2ErrorCode } from '../native/v4l2.ts';
import type { BufferType } from '../native/v4l2-constants.ts';
import type { Logger } from '../telemetry/log.ts';
import type { RunEvents, SourceRun } from './source.ts';
import {
  type CameraSetting,
  captureTimeOf,
  captureTypeOf,
  giveBuffers,
  pictureBytes,
  setCamera,
  setRate,
  v4l2BufferCount,
} from './v4l2-camera.ts';
import { chooseCoded, chooseRaw, listFormats } from './v4l2-choice.ts';
import { applyEncoderControls, forceKeyFrame } from './v4l2-controls.ts';
import { encoderTypesOf, type FeedMode, RawFeed, setEncoder } from './v4l2-encoder.ts';
import { v4l2Failure, v4l2Unusable } from './v4l2-errors.ts';
import type { V4l2Options } from './v4l2-options.ts';
import { V4l2PictureWriter } from './v4l2-picture-writer.ts';
import { SequenceWatch } from './v4l2-sequence.ts';
import type { VideoTrackWriter } from './video-track-writer.ts';

export interface V4l2RunOptions {
  /** Name of the track in the log. */
  readonly name: string;
  readonly options: V4l2Options;
  /** Frames a second where the device tells none; 0: not given. */
  readonly configuredPerSecond: number;
  readonly binding: V4l2Binding;
  readonly writer: VideoTrackWriter;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the runs of one source learn, kept over its restarts. */
  readonly memory: V4l2Memory;
}

/** What is not to be said or tried again by the next run. */
export interface V4l2Memory {
  /** Complaints that are in the log. */
  readonly told: Set<string>;
  feedMode: FeedMode;
}

export function newV4l2Memory(): V4l2Memory {
  return { told: new Set(), feedMode: 'imported' };
}

/** Least time between two key frames that the source itself asks for, microseconds: a damaged cable damages them too. */
const ownKeyframeUs = 1_000_000;

/** Begins to open the devices and returns; what goes wrong is told by `ended`. */
export function startV4l2(options: V4l2RunOptions, events: RunEvents): SourceRun {
  const run = new V4l2Run(options, events);
  void run.begin();
  return run;
}

class V4l2Run implements SourceRun {
  private readonly options: V4l2RunOptions;
  private readonly events: RunEvents;
  private readonly devices: V4l2Device[] = [];
  private readonly sequence = new SequenceWatch();
  private over = false;
  /** What gives the coded pictures, once all is set. */
  private coder: { readonly device: V4l2Device; readonly type: BufferType } | undefined;
  private feed: RawFeed | undefined;
  private pictures: V4l2PictureWriter | undefined;
  private skippedSeen = 0;
  private ownKeyframeMonoUs = Number.NEGATIVE_INFINITY;

  constructor(options: V4l2RunOptions, events: RunEvents) {
    this.options = options;
    this.events = events;
  }

  async begin(): Promise<void> {
    const { device, encoder } = this.options.options;
    try {
      // Not in the caller's turn: `ended` must not come before it holds the run.
      await nextTurn();
      if (this.over) return;
      if (encoder === undefined) await this.openDirect();
      else await this.openEncoded(encoder);
    } catch (error) {
      this.end(v4l2Failure(device, 'to open it', error));
    }
  }

  requestKeyframe(): void {
    const { coder } = this;
    if (!coder || forceKeyFrame(coder.device)) return;
    this.tellOnce('the device makes no key frames on demand');
  }

  async stop(): Promise<void> {
    this.over = true;
    this.closeAll();
  }

  private async openDirect(): Promise<void> {
    const { options } = this.options;
    const device = this.open(options.device);
    const type = captureTypeOf(device);
    const formats = device.formats(type);
    const coded = chooseCoded(formats, options.codec);
    if (!coded)
      throw v4l2Unusable(
        device.path,
        `gives no ${options.codec === undefined ? 'H.264 or H.265' : 'such coded format'} (it gives ${listFormats(formats)}): ` +
          `name an encoder, v4l2:${device.path}?encoder=/dev/video11, or code with ` +
          `command:ffmpeg -f v4l2 -i ${device.path} -c:v libx264 -tune zerolatency -bf 0 -f h264 -`,
      );
    await this.turn();
    const setting = setCamera(device, type, coded.pixelFormat, options);
    await this.turn();
    this.applyControls(device, coded.codec, setting);
    giveBuffers(device, type);
    await this.turn();
    this.run(device, type, coded.codec, setting);
    device.stream(type, true);
    device.watch(status => this.attempt(status, () => this.pumpCoded()));
  }

  private async openEncoded(encoderPath: string): Promise<void> {
    const { options, memory, logger, name } = this.options;
    const camera = this.open(options.device);
    const cameraType = captureTypeOf(camera);
    const encoder = this.open(encoderPath);
    const types = encoderTypesOf(encoder);
    const codedFormats = encoder.formats(types.capture);
    const coded = chooseCoded(codedFormats, options.codec);
    if (!coded)
      throw v4l2Unusable(encoder.path, `does not code that (it codes ${listFormats(codedFormats)})`);
    const given = camera.formats(cameraType);
    const taken = encoder.formats(types.output);
    const raw = chooseRaw(given, taken);
    if (raw === undefined)
      throw v4l2Unusable(
        camera.path,
        `gives ${listFormats(given)}, of which ${encoder.path} takes none that lies in one piece (it takes ${listFormats(taken)})`,
      );
    await this.turn();
    const setting = setCamera(camera, cameraType, raw, options);
    await this.turn();
    setEncoder(encoder, types, coded, setting);
    if (setting.fps > 0)
      setRate(encoder, types.output, { numerator: 1000, denominator: Math.round(setting.fps * 1000) });
    this.applyControls(encoder, coded.codec, setting);
    await this.turn();
    giveBuffers(camera, cameraType);
    const feed = new RawFeed({
      camera,
      cameraType,
      encoder,
      encoderType: types.output,
      mode: memory.feedMode,
    });
    giveBuffers(encoder, types.capture);
    await this.turn();
    this.feed = feed;
    this.run(encoder, types.capture, coded.codec, setting);
    logger.info('raw pictures go to the encoder', { source: name, mode: feed.mode });
    encoder.stream(types.capture, true);
    encoder.stream(types.output, true);
    camera.stream(cameraType, true);
    encoder.watch(status => this.attempt(status, () => this.pumpCoded()));
    camera.watch(status => this.attempt(status, () => this.pumpRaw(feed)));
  }

  private run(device: V4l2Device, type: BufferType, codec: VideoCodec, setting: CameraSetting): void {
    const { name, writer, clock, logger, configuredPerSecond } = this.options;
    const { width, height, fps } = setting;
    logger.info('V4L2 source set', { source: name, device: device.path, width, height, fps });
    this.coder = { device, type };
    this.pictures = new V4l2PictureWriter({
      writer,
      clock,
      codec,
      framesPerSecond: fps > 0 ? fps : configuredPerSecond,
      onByteStream: reason =>
        this.tellOnce(
          `the device's pictures cannot be used in place and are read as a byte stream: ${reason}`,
        ),
    });
  }

  /** Moves what is there into the ring: no more pictures in one turn than there are buffers. */
  private pumpCoded(): void {
    const coder = this.coder!;
    for (let i = 0; i < v4l2BufferCount; i++) {
      const buffer = coder.device.dequeue(coder.type);
      if (!buffer) break;
      try {
        this.take(coder.device, coder.type, buffer);
      } finally {
        coder.device.queue(coder.type, buffer.index);
      }
    }
    this.feed?.takeBack();
  }

  private take(device: V4l2Device, type: BufferType, buffer: V4l2DequeuedBuffer): void {
    const { writer, clock } = this.options;
    const nowMonoUs = clock.monoUs();
    const missing = this.sequence.missingBefore(buffer.sequence);
    if (missing > 0) this.lose('the driver lost pictures', missing, nowMonoUs);
    const lengthBytes = pictureBytes(buffer);
    if (lengthBytes === 0) {
      writer.statistics.dropped++;
      this.lose('the driver gave a damaged picture', 1, nowMonoUs);
      return;
    }
    const { index, dataOffset } = buffer;
    this.pictures!.write(
      lengthBytes,
      (offset, target) => device.read(type, index, dataOffset + offset, target),
      captureTimeOf(buffer, nowMonoUs),
    );
    if (!this.over) this.events.frame();
  }

  private pumpRaw(feed: RawFeed): void {
    try {
      feed.pump(this.options.clock.monoUs());
    } catch (error) {
      // Whether two drivers share memory is certain only when they have done so.
      if (feed.mode === 'imported' && v4l2ErrorCode(error) !== 'ENODEV')
        this.options.memory.feedMode = 'copied';
      throw error;
    }
    this.options.writer.statistics.dropped += feed.skipped - this.skippedSeen;
    this.skippedSeen = feed.skipped;
  }

  private lose(reason: string, pictures: number, nowMonoUs: number): void {
    this.options.writer.markLoss(reason, { pictures });
    if (nowMonoUs - this.ownKeyframeMonoUs < ownKeyframeUs) return;
    this.ownKeyframeMonoUs = nowMonoUs;
    this.requestKeyframe();
  }

  private applyControls(device: V4l2Device, codec: VideoCodec, setting: CameraSetting): void {
    const { options, configuredPerSecond } = this.options;
    const { bitrateKbps, keyframeSeconds } = options;
    const fps = setting.fps || configuredPerSecond || 30;
    const { width, height } = setting;
    const missing = applyEncoderControls(device, {
      codec,
      width,
      height,
      fps,
      bitrateKbps,
      keyframeSeconds,
    });
    if (missing.length > 0) this.tellOnce(`the device has no control for: ${missing.join(', ')}`);
  }

  private open(path: string): V4l2Device {
    try {
      const device = new V4l2Device(this.options.binding, path);
      this.devices.push(device);
      return device;
    } catch (error) {
      throw v4l2Failure(path, 'to open it', error);
    }
  }

  /** Lets the event loop turn between two slow calls; ends the opening when the run was stopped meanwhile. */
  private async turn(): Promise<void> {
    await nextTurn();
    if (this.over) throw new CameraError('source-failed', 'the source was stopped while it was opened');
  }

  private attempt(status: number, operation: () => void): void {
    if (this.over) return;
    const { device } = this.options.options;
    try {
      if (status < 0)
        throw new CameraError('source-failed', `${device}: the device is gone; was it unplugged?`, {
          status,
        });
      operation();
    } catch (error) {
      this.end(v4l2Failure(device, 'to read it', error));
    }
  }

  private end(error: CameraError): void {
    this.closeAll();
    if (this.over) return;
    this.over = true;
    this.events.ended(error);
  }

  private closeAll(): void {
    this.coder = undefined;
    for (const device of this.devices.splice(0).reverse()) device.close();
  }

  private tellOnce(complaint: string): void {
    const { logger, name, memory } = this.options;
    if (memory.told.has(complaint)) return;
    memory.told.add(complaint);
    logger.info(complaint, { source: name });
  }
}
