/**
 * Brings coded pictures from the buffers of a V4L2 device into the ring: one copy, straight into the claimed record.
 *
 * V4L2_PIX_FMT_H264 and _HEVC: a buffer holds one access unit with start codes (Annex B). Where each NAL unit has a
 * start code of four bytes, as hardware encoders write them, the codes are overwritten by the lengths where they stand
 * and the record is ready; an access unit delimiter in front is left in the buffer. A device that writes otherwise is
 * read as a byte stream from then on (annexb-stream.ts), which costs two copies more and takes anything. The bytes are
 * searched in the ring and not in the buffer, because a driver's memory may be uncached and then a hundred times slower.
 * One object per run of a source; capture thread only.
 */
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import { Codec, type VideoCodec } from '../base/tracks.ts';
import type { AccessUnit } from '../codec/access-unit.ts';
import { findStartCode, startCodeBytes, trimTrailingZeros } from '../codec/annexb.ts';
import { LengthPrefixedReader } from '../codec/length-prefixed.ts';
import { nalLengthBytes } from '../ring/slot-layout.ts';
import { AnnexBStream } from './annexb-stream.ts';
import type { VideoTrackWriter } from './video-track-writer.ts';

export interface V4l2PictureWriterOptions {
  readonly writer: VideoTrackWriter;
  readonly clock: Clock;
  readonly codec: VideoCodec;
  /** Frames a second that the device was set to; 0: not known. */
  readonly framesPerSecond: number;
  /** Told once, when the device turns out to write otherwise. */
  onByteStream(reason: string): void;
}

/** Fills all of `target` with the picture's bytes from `offset` on. Throws what the device throws. */
export type ReadPicture = (offset: number, target: Uint8Array) => void;

/** Bytes that an access unit delimiter and the start code of what follows it take at most. */
const delimiterHeadBytes = 11;

export class V4l2PictureWriter {
  private readonly options: V4l2PictureWriterOptions;
  private readonly reader: LengthPrefixedReader;
  private readonly head = new Uint8Array(delimiterHeadBytes);
  private stream: AnnexBStream | undefined;
  /** Holds a buffer for the byte stream. */
  private scratch = new Uint8Array(0);
  /** Capture time of the picture at hand: the byte stream takes it for the time of arrival. */
  private captureMonoUs = 0;

  constructor(options: V4l2PictureWriterOptions) {
    this.options = options;
    this.reader = new LengthPrefixedReader(options.codec, nalLengthBytes);
    options.writer.begin({ codec: options.codec, configuredPerSecond: options.framesPerSecond });
  }

  /** Whether the device is read as a byte stream. */
  get isByteStream(): boolean {
    return this.stream !== undefined;
  }

  /** Puts a picture of `lengthBytes` (at least 1) into the ring, or counts it as dropped. Throws what `read` throws. */
  write(lengthBytes: number, read: ReadPicture, captureMonoUs: number): void {
    this.captureMonoUs = captureMonoUs;
    if (this.stream) this.writeToStream(this.stream, lengthBytes, read);
    else this.writeInPlace(lengthBytes, read);
  }

  private writeInPlace(lengthBytes: number, read: ReadPicture): void {
    const { writer } = this.options;
    const head = this.head.subarray(0, Math.min(lengthBytes, delimiterHeadBytes));
    read(0, head);
    const skipped = delimiterBytes(this.options.codec, head);
    const claim = writer.claim(lengthBytes - skipped);
    if (!claim) return;
    let unit: AccessUnit | string;
    try {
      read(skipped, claim.bytes);
      unit = this.unitIn(claim.bytes);
    } catch (error) {
      claim.abandon();
      throw error;
    }
    if (typeof unit !== 'string') {
      writer.write(unit, this.captureMonoUs, claim);
      return;
    }
    claim.abandon();
    this.options.onByteStream(unit);
    this.stream = this.openStream();
    this.writeToStream(this.stream, lengthBytes, read);
  }

  /** The access unit, its start codes made lengths; or why it cannot be had in place. */
  private unitIn(bytes: Uint8Array): AccessUnit | string {
    const end = lengthsForStartCodes(bytes);
    if (end === 0) return 'its start codes are not all of four bytes';
    try {
      return this.reader.read(bytes.subarray(0, end));
    } catch (error) {
      if (error instanceof CameraError && error.code === 'stream-invalid') return error.message;
      throw error;
    }
  }

  private openStream(): AnnexBStream {
    const { writer, clock, codec, framesPerSecond } = this.options;
    return new AnnexBStream({
      writer,
      clock: { monoUs: () => this.captureMonoUs, wallUnixMs: () => clock.wallUnixMs() },
      codec,
      configuredPerSecond: framesPerSecond,
      onPicture: () => undefined,
    });
  }

  private writeToStream(stream: AnnexBStream, lengthBytes: number, read: ReadPicture): void {
    if (this.scratch.length < lengthBytes) this.scratch = new Uint8Array(lengthBytes);
    const bytes = this.scratch.subarray(0, lengthBytes);
    read(0, bytes);
    stream.push(bytes, false);
    // The end of the buffer is the end of the picture.
    stream.end();
  }
}

/** Bytes of an access unit delimiter in front, up to the start code behind it; 0 where there is none. */
function delimiterBytes(codec: VideoCodec, head: Uint8Array): number {
  const first = findStartCode(head, 0, head.length);
  if (first < 0 || first > 1) return 0;
  const type = head[first + startCodeBytes]!;
  const isDelimiter = codec === Codec.h264 ? (type & 0x1f) === 9 : ((type >> 1) & 0x3f) === 35;
  if (!isDelimiter) return 0;
  const next = findStartCode(head, first + startCodeBytes, head.length);
  return next > 0 && head[next - 1] === 0 ? next - 1 : 0;
}

/**
 * Overwrites the start codes of `bytes` by the lengths of the NAL units behind them; the end of the last one without
 * trailing zeros. 0, and nothing changed, where the bytes are not NAL units behind start codes of four bytes each.
 */
function lengthsForStartCodes(bytes: Uint8Array): number {
  const starts: number[] = [];
  let end = 0;
  for (let code = findStartCode(bytes, 0, bytes.length); code >= 0; ) {
    // The fourth byte of the code stands in front of the prefix, right behind the NAL unit before.
    if (code < 1 || bytes[code - 1] !== 0 || (starts.length === 0 ? code !== 1 : bytes[code - 2] === 0))
      return 0;
    const start = code + startCodeBytes;
    starts.push(start);
    code = findStartCode(bytes, start, bytes.length);
    end = code < 0 ? trimTrailingZeros(bytes, start, bytes.length) : code - 1;
    if (end <= start) return 0;
  }
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i]!;
    const length = (i + 1 < starts.length ? starts[i + 1]! - nalLengthBytes : end) - start;
    bytes[start - 4] = length >>> 24;
    bytes[start - 3] = length >>> 16;
    bytes[start - 2] = length >>> 8;
    bytes[start - 1] = length;
  }
  return end;
}
