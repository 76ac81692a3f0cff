/**
 * An Annex-B byte stream that comes through a pipe at its own pace: bytes in, access units into the ring at once.
 *
 * Finds the codec out (codec-detection.ts), cuts the stream (codec/access-unit-cutter.ts), ends a picture by silence
 * where nothing else shows its end (pause-policy.ts) and turns garbage, oversize and wrongly ended pictures into counted
 * losses. The capture time of a picture is the arrival of its first byte: an encoder writes a picture when it is done
 * with it, so that is the moment nearest to its capture, and unlike the last byte's it does not depend on the picture's
 * size. One object per run of a source; capture thread only.
 */
import type { Clock } from '../base/clock.ts';
import type { VideoCodec } from '../base/tracks.ts';
import type { AccessUnit } from '../codec/access-unit.ts';
import { AccessUnitCutter } from '../codec/access-unit-cutter.ts';
import { detectVideoCodec } from './codec-detection.ts';
import { detectionBytesMax } from './limits.ts';
import { PausePolicy } from './pause-policy.ts';
import { PreciseTimer } from './precise-timer.ts';
import type { VideoTrackWriter } from './video-track-writer.ts';

export interface AnnexBStreamOptions {
  readonly writer: VideoTrackWriter;
  readonly clock: Clock;
  /** The codec if it is known; else it is found out. */
  readonly codec?: VideoCodec | undefined;
  /** Frames a second where the stream says nothing; 0: measured. */
  readonly configuredPerSecond: number;
  /** A picture was cut, whether or not the ring took it. */
  onPicture(): void;
}

/** The start code in front of most pictures: the long one, as at each beginning of an access unit (Annex B.1.1). */
const startCodeBytes = 4;

/** Bytes kept when a search for parameter sets is given up: a start code and header may be split there. */
const detectionTailBytes = 4;

export class AnnexBStream {
  private readonly options: AnnexBStreamOptions;
  private readonly policy = new PausePolicy();
  private readonly silence: PreciseTimer;
  private cutter: AccessUnitCutter | undefined;
  /** What came before the codec was known. */
  private head = new Uint8Array(0);
  private streamBytes = 0;
  private lastByte = 0;
  private lastReadMonoUs = 0;
  /** When the first byte of the pending picture came. */
  private pictureMonoUs = 0;
  /** Offset in the stream of that byte, its start code included. */
  private pictureOffset = 0;
  private garbageSeen = 0;
  private oversizeSeen = 0;
  private earlySeen = 0;

  constructor(options: AnnexBStreamOptions) {
    this.options = options;
    this.silence = new PreciseTimer(options.clock, () => this.onSilence());
    if (options.codec !== undefined) this.begin(options.codec);
  }

  /** The quiet time at present, µs; for statistics. */
  get quietUs(): number {
    return this.policy.quietUs;
  }

  /**
   * Takes what was read; the bytes are copied.
   * @param drained whether there was nothing more to read: silence begins to count.
   */
  push(bytes: Uint8Array, drained: boolean): void {
    if (bytes.length === 0) return;
    this.silence.cancel();
    this.lastReadMonoUs = this.options.clock.monoUs();
    this.streamBytes += bytes.length;
    this.lastByte = bytes[bytes.length - 1]!;
    if (this.cutter) this.feed(this.cutter, bytes);
    else this.detect(bytes);
    if (drained) this.listen();
  }

  /** The stream has ended: what is pending is a whole picture or nothing. */
  end(): void {
    this.silence.cancel();
    this.onSilence();
  }

  /** No timer is left behind. */
  close(): void {
    this.silence.cancel();
  }

  private begin(codec: VideoCodec): AccessUnitCutter {
    const { writer, configuredPerSecond } = this.options;
    this.cutter = new AccessUnitCutter(codec);
    writer.begin({ codec, configuredPerSecond });
    return this.cutter;
  }

  private detect(bytes: Uint8Array): void {
    const head = new Uint8Array(this.head.length + bytes.length);
    head.set(this.head);
    head.set(bytes, this.head.length);
    const codec = detectVideoCodec(head);
    if (codec !== undefined) {
      this.head = new Uint8Array(0);
      this.feed(this.begin(codec), head);
    } else if (head.length > detectionBytesMax) {
      this.head = head.slice(-detectionTailBytes);
      this.options.writer.statistics.garbageBytes += head.length - this.head.length;
      this.options.writer.markLoss('no H.264 or H.265 parameter sets in the stream', { bytes: head.length });
    } else {
      this.head = head;
    }
  }

  private feed(cutter: AccessUnitCutter, bytes: Uint8Array): void {
    if (cutter.pendingBytes === 0) {
      this.pictureMonoUs = this.lastReadMonoUs;
      this.pictureOffset = this.streamBytes - bytes.length;
    }
    cutter.reserve(bytes.length).set(bytes);
    cutter.advance(bytes.length);
    for (let unit = cutter.next(); unit; unit = cutter.next()) {
      this.countLosses();
      this.give(unit, this.pictureMonoUs);
      // What ended this picture is the beginning of the next one, and it came just now.
      this.pictureMonoUs = this.lastReadMonoUs;
      this.pictureOffset = this.streamBytes - cutter.pendingBytes - startCodeBytes;
    }
    this.countLosses();
  }

  private give(unit: AccessUnit, captureMonoUs: number): void {
    this.policy.onPicture(captureMonoUs);
    // A unit that the cutter knows to be damaged, or to refer to what was lost.
    if (this.cutter?.needsRandomAccess) this.options.writer.drop(unit);
    else this.options.writer.write(unit, captureMonoUs);
    this.options.onPicture();
  }

  private listen(): void {
    if (!this.cutter?.hasPendingPicture) return;
    const waitUs = this.policy.waitUs(this.streamBytes - this.pictureOffset, this.streamBytes, this.lastByte);
    this.silence.at(this.lastReadMonoUs + waitUs);
  }

  private onSilence(): void {
    const { cutter } = this;
    if (!cutter) return;
    // More than one where the last bytes prove to be a short picture of their own.
    for (let unit = cutter.flush(); unit; unit = cutter.flush()) {
      this.countLosses();
      this.give(unit, this.pictureMonoUs);
      this.pictureMonoUs = this.lastReadMonoUs;
    }
    this.countLosses();
  }

  /** Turns what the cutter counted into losses of the track. */
  private countLosses(): void {
    const { counters } = this.cutter!;
    const { writer } = this.options;
    const { statistics } = writer;
    const early = counters.earlyFlushes - this.earlySeen;
    if (early > 0) {
      this.earlySeen += early;
      statistics.earlyFlushes += early;
      this.policy.onEarlyFlush();
      writer.markLoss('a picture was taken as complete too early', { quietUs: this.policy.quietUs });
    }
    const garbage = counters.garbageBytes - this.garbageSeen;
    if (garbage > 0) {
      this.garbageSeen += garbage;
      statistics.garbageBytes += garbage;
      writer.markLoss('bytes that are no NAL units', { bytes: garbage });
    }
    const oversize = counters.oversizeAccessUnits - this.oversizeSeen;
    if (oversize > 0) {
      this.oversizeSeen += oversize;
      statistics.dropped += oversize;
      statistics.tooLarge += oversize;
      writer.markLoss('a picture is larger than any camera makes', { pictures: oversize });
    }
  }
}
