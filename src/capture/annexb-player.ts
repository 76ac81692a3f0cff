/**
 * Plays an Annex-B file at its rate, for ever: the next access unit is cut beforehand and copied when it is due.
 *
 * The rate is the one given, else that of the first SPS, else 30. A raw file has no index: after a long stall the player
 * goes on where it was, later, instead of searching for where it ought to be. Methods throw CameraError `source-failed`.
 * Capture thread only.
 */
import type { VideoCodec } from '../base/tracks.ts';
import type { AccessUnit } from '../codec/access-unit.ts';
import { AccessUnitCutter } from '../codec/access-unit-cutter.ts';
import { ParameterSetTracker } from '../codec/parameter-sets.ts';
import { detectVideoCodec } from './codec-detection.ts';
import { detectionBytesMax, fileReadBytes, framesPerSecondDefault } from './limits.ts';
import type { PacedPlayer } from './paced-run.ts';
import type { SourceFile } from './source-file.ts';
import type { VideoTrackWriter } from './video-track-writer.ts';

export class AnnexBPlayer implements PacedPlayer {
  nextOffsetUs = 0;
  /** Frames a second that the file is played at. */
  readonly framesPerSecond: number;
  private readonly file: SourceFile;
  private readonly writer: VideoTrackWriter;
  private readonly cutter: AccessUnitCutter;
  private readOffset = 0;
  private unitsInRound = 0;
  private next: AccessUnit | undefined;
  /** Frames since `baseUs`; due times are products, not sums, so that they do not drift. */
  private frame = 0;
  private baseUs = 0;
  private garbageSeen = 0;

  /**
   * @param file closed by the player.
   * @param framesPerSecond 0: what the file says, else 30.
   */
  constructor(file: SourceFile, writer: VideoTrackWriter, framesPerSecond: number) {
    this.file = file;
    this.writer = writer;
    const codec = codecOf(file);
    this.cutter = new AccessUnitCutter(codec);
    this.next = this.cut();
    const sets = new ParameterSetTracker(codec);
    sets.observe(this.next);
    this.framesPerSecond = framesPerSecond || sets.format?.framesPerSecond || framesPerSecondDefault;
    writer.begin({ codec, playedPerSecond: this.framesPerSecond });
  }

  emit(captureMonoUs: number): void {
    // The cutter knows which units are damaged or refer to what was lost.
    if (this.next && this.cutter.needsRandomAccess) this.writer.drop(this.next);
    else if (this.next) this.writer.write(this.next, captureMonoUs);
    this.frame++;
    this.nextOffsetUs = this.baseUs + Math.round((this.frame * 1e6) / this.framesPerSecond);
    this.next = undefined;
    this.next = this.cut();
  }

  skipTo(offsetUs: number): void {
    this.baseUs = offsetUs;
    this.frame = 0;
    this.nextOffsetUs = offsetUs;
  }

  close(): void {
    this.file.close();
  }

  /** The next access unit, going round at the end of the file. */
  private cut(): AccessUnit {
    for (;;) {
      const unit = this.cutter.next() ?? this.readMore();
      if (unit === undefined) continue;
      this.unitsInRound++;
      this.countGarbage();
      return unit;
    }
  }

  /** Reads a piece; at the end of the file gives what is pending, then goes back to the beginning. */
  private readMore(): AccessUnit | undefined {
    const piece = this.cutter.reserve(fileReadBytes).subarray(0, fileReadBytes);
    const bytes = this.file.read(piece, this.readOffset);
    if (bytes > 0) {
      this.cutter.advance(bytes);
      this.readOffset += bytes;
      return undefined;
    }
    const last = this.cutter.flush();
    if (last) return last;
    if (this.unitsInRound === 0) throw this.file.failure('there is no picture in it');
    this.unitsInRound = 0;
    this.cutter.reset();
    this.readOffset = 0;
    return undefined;
  }

  private countGarbage(): void {
    const garbage = this.cutter.counters.garbageBytes - this.garbageSeen;
    if (garbage === 0) return;
    this.garbageSeen += garbage;
    this.writer.statistics.garbageBytes += garbage;
    this.writer.markLoss('the file holds bytes that are no NAL units', { bytes: garbage });
  }
}

/** By the parameter sets at its beginning: the name of a file may lie, and without them nothing can be decoded. */
function codecOf(file: SourceFile): VideoCodec {
  const head = new Uint8Array(Math.min(file.sizeBytes, detectionBytesMax));
  const bytes = file.read(head, 0);
  const byContent = detectVideoCodec(head.subarray(0, bytes));
  if (byContent !== undefined) return byContent;
  throw file.failure('it begins with no H.264 or H.265 parameter sets, neither as Annex B nor as MP4');
}
