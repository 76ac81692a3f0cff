/**
 * Records one video stream with the sound beside it: ring → fragments → segment files.
 *
 * `step` takes what the ring has and writes at most what is due; the stage calls it again and again. A fragment closes
 * when it spans four fifths of the loss that is allowed, or at a random access point from two fifths on; the newest
 * picture waits for the next one, which tells its duration. Order of each fragment: write → validate the ring → flush →
 * report; what the ring overwrote meanwhile is cut off and counted, and recording goes on at a random access point. A
 * segment begins at a random access point: on the grid of the wall clock, when the format changes, when the wall clock
 * stepped against the capture clock, before the file gets too long; its last picture waits for sound that is late.
 * What the card did not take stays in the ring, and is written when the card can again. Recorder thread.
 */
import { crc32 } from 'node:zlib';
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import { Track } from '../base/tracks.ts';
import { FragmentHeadWriter } from '../isobmff/fragment-head.ts';
import { fragmentSamplesMax } from '../isobmff/fragment-layout.ts';
import type {
  FragmentRecord,
  RecordedStream,
  SegmentFormat,
  SegmentRecord,
} from '../isobmff/recorded-segment.ts';
import { RingConsumer } from '../ring/ring-consumer.ts';
import type { RingRecord } from '../ring/ring-record.ts';
import { RecordFlag } from '../ring/slot-layout.ts';
import { isCardGone } from './card-guard.ts';
import {
  clockStepMsMin,
  keyframeRequestUs,
  placeCheckUs,
  quietUs,
  resumesMax,
  segmentBytesLimit,
  segmentBytesMax,
  soundLateUs,
  tickUs,
} from './limits.ts';
import { type PendingFragment, pendingFragment, writeFragment } from './pending-fragment.ts';
import { PictureRun } from './picture-run.ts';
import { SegmentFile } from './segment-file.ts';
import { isSameSegmentFormat, segmentFormatOf } from './segment-format-of.ts';
import { SoundTrack } from './sound-track.ts';

export interface StreamRecorderOptions {
  readonly ring: SharedArrayBuffer;
  readonly stream: RecordedStream;
  readonly folder: string;
  readonly deviceUuid: string;
  readonly segmentMs: number;
  readonly maxLossUs: number;
  readonly clock: Clock;
  /** The next number of a segment. */
  nextNumber(): number;
  /** Asked before each new file: throws what forbids it. */
  admit(): Promise<void>;
  onOpened(segment: SegmentRecord): void;
  onFragment(segmentNumber: number, fragment: FragmentRecord): void;
  onClosed(segment: SegmentRecord): void;
  /** The file was let go of as it is, without its table. */
  onAbandoned(segment: SegmentRecord): void;
}

/** Counters of one stream. */
export interface StreamCounters {
  fragments: number;
  pictures: number;
  bytes: number;
  lostPictures: number;
  lostRecords: number;
  bidirectional: number;
  segments: number;
  clockSteps: number;
  unusableFormats: number;
}

/** See the head of the file. */
export class StreamRecorder {
  readonly counters: StreamCounters = {
    fragments: 0,
    pictures: 0,
    bytes: 0,
    lostPictures: 0,
    lostRecords: 0,
    bidirectional: 0,
    segments: 0,
    clockSteps: 0,
    unusableFormats: 0,
  };
  private readonly options: StreamRecorderOptions;
  private readonly consumer: RingConsumer;
  private readonly track: Track;
  private readonly sound: SoundTrack;
  private readonly run = new PictureRun();
  /** Of the first pictures of the run: what the card has not taken yet. */
  private pending: PendingFragment | undefined;
  /** Sequence of the record that is being taken. */
  private inHand: number | undefined;
  /** Failures of the card since it last took a fragment. */
  private failures = 0;
  /** Since when the end of the segment waits for sound. */
  private soundAwaitedMonoUs: number | undefined;
  private isEnding = false;
  private file: SegmentFile | undefined;
  private heads: FragmentHeadWriter | undefined;
  private baseMonoUs = 0;
  private baseWallUnixMs = 0;
  private nextFragment = 0;
  private awaitsSync = true;
  private laps = 0;
  private newestMonoUs = 0;
  /** Before this no picture may begin: where the one before it ends at the least. Of the file. */
  private notBeforeMonoUs = Number.NEGATIVE_INFINITY;
  /** How long the newest picture but one lasted; 0 when nothing is known. */
  private intervalUs = 0;
  private keyframeAskedMonoUs = Number.NEGATIVE_INFINITY;
  private placeCheckedMonoUs = 0;

  constructor(options: StreamRecorderOptions) {
    this.options = options;
    this.track = options.stream === 0 ? Track.main : Track.sub;
    this.consumer = new RingConsumer(options.ring, { tracks: 1 << this.track, resumeTrack: this.track });
    // What the ring still has is recorded too.
    const newest = this.consumer.newestRandomAccess(this.track);
    if (newest !== undefined) this.consumer.seek(newest);
    this.sound = new SoundTrack(options.ring, this.track, newest);
  }

  /** Sequence to wait for. */
  get position(): number {
    return this.soundAwaitedMonoUs === undefined ? this.consumer.position : this.sound.position;
  }

  /**
   * Takes what the ring has; writes what is due. Rejects when the card fails: then call {@link afterFailure}.
   */
  async step(): Promise<void> {
    await this.writePending();
    for (;;) {
      this.sound.take(this.file !== undefined);
      const record = this.consumer.next();
      this.inHand = record?.sequence;
      if (this.consumer.laps !== this.laps) {
        this.laps = this.consumer.laps;
        await this.afterLap();
      }
      if (!record) break;
      const isTaken = await this.takePicture(record);
      if (!isTaken) this.consumer.seek(this.inHand!);
      this.inHand = undefined;
      if (!isTaken) return;
    }
    this.counters.lostRecords = this.consumer.lostRecords;
    const nowUs = this.options.clock.monoUs();
    const { last } = this.run;
    // The source is silent: what is pending goes to the card. The last picture gets the duration that is usual and not
    // the time until now: a picture may have been captured since, and be on its way.
    if (last && nowUs - last.captureMonoUs > quietUs(this.options.maxLossUs))
      await this.closeFragment(last.captureMonoUs + this.pictureUs());
  }

  /** Writes all that is pending but the newest picture. */
  async flush(): Promise<void> {
    await this.step();
    const { last, pictures } = this.run;
    if (last && pictures.length > 1) await this.closeFragment(last.captureMonoUs, pictures.length - 1);
  }

  /** Writes all that the ring has and closes the file. Rejects when the card fails. */
  async finish(): Promise<void> {
    this.isEnding = true;
    await this.step();
    const { last } = this.run;
    if (last) await this.closeFragment(last.captureMonoUs + this.pictureUs());
    await this.closeFile();
  }

  /**
   * The card failed: lets go of the file. What it did not take is written by the next {@link step}, behind what it took;
   * or, when the file cannot be gone on with, into another one from the first random access point on. Never rejects.
   */
  async afterFailure(error: unknown): Promise<void> {
    if (this.inHand !== undefined) this.consumer.seek(this.inHand);
    this.inHand = undefined;
    this.failures++;
    if (this.failures > resumesMax || isCardGone(error)) await this.abandon();
    else await this.file?.suspend();
  }

  private async abandon(): Promise<void> {
    const { file, run } = this;
    this.file = undefined;
    this.failures = 0;
    const again = run.pictures.findIndex(({ isSync }) => isSync);
    if (again >= 0) {
      this.consumer.seek(run.pictures[again]!.sequence);
      run.pictures.splice(again);
      this.newestMonoUs = 0;
    }
    this.dropPending();
    if (!file) return;
    await file.suspend();
    this.options.onAbandoned(file.record());
  }

  /** Whether it was taken; else it has to come again. */
  private async takePicture(record: RingRecord): Promise<boolean> {
    const { captureMonoUs, flags, bytes, sequence } = record;
    const isSync = (flags & RecordFlag.randomAccess) !== 0;
    if ((flags & RecordFlag.bidirectional) !== 0 && (flags & RecordFlag.nonReference) !== 0) {
      this.counters.bidirectional++;
      return true;
    }
    if (this.awaitsSync && !isSync) return this.passOver();
    const { maxLossUs } = this.options;
    const span = this.run.spanUs(captureMonoUs);
    // A source that went away and came back: the last picture before is not stretched over the time between.
    const wasQuiet =
      this.run.last !== undefined && captureMonoUs - this.run.last.captureMonoUs > quietUs(maxLossUs);
    if (wasQuiet) await this.closeFragment(this.run.last!.captureMonoUs + this.pictureUs());
    if (isSync) {
      const begins = await this.beginsSegment(record);
      if (begins === undefined) return false;
      if (!begins && this.run.first && span >= 0.4 * maxLossUs) await this.closeFragment(captureMonoUs);
    }
    if (this.run.first && (span >= 0.8 * maxLossUs || this.run.pictures.length >= fragmentSamplesMax))
      await this.closeFragment(captureMonoUs);
    if (!isSync && this.file && this.file.endOffset > segmentBytesLimit) await this.endAtOnce();
    // What was pending may turn out to be lost only now, and a picture that refers to it is of no use.
    if (!this.file || (this.awaitsSync && !isSync)) return this.passOver();
    this.awaitsSync = false;
    const startMonoUs = Math.max(captureMonoUs, this.notBeforeMonoUs);
    if (this.newestMonoUs > 0)
      this.intervalUs = Math.min(Math.max(startMonoUs - this.newestMonoUs, 0), quietUs(maxLossUs));
    this.newestMonoUs = startMonoUs;
    this.notBeforeMonoUs = startMonoUs + tickUs;
    this.run.pictures.push({ sequence, bytes, captureMonoUs: startMonoUs, isSync });
    return true;
  }

  /** Leaves a picture out, and asks for one that can be decoded by itself. */
  private passOver(): true {
    this.counters.lostPictures++;
    const nowUs = this.options.clock.monoUs();
    if (nowUs - this.keyframeAskedMonoUs >= keyframeRequestUs) {
      this.keyframeAskedMonoUs = nowUs;
      this.consumer.requestKeyframe(this.track);
    }
    return true;
  }

  /** The file gets too long and no random access point comes. */
  private async endAtOnce(): Promise<void> {
    const { last } = this.run;
    if (last) await this.closeFragment(last.captureMonoUs + this.pictureUs());
    await this.closeFile();
    this.awaitsSync = true;
  }

  /** Ends the segment and begins another where that is due. Whether it did; undefined: it has to wait for sound. */
  private async beginsSegment(record: RingRecord): Promise<boolean | undefined> {
    const { captureMonoUs, wallUnixMs, sequence } = record;
    const format = this.formatOf(record);
    // Read from the ring: worth nothing if it was overwritten meanwhile.
    if (!format || !this.consumer.isIntact(sequence)) return false;
    if (this.file) {
      const reason = this.dueReason(format, captureMonoUs, wallUnixMs);
      if (!reason) return false;
      if (await this.awaitsSound(captureMonoUs)) return undefined;
      if (reason === 'clock') this.counters.clockSteps++;
      if (this.run.first) await this.closeFragment(captureMonoUs);
      else this.sound.flush(captureMonoUs);
      await this.closeFile();
    }
    await this.options.admit();
    const { stream, deviceUuid, folder } = this.options;
    const baseWallUnixMs = Math.round(wallUnixMs);
    const number = this.options.nextNumber();
    this.file = await SegmentFile.create(folder, { deviceUuid, stream, number, baseWallUnixMs, format });
    this.heads = new FragmentHeadWriter(format.audioCodec !== undefined, this.file.tag, crc32);
    this.baseMonoUs = captureMonoUs;
    this.baseWallUnixMs = baseWallUnixMs;
    this.nextFragment = 0;
    this.notBeforeMonoUs = Number.NEGATIVE_INFINITY;
    this.sound.begin(captureMonoUs, format.audioCodec);
    this.counters.segments++;
    this.options.onOpened(this.file.record());
    return true;
  }

  /**
   * Whether the segment must not end yet: sound of its last pictures is still on its way. They are written without it
   * but for the newest one, so that a power cut meanwhile costs no more than at any other time.
   */
  private async awaitsSound(endMonoUs: number): Promise<boolean> {
    const nowUs = this.options.clock.monoUs();
    const sinceUs = this.soundAwaitedMonoUs ?? nowUs;
    const { last, pictures } = this.run;
    const isOver = this.isEnding || nowUs - sinceUs >= soundLateUs || !last;
    this.soundAwaitedMonoUs = isOver || !this.sound.isLateFor(endMonoUs) ? undefined : sinceUs;
    if (this.soundAwaitedMonoUs === undefined) return false;
    if (last && pictures.length > 1) await this.closeFragment(last.captureMonoUs, pictures.length - 1);
    return true;
  }

  /** Undefined, and counted, for parameter sets that no segment can say. */
  private formatOf(record: RingRecord): SegmentFormat | undefined {
    try {
      return segmentFormatOf(record, this.sound.codec);
    } catch (error) {
      if (!(error instanceof CameraError && error.code === 'stream-invalid')) throw error;
      this.counters.unusableFormats++;
      return undefined;
    }
  }

  /** Why the segment ends before a picture; undefined when it does not. */
  private dueReason(
    format: SegmentFormat,
    captureMonoUs: number,
    wallUnixMs: number,
  ): 'format' | 'length' | 'clock' | 'grid' | undefined {
    const { segmentMs } = this.options;
    if (!isSameSegmentFormat(this.file!.format, format)) return 'format';
    if (this.file!.endOffset > segmentBytesMax) return 'length';
    const mapped = this.baseWallUnixMs + (captureMonoUs - this.baseMonoUs) / 1000;
    if (Math.abs(wallUnixMs - mapped) > clockStepMsMin) return 'clock';
    return Math.floor(mapped / segmentMs) > Math.floor(this.baseWallUnixMs / segmentMs) ? 'grid' : undefined;
  }

  /** Writes the first `count` pending pictures, all when left out, and the sound beside them. */
  private async closeFragment(endMonoUs: number, count = this.run.pictures.length): Promise<void> {
    const { run, baseMonoUs } = this;
    if (!this.file || !run.first) return this.dropPending();
    this.pending = pendingFragment(run, this.sound.flush(endMonoUs), { baseMonoUs, endMonoUs, count });
    await this.writePending();
  }

  /** Writes what is pending, for the first time or again, and tells of it when it lies on the card. */
  private async writePending(): Promise<void> {
    const { run, file, heads, pending } = this;
    if (!file || !heads || !pending) return;
    await file.resume();
    const oldest = run.first!.sequence;
    const number = this.nextFragment;
    if (!this.consumer.isIntact(oldest)) return this.dropPending();
    const record = await writeFragment(pending, number, file, heads);
    if (!this.consumer.isIntact(oldest)) {
      await file.cutBack();
      return this.dropPending();
    }
    await file.confirm(record, pending.contents);
    const { count, endMonoUs } = pending;
    this.pending = undefined;
    this.failures = 0;
    run.pictures.splice(0, count);
    this.notBeforeMonoUs = Math.max(this.notBeforeMonoUs, endMonoUs);
    this.nextFragment++;
    this.counters.fragments++;
    this.counters.pictures += count;
    this.counters.bytes += record.lengthBytes;
    this.options.onFragment(file.number, record);
    await this.checkPlace(file);
  }

  /** Rejects with ENOENT when the file is not where it was made: the card is gone, or another one is there. */
  private async checkPlace(file: SegmentFile): Promise<void> {
    const nowUs = this.options.clock.monoUs();
    if (nowUs - this.placeCheckedMonoUs < placeCheckUs) return;
    this.placeCheckedMonoUs = nowUs;
    if (!(await file.isInPlace()))
      throw Object.assign(new Error('the file that is written is not in its place any more'), {
        code: 'ENOENT',
      });
  }

  private async closeFile(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    if (!file) return;
    try {
      await file.resume();
      await file.close();
    } catch (error) {
      await file.suspend();
      this.options.onAbandoned(file.record());
      throw error;
    }
    this.options.onClosed(file.record());
  }

  /** The ring went on without us: what is pending may be half overwritten; closeFragment finds out. */
  private async afterLap(): Promise<void> {
    const { last } = this.run;
    if (last) await this.closeFragment(last.captureMonoUs + this.pictureUs());
    this.awaitsSync = true;
  }

  private dropPending(): void {
    this.counters.lostPictures += this.run.pictures.length;
    this.run.clear();
    this.pending = undefined;
    this.awaitsSync = true;
  }

  /** How long a picture most likely lasts: as long as the one before, never longer than what counts as silence. */
  private pictureUs(): number {
    if (this.intervalUs > 0) return this.intervalUs;
    const perSecond = this.file?.format.framesPerSecond ?? 0;
    return 1e6 / (perSecond > 0 ? perSecond : 30);
  }
}
