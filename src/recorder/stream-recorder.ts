/**
 * Records one video stream with the sound beside it: ring → fragments → segment files.
 *
 * `step` takes what the ring has and writes at most what is due; the stage calls it again and again. A fragment closes
 * when it spans four fifths of the loss that is allowed, or at a random access point from two fifths on; the newest
 * picture waits for the next one, which tells its duration. Order of each fragment: write → validate the ring → flush →
 * report; what the ring overwrote meanwhile is cut off and counted, and recording goes on at a random access point. A
 * segment begins at a random access point: on the grid of the wall clock, when the format changes, when the wall clock
 * stepped against the capture clock, before the file gets too long. Recorder thread.
 */

import { crc32 } from 'node:zlib';
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import { type AudioCodec, Track } from '../base/tracks.ts';
import { fragmentRecord } from '../isobmff/fragment-contents.ts';
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
import { AudioBlocks } from './audio-blocks.ts';
import {
  clockStepMsMin,
  keyframeRequestUs,
  placeCheckUs,
  quietUs,
  segmentBytesLimit,
  segmentBytesMax,
  soundKeptUs,
  tickUs,
} from './limits.ts';
import { PictureRun } from './picture-run.ts';
import { SegmentFile } from './segment-file.ts';
import { isSameSegmentFormat, segmentFormatOf } from './segment-format-of.ts';

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
  private readonly audio = new AudioBlocks();
  private readonly run = new PictureRun();
  private audioCodec: AudioCodec | undefined;
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
    const tracks = (1 << this.track) | (1 << Track.audio);
    this.consumer = new RingConsumer(options.ring, { tracks, resumeTrack: this.track });
    // What the ring still has is recorded too.
    const newest = this.consumer.newestRandomAccess(this.track);
    if (newest === undefined) return;
    this.consumer.seek(newest);
    // Whether there is sound, before the first segment begins.
    const sound = new RingConsumer(options.ring, { tracks: 1 << Track.audio });
    sound.seek(newest);
    const heard = sound.next();
    if (heard && sound.validate(heard)) this.audioCodec = heard.codec as AudioCodec;
  }

  /** Sequence to wait for. */
  get position(): number {
    return this.consumer.position;
  }

  /** Capture time of the oldest picture that is not on the card; undefined when there is none. */
  get oldestMonoUs(): number | undefined {
    return this.run.first?.captureMonoUs;
  }

  /** Capture time of the newest picture that was taken from the ring; 0 before the first. */
  get newestPictureMonoUs(): number {
    return this.newestMonoUs;
  }

  get isRecording(): boolean {
    return this.file !== undefined;
  }

  /**
   * Takes what the ring has; writes what is due. Rejects when the card fails: then call {@link abandon}.
   */
  async step(): Promise<void> {
    for (;;) {
      const record = this.consumer.next();
      if (this.consumer.laps !== this.laps) {
        this.laps = this.consumer.laps;
        await this.afterLap();
      }
      if (!record) break;
      if (record.track === Track.audio) this.takeSound(record);
      else await this.takePicture(record);
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

  /** Writes all that is pending and closes the file. */
  async finish(): Promise<void> {
    const { last } = this.run;
    if (last) await this.closeFragment(last.captureMonoUs + this.pictureUs());
    await this.closeFile();
  }

  /** The card failed: lets go of the file and of what is pending; goes on with the next random access point. */
  async abandon(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    this.dropPending();
    if (!file) return;
    await file.abandon();
    this.options.onAbandoned(file.record());
  }

  private takeSound(record: RingRecord): void {
    // Without a file nothing empties what waits; kept is what a picture that is still on its way may need.
    if (!this.file) {
      this.audio.begin(record.captureMonoUs - soundKeptUs, undefined);
      this.audio.flush(Number.NEGATIVE_INFINITY);
    }
    if (this.audio.push(record, () => this.consumer.validate(record)))
      this.audioCodec = record.codec as AudioCodec;
  }

  private async takePicture(record: RingRecord): Promise<void> {
    const { captureMonoUs, flags, bytes, sequence } = record;
    const isSync = (flags & RecordFlag.randomAccess) !== 0;
    if ((flags & RecordFlag.bidirectional) !== 0 && (flags & RecordFlag.nonReference) !== 0) {
      this.counters.bidirectional++;
      return;
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
  }

  /** Leaves a picture out, and asks for one that can be decoded by itself. */
  private passOver(): void {
    this.counters.lostPictures++;
    const nowUs = this.options.clock.monoUs();
    if (nowUs - this.keyframeAskedMonoUs < keyframeRequestUs) return;
    this.keyframeAskedMonoUs = nowUs;
    this.consumer.requestKeyframe(this.track);
  }

  /** The file gets too long and no random access point comes. */
  private async endAtOnce(): Promise<void> {
    const { last } = this.run;
    if (last) await this.closeFragment(last.captureMonoUs + this.pictureUs());
    await this.closeFile();
    this.awaitsSync = true;
  }

  /** Ends the segment and begins another where that is due. Whether it did. */
  private async beginsSegment(record: RingRecord): Promise<boolean> {
    const { captureMonoUs, wallUnixMs, sequence } = record;
    const format = this.formatOf(record);
    // Read from the ring: worth nothing if it was overwritten meanwhile.
    if (!format || !this.consumer.isIntact(sequence)) return false;
    if (this.file && !this.isDue(format, captureMonoUs, wallUnixMs)) return false;
    if (this.run.first) await this.closeFragment(captureMonoUs);
    else if (this.file) this.audio.flush(captureMonoUs);
    await this.closeFile();
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
    this.audio.begin(captureMonoUs, format.audioCodec);
    this.counters.segments++;
    this.options.onOpened(this.file.record());
    return true;
  }

  /** Undefined, and counted, for parameter sets that no segment can say. */
  private formatOf(record: RingRecord): SegmentFormat | undefined {
    try {
      return segmentFormatOf(record, this.audioCodec);
    } catch (error) {
      if (!(error instanceof CameraError && error.code === 'stream-invalid')) throw error;
      this.counters.unusableFormats++;
      return undefined;
    }
  }

  private isDue(format: SegmentFile['format'], captureMonoUs: number, wallUnixMs: number): boolean {
    const { segmentMs } = this.options;
    if (!isSameSegmentFormat(this.file!.format, format)) return true;
    if (this.file!.endOffset > segmentBytesMax) return true;
    const mapped = this.baseWallUnixMs + (captureMonoUs - this.baseMonoUs) / 1000;
    if (Math.abs(wallUnixMs - mapped) > clockStepMsMin) {
      this.counters.clockSteps++;
      return true;
    }
    return Math.floor(mapped / segmentMs) > Math.floor(this.baseWallUnixMs / segmentMs);
  }

  /** Writes the first `count` pending pictures, all when left out, and the sound beside them. */
  private async closeFragment(endMonoUs: number, count = this.run.pictures.length): Promise<void> {
    const { run, file, heads, audio } = this;
    if (!file || !heads || !run.first) return this.dropPending();
    const sound = audio.flush(endMonoUs);
    const contents = {
      ...run.contents(this.baseMonoUs, endMonoUs, count),
      audioStart8k: sound.start8k,
      audioBlocks: sound.blocks,
      audioSizes: sound.sizes,
      audioDurations: sound.durations,
      audioBlockSamples: sound.samples,
    };
    const payload = [...run.pictures.slice(0, count).map(({ bytes }) => bytes), sound.payload];
    let payloadCrc32 = 0;
    let payloadBytes = 0;
    for (const piece of payload) {
      payloadCrc32 = crc32(piece, payloadCrc32);
      payloadBytes += piece.length;
    }
    const number = this.nextFragment;
    const head = heads.write({ ...contents, sequenceNumber: number + 1, payloadBytes, payloadCrc32 });
    const lengthBytes = head.length + payloadBytes;
    const record = fragmentRecord(
      contents,
      { number, offset: file.endOffset, lengthBytes },
      file.fragmentCounts,
    );
    const oldest = run.first.sequence;
    await file.write([head, ...payload]);
    if (!this.consumer.isIntact(oldest)) {
      await file.cutBack();
      this.dropPending();
      return;
    }
    run.pictures.splice(0, count);
    this.notBeforeMonoUs = Math.max(this.notBeforeMonoUs, endMonoUs);
    await file.confirm(record, contents);
    this.nextFragment++;
    this.counters.fragments++;
    this.counters.pictures += count;
    this.counters.bytes += lengthBytes;
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
    await file.close();
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
    this.awaitsSync = true;
  }

  /** How long a picture most likely lasts: as long as the one before, never longer than what counts as silence. */
  private pictureUs(): number {
    if (this.intervalUs > 0) return this.intervalUs;
    const perSecond = this.file?.format.framesPerSecond ?? 0;
    return 1e6 / (perSecond > 0 ? perSecond : 30);
  }
}
