/**
 * Plays the video track of an MP4 file at its own times, for ever, reading each sample straight into the ring.
 *
 * A sample whose NAL units have 4-byte lengths is already a record, so it goes from the file to the ring without a copy
 * (video-track-writer.ts puts together anew what is not). Frames come in decoding order at their decoding times. At the
 * seam the times go on: a loop lasts as long as the file's samples do. Frames that were due during a long stall are left
 * out, with those that refer to them, so that sound which runs beside stays beside. Methods throw CameraError
 * `source-failed`. Capture thread only.
 */
import { CameraError } from '../base/errors.ts';
import { LengthPrefixedReader } from '../codec/length-prefixed.ts';
import { Mp4Index, type Mp4VideoSamples } from '../isobmff/mp4-index.ts';
import { fileReadBytes, mp4IndexReadBytesMax, mp4IndexReadsMax } from './limits.ts';
import type { PacedPlayer } from './paced-run.ts';
import type { SourceFile } from './source-file.ts';
import type { VideoTrackWriter } from './video-track-writer.ts';

export class Mp4Player implements PacedPlayer {
  nextOffsetUs = 0;
  private readonly file: SourceFile;
  private readonly writer: VideoTrackWriter;
  private readonly samples: Mp4VideoSamples;
  private readonly reader: LengthPrefixedReader;
  /** Samples played since the start, over all loops. */
  private played = 0;
  /** For samples whose lengths are shorter than the ring's. */
  private scratch = new Uint8Array(0);

  /** @param file closed by the player. */
  constructor(file: SourceFile, writer: VideoTrackWriter) {
    this.file = file;
    this.writer = writer;
    this.samples = readIndex(file);
    const { codec, lengthSize, parameterSets, durationUs, count } = this.samples;
    this.reader = new LengthPrefixedReader(codec, lengthSize);
    for (const set of parameterSets) this.reader.learn(set);
    writer.begin({ codec, parameterSets, playedPerSecond: roundRate((count * 1e6) / durationUs) });
  }

  emit(captureMonoUs: number): void {
    const index = this.played % this.samples.count;
    this.moveTo(this.played + 1);
    const lengthBytes = this.samples.sizes[index]!;
    const offset = this.samples.offsets[index]!;
    try {
      if (this.samples.lengthSize === 4) this.emitInPlace(lengthBytes, offset, captureMonoUs);
      else this.emitCopied(lengthBytes, offset, captureMonoUs);
    } catch (error) {
      if (!(error instanceof CameraError) || error.code !== 'stream-invalid') throw error;
      this.writer.statistics.dropped++;
      this.writer.markLoss('a sample of the file breaks its standard', { sample: index });
    }
  }

  skipTo(offsetUs: number): void {
    const { durationUs, count, decodeTimesUs } = this.samples;
    const loops = Math.floor(offsetUs / durationUs);
    const withinUs = offsetUs - loops * durationUs;
    let index = 0;
    while (index < count && decodeTimesUs[index]! < withinUs) index++;
    const skipped = loops * count + index - this.played;
    if (skipped <= 0) return;
    this.writer.statistics.dropped += skipped;
    this.writer.markLoss('the machine stalled; frames were left out', { frames: skipped });
    this.moveTo(loops * count + index);
  }

  close(): void {
    this.file.close();
  }

  private moveTo(played: number): void {
    const { durationUs, count, decodeTimesUs } = this.samples;
    this.played = played;
    this.nextOffsetUs = Math.floor(played / count) * durationUs + decodeTimesUs[played % count]!;
  }

  private emitInPlace(lengthBytes: number, offset: number, captureMonoUs: number): void {
    const claim = this.writer.claim(lengthBytes);
    if (!claim) return;
    let unit: ReturnType<LengthPrefixedReader['read']>;
    try {
      if (this.file.read(claim.bytes, offset) < lengthBytes) throw this.file.failure('it is cut short');
      unit = this.reader.read(claim.bytes);
    } catch (error) {
      claim.abandon();
      throw error;
    }
    this.writer.write(unit, captureMonoUs, claim);
  }

  private emitCopied(lengthBytes: number, offset: number, captureMonoUs: number): void {
    if (this.scratch.length < lengthBytes) this.scratch = new Uint8Array(lengthBytes);
    const sample = this.scratch.subarray(0, lengthBytes);
    if (this.file.read(sample, offset) < lengthBytes) throw this.file.failure('it is cut short');
    this.writer.write(this.reader.read(sample), captureMonoUs);
  }
}

/** Whether the file begins like MP4 or MOV: a box of one of the types that such a file begins with. */
export function looksLikeMp4(file: SourceFile): boolean {
  const head = new Uint8Array(8);
  if (file.read(head, 0) < 8) return false;
  return /^(ftyp|styp|moov|moof|mdat|free|skip|wide|pnot|uuid|sidx)$/.test(
    String.fromCharCode(...head.subarray(4)),
  );
}

function readIndex(file: SourceFile): Mp4VideoSamples {
  const index = new Mp4Index();
  let offset = 0;
  let bytesRead = 0;
  try {
    for (let reads = 0; offset < file.sizeBytes && reads < mp4IndexReadsMax; reads++) {
      const piece = new Uint8Array(Math.min(fileReadBytes, file.sizeBytes - offset));
      const bytes = file.read(piece, offset);
      bytesRead += bytes;
      if (bytes === 0 || bytesRead > mp4IndexReadBytesMax) break;
      offset = index.append(piece.subarray(0, bytes), offset);
    }
    return index.finish(file.sizeBytes);
  } catch (error) {
    if (error instanceof CameraError) throw file.failure(error.message, error);
    throw error;
  }
}

function roundRate(rate: number): number {
  const whole = Math.round(rate);
  return Math.abs(rate - whole) < 0.005 ? whole : Math.round(rate * 1000) / 1000;
}
