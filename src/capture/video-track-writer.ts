/**
 * Puts access units of one video track into the ring: length-prefixed NAL units with their table, flags and times.
 *
 * Promises to the readers of the ring: a record with the random access flag begins with the parameter sets (VPS, SPS,
 * PPS), whether the source repeats them or not; the first record of a run of the source, and the first one after
 * anything was lost or the format changed, is such a record and carries the discontinuity flag; capture times of a track
 * strictly increase. What cannot keep these promises is dropped and counted. A unit that already lies in a claim in the
 * right form is committed without a copy, every other one is copied once. One object per track, kept over restarts of
 * its source; capture thread only.
 */
import type { Clock } from '../base/clock.ts';
import { Codec, type Track, type VideoCodec, type VideoTrackInfo } from '../base/tracks.ts';
import type { AccessUnit, VideoFormat } from '../codec/access-unit.ts';
import { ParameterSetTracker } from '../codec/parameter-sets.ts';
import type { RingClaim, RingProducer } from '../ring/ring-producer.ts';
import { nalCountMax, nalLengthBytes, RecordFlag } from '../ring/slot-layout.ts';
import type { LogThrottle } from '../telemetry/log-throttle.ts';
import { FrameRate } from './frame-rate.ts';
import { otherRank, parameterSetRank } from './parameter-set-rank.ts';
import type { TrackStatistics } from './track-statistics.ts';

export interface VideoTrackWriterOptions {
  readonly track: Track;
  /** Name of the track in the log. */
  readonly name: string;
  readonly producer: RingProducer;
  readonly clock: Clock;
  readonly throttle: LogThrottle;
  readonly statistics: TrackStatistics;
  /** Called when the track appears and whenever what is known of it changes. */
  onInfo(info: VideoTrackInfo): void;
}

/** What a source knows of its stream beforehand. */
export interface VideoRunOptions {
  readonly codec: VideoCodec;
  /** Parameter sets that are not in the stream (avcC, hvcC). Copied. */
  readonly parameterSets?: readonly Uint8Array[];
  /** Frames a second that the source is played at; left out: what the stream says counts. */
  readonly playedPerSecond?: number;
  /** Frames a second that the user gave for a stream that says nothing; left out or 0: measured. */
  readonly configuredPerSecond?: number;
}

export class VideoTrackWriter {
  readonly statistics: TrackStatistics;
  private readonly options: VideoTrackWriterOptions;
  private codec: VideoCodec = Codec.h264;
  private sets = new ParameterSetTracker(Codec.h264);
  private frameRate = new FrameRate(0, 0);
  private format: VideoFormat | undefined;
  private info: VideoTrackInfo | undefined;
  private awaitsRandomAccess = true;
  private discontinuity = true;
  private lastCaptureMonoUs = Number.NEGATIVE_INFINITY;
  private readonly nalTable = new Int32Array(2 * nalCountMax);
  /** Holds a unit that was read into a claim and has to be put together anew. */
  private scratch = new Uint8Array(0);

  constructor(options: VideoTrackWriterOptions) {
    this.options = options;
    this.statistics = options.statistics;
  }

  /** A run of the source begins: nothing is known of what comes, and it is not continuous with what was. */
  begin(run: VideoRunOptions): void {
    this.codec = run.codec;
    this.sets = new ParameterSetTracker(run.codec);
    for (const set of run.parameterSets ?? []) this.store(set);
    this.frameRate = new FrameRate(run.playedPerSecond ?? 0, run.configuredPerSecond ?? 0);
    this.format = undefined;
    this.awaitsRandomAccess = true;
    this.discontinuity = true;
  }

  /** Leaves a unit out that is known to be damaged; its parameter sets are taken nevertheless. */
  drop(unit: AccessUnit): void {
    this.sets.observe(unit);
    this.statistics.dropped++;
    this.awaitsRandomAccess = true;
    this.discontinuity = true;
  }

  /** Something of the stream was lost: what refers to it is dropped, up to the next random access point. */
  markLoss(reason: string, fields: Readonly<Record<string, number>> = {}): void {
    if (!this.awaitsRandomAccess) this.statistics.losses++;
    this.awaitsRandomAccess = true;
    this.discontinuity = true;
    const { throttle, name } = this.options;
    throttle.log('warn', `${name}: ${reason}`, `${reason}; going on at the next random access point`, {
      track: name,
      ...fields,
    });
  }

  /** Room in the ring for `lengthBytes`, to be read into and given to {@link write}; undefined if there is not so much. */
  claim(lengthBytes: number): RingClaim | undefined {
    const { producer } = this.options;
    if (lengthBytes >= 1 && lengthBytes <= producer.recordBytesMax) return producer.claim(lengthBytes);
    this.dropTooLarge(lengthBytes);
    return undefined;
  }

  /**
   * Puts a unit into the ring; returns whether it did.
   * @param captureMonoUs moved on by the least step where it is not later than that of the record before.
   * @param claim the open claim whose `bytes` are `unit.bytes`, if the unit was read into one. Committed or abandoned
   * when this returns.
   */
  write(unit: AccessUnit, captureMonoUs: number, claim?: RingClaim): boolean {
    if (!this.accepts(unit)) {
      this.statistics.dropped++;
      claim?.abandon();
      return false;
    }
    if (claim && this.liesReady(unit)) {
      this.commit(claim, unit, captureMonoUs, unit.nalTable, unit.nalCount);
      return true;
    }
    const missing = unit.randomAccess ? this.sets.missingFrom(unit) : [];
    let lengthBytes = 0;
    for (const set of missing) lengthBytes += nalLengthBytes + set.length;
    for (let i = 0; i < unit.nalCount; i++) lengthBytes += nalLengthBytes + nalLength(unit, i);
    if (unit.nalCount + missing.length > nalCountMax || lengthBytes > this.options.producer.recordBytesMax) {
      claim?.abandon();
      this.dropTooLarge(lengthBytes);
      return false;
    }
    const bytes = claim ? this.moveOut(claim) : unit.bytes;
    const target = this.options.producer.claim(lengthBytes);
    const nalCount = this.fill(target.bytes, unit, bytes, missing);
    this.commit(target, unit, captureMonoUs, this.nalTable, nalCount);
    return true;
  }

  private store(set: Uint8Array): void {
    try {
      this.sets.store(set);
    } catch {
      // The stream may still bring a better one itself.
      this.statistics.garbageBytes += set.length;
    }
  }

  private accepts(unit: AccessUnit): boolean {
    if (this.sets.observe(unit)) this.discontinuity = true;
    if (!this.awaitsRandomAccess) return true;
    if (unit.randomAccess && this.sets.complete) return true;
    const { throttle, name } = this.options;
    const what = unit.randomAccess ? 'its parameter sets' : 'a random access point';
    throttle.log('info', `${name}: waiting for ${what}`, `pictures are dropped until ${what} came`, {
      track: name,
      dropped: this.statistics.dropped + 1,
    });
    return false;
  }

  /** Whether the bytes of the unit are a record as they are. */
  private liesReady(unit: AccessUnit): boolean {
    const { nalTable, nalCount, bytes } = unit;
    if (nalCount > nalCountMax) return false;
    let end = 0;
    for (let i = 0; i < nalCount; i++) {
      if (nalTable[2 * i] !== end + nalLengthBytes) return false;
      end = nalTable[2 * i + 1]!;
    }
    if (end !== bytes.length) return false;
    if (!unit.randomAccess) return true;
    let rank = 0;
    for (let i = 0; i < nalCount; i++) {
      const next = this.rankOf(unit, unit.bytes, i);
      if (next < rank) return false;
      rank = next;
    }
    return this.sets.missingFrom(unit).length === 0;
  }

  private moveOut(claim: RingClaim): Uint8Array {
    if (this.scratch.length < claim.bytes.length) this.scratch = new Uint8Array(claim.bytes.length);
    this.scratch.set(claim.bytes);
    claim.abandon();
    return this.scratch;
  }

  /** Writes the record and its table; parameter sets in front, in the order that the one needs the other. */
  private fill(
    target: Uint8Array,
    unit: AccessUnit,
    bytes: Uint8Array,
    missing: readonly Uint8Array[],
  ): number {
    let at = 0;
    let count = 0;
    const put = (source: Uint8Array, start: number, end: number) => {
      const length = end - start;
      target[at] = length >>> 24;
      target[at + 1] = length >>> 16;
      target[at + 2] = length >>> 8;
      target[at + 3] = length;
      at += nalLengthBytes;
      target.set(new Uint8Array(source.buffer, source.byteOffset + start, length), at);
      this.nalTable[2 * count] = at;
      at += length;
      this.nalTable[2 * count + 1] = at;
      count++;
    };
    const { nalTable, nalCount } = unit;
    if (!unit.randomAccess) {
      for (let i = 0; i < nalCount; i++) put(bytes, nalTable[2 * i]!, nalTable[2 * i + 1]!);
      return count;
    }
    for (let rank = 0; rank <= otherRank; rank++) {
      for (const set of missing) if (parameterSetRank(this.codec, set[0]!) === rank) put(set, 0, set.length);
      for (let i = 0; i < nalCount; i++)
        if (this.rankOf(unit, bytes, i) === rank) put(bytes, nalTable[2 * i]!, nalTable[2 * i + 1]!);
    }
    return count;
  }

  private rankOf(unit: AccessUnit, bytes: Uint8Array, i: number): number {
    return parameterSetRank(this.codec, bytes[unit.nalTable[2 * i]!]!);
  }

  private commit(
    claim: RingClaim,
    unit: AccessUnit,
    captureMonoUs: number,
    nalTable: Int32Array,
    nalCount: number,
  ): void {
    const { clock, track } = this.options;
    const { statistics, codec } = this;
    const lengthBytes = nalTable[2 * nalCount - 1]!;
    const isDiscontinuity = unit.randomAccess && this.discontinuity;
    const capture = Math.max(captureMonoUs, this.lastCaptureMonoUs + 1);
    // The two clocks are read one beside the other: what happens in between would be an error of the wall clock.
    const nowUs = clock.monoUs();
    const wallUnixMs = clock.wallUnixMs() + (capture - nowUs) / 1000;
    this.lastCaptureMonoUs = capture;
    if (unit.randomAccess) this.reportFormat();
    const flags =
      (unit.randomAccess ? RecordFlag.randomAccess : 0) |
      (isDiscontinuity ? RecordFlag.discontinuity : 0) |
      (unit.nonReference ? RecordFlag.nonReference : 0) |
      (unit.bidirectional ? RecordFlag.bidirectional : 0);
    claim.commit({
      track,
      codec,
      flags,
      captureMonoUs: capture,
      wallUnixMs,
      lengthBytes,
      nalTable,
      nalCount,
    });
    if (unit.randomAccess) {
      this.awaitsRandomAccess = false;
      this.discontinuity = false;
      statistics.randomAccessPoints++;
    }
    statistics.records++;
    statistics.bytes += lengthBytes;
    statistics.delayUs.record(nowUs - capture);
    if (this.frameRate.onFrame(capture)) this.reportFormat();
  }

  private reportFormat(): void {
    const { format } = this.sets;
    if (!format) return;
    const framesPerSecond = this.frameRate.of(format.framesPerSecond);
    if (format === this.format && framesPerSecond === this.info?.framesPerSecond) return;
    this.format = format;
    const { width, height, profileIdc, profileCompatibility, levelIdc } = format;
    const { codec } = this;
    const { track } = this.options;
    const info: VideoTrackInfo = {
      kind: 'video',
      track,
      codec,
      width,
      height,
      framesPerSecond,
      profileIdc,
      profileCompatibility,
      levelIdc,
    };
    if (this.info && isSameInfo(this.info, info)) return;
    this.info = info;
    this.options.onInfo(info);
  }

  private dropTooLarge(lengthBytes: number): void {
    this.statistics.dropped++;
    this.statistics.tooLarge++;
    this.markLoss('a picture is too large for the ring', {
      lengthBytes,
      recordBytesMax: this.options.producer.recordBytesMax,
    });
  }
}

function nalLength(unit: AccessUnit, i: number): number {
  return unit.nalTable[2 * i + 1]! - unit.nalTable[2 * i]!;
}

function isSameInfo(a: VideoTrackInfo, b: VideoTrackInfo): boolean {
  return (Object.keys(a) as (keyof VideoTrackInfo)[]).every(key => a[key] === b[key]);
}
