/**
 * Cuts an Annex B byte stream into access units, for H.264 and H.265 alike: the byte stream format of Annex B of both
 * standards, the boundaries by AccessUnitRules (H.264 §7.4.1.2.3, H.265 §7.4.2.4.4).
 *
 * One thread. Every byte is scanned once, wherever the reads split the stream, and is copied only when the staging
 * buffer is full (at most one byte moved for each byte given away). A unit is given when what follows it has begun, or
 * by `flush` when the caller knows that the source pauses. What is damaged is counted and passed over; nothing throws
 * but misuse. Left out: arbitrary slice order and redundant pictures of H.264's Baseline and Extended profiles.
 *
 * ```text
 * staging  | given away |lost| NAL unit | NAL unit | open NAL unit … |  writable  |
 *                            ^unitStart            ^nalStart   scan^ ^end
 * ```
 */
import { CameraError } from '../base/errors.ts';
import type { VideoCodec } from '../base/tracks.ts';
import type { AccessUnit } from './access-unit.ts';
import { findStartCode, startCodeBytes, trimTrailingZeros } from './annexb.ts';
import {
  accessUnitBytesMaxDefault,
  parameterSetBytesMax,
  sliceHeaderBytesMax,
  stagingBytesInitial,
} from './limits.ts';
import { PendingAccessUnit } from './pending-access-unit.ts';
import { syntaxOf } from './syntax-of.ts';
import type { AccessUnitRules, VideoSyntax } from './video-syntax.ts';

/** What has been cut and lost so far; only ever grows. */
export interface AccessUnitCutterCounters {
  /** Bytes outside of any NAL unit, and of NAL units with a broken header. Zero bytes between NAL units are legal. */
  garbageBytes: number;
  /** Access units dropped as they had too many bytes or NAL units. */
  oversizeAccessUnits: number;
  /** Flushes after which more of the same picture came: the picture given was cut short. */
  earlyFlushes: number;
  /** Access units given. */
  accessUnits: number;
}

/** What is to be done with the open NAL unit; unjudged until enough of it is there. */
type NalUnitUse = 'unjudged' | 'kept' | 'ignored' | 'broken' | 'continuation';

/** The cutter; see the file's comment. */
export class AccessUnitCutter {
  readonly counters: AccessUnitCutterCounters = {
    garbageBytes: 0,
    oversizeAccessUnits: 0,
    earlyFlushes: 0,
    accessUnits: 0,
  };

  private readonly syntax: VideoSyntax;
  private readonly accessUnitBytesMax: number;
  /** A unit of the largest size may have the front of the next one behind it, before that is known to be one. */
  private readonly pendingBytesMax: number;
  private rules: AccessUnitRules;
  private staging = new Uint8Array(stagingBytesInitial);
  private readonly unit = new PendingAccessUnit(this.staging);
  /** Whether `unit` is the caller's until the next call. */
  private unitIsGiven = false;
  private unitIsDamaged = false;
  private unitStart = 0;
  private slices = 0;
  /** Start of the open NAL unit, or -1 when what comes is lost until the next start code. */
  private nalStart = -1;
  private nalUse: NalUnitUse = 'unjudged';
  private scan = 0;
  private end = 0;
  private lostFrom = 0;
  private lostAs: 'garbage' | 'continuation' | 'oversize' = 'garbage';
  /** The picture of the last slice is gone; what still belongs to it is passed over. */
  private passingOver: 'nothing' | 'flushed' | 'oversize' = 'nothing';
  private earlyFlushIsCounted = false;
  private continuation = 0;
  private randomAccessNeeded = true;

  /** `accessUnitBytesMax`: a larger access unit is dropped (default 8 MiB). */
  constructor(codec: VideoCodec, options: { accessUnitBytesMax?: number } = {}) {
    this.syntax = syntaxOf(codec);
    this.rules = this.syntax.createAccessUnitRules();
    this.accessUnitBytesMax = options.accessUnitBytesMax ?? accessUnitBytesMaxDefault;
    this.pendingBytesMax = this.accessUnitBytesMax + sliceHeaderBytesMax;
  }

  /**
   * At least `minBytes` bytes to read the source into, borrowed until `advance` or any other call. Call `next` until it
   * gives undefined before more is reserved: beyond the largest access unit this throws CameraError 'internal'.
   */
  reserve(minBytes: number): Uint8Array {
    this.release();
    const pending = this.end - this.unitStart;
    if (pending > this.pendingBytesMax)
      throw new CameraError('internal', 'More bytes were reserved before next() was called.', { pending });
    if (pending === 0) this.moveTo(this.staging);
    if (this.end + minBytes > this.staging.length) {
      // Moving is worth it as long as it moves no more than was given away since; else the buffer is too small. It
      // never grows beyond twice the largest access unit and one read, where moving always is.
      const fits = pending + minBytes <= this.staging.length && pending <= this.unitStart;
      const larger = Math.min(
        2 * Math.max(this.staging.length, pending + minBytes),
        2 * this.pendingBytesMax + minBytes,
      );
      this.moveTo(fits ? this.staging : new Uint8Array(larger));
    }
    return this.staging.subarray(this.end);
  }

  /** The first `bytes` bytes of what `reserve` gave were filled. */
  advance(bytes: number): void {
    this.release();
    if (bytes < 0 || bytes > this.staging.length - this.end)
      throw new CameraError('internal', 'More bytes were filled than reserved.', { bytes });
    this.end += bytes;
  }

  /** The next access unit whose end is certain, or undefined when more bytes are needed. Borrowed until any call. */
  next(): AccessUnit | undefined {
    this.release();
    for (;;) {
      const startCode = findStartCode(this.staging, this.scan, this.end);
      if (startCode < 0) {
        this.scan = Math.max(this.scan, this.end - (startCodeBytes - 1));
        if (this.nalStart < 0) this.lose(this.end);
        else if (this.judge(this.end, this.end - this.nalStart >= sliceHeaderBytesMax)) return this.give();
        if (this.nalStart >= 0 && this.end - this.unitStart > this.pendingBytesMax) {
          this.dropOversize();
          this.closeStream(Math.max(this.nalStart, this.scan), 'oversize');
        }
        return undefined;
      }
      // Kept, so that a call after a unit was given finds this start code again at once.
      this.scan = startCode;
      if (this.nalStart < 0) this.lose(startCode);
      else {
        const nalEnd = trimTrailingZeros(this.staging, this.nalStart, startCode);
        if (nalEnd > this.nalStart && this.judge(nalEnd, true)) return this.give();
        this.closeNalUnit(nalEnd);
      }
      this.openNalUnit(startCode + startCodeBytes);
    }
  }

  /**
   * The source pauses or has ended, so that the pending NAL unit is whole: gives the pending picture, without trailing
   * zeros. What `next` would give comes first, so call it until it gives undefined. Without a slice nothing is given
   * and nothing is lost. Borrowed until any call.
   */
  flush(): AccessUnit | undefined {
    const certain = this.next();
    if (certain !== undefined) return certain;
    if (this.nalStart >= 0) {
      const nalEnd = trimTrailingZeros(this.staging, this.nalStart, this.end);
      // A slice needs a byte beyond its header to be told from another; less than that is left for later.
      if (nalEnd - this.nalStart > this.syntax.headerBytes) {
        if (this.judge(nalEnd, true)) return this.give();
        if (this.slices === 0) return undefined;
        this.closeNalUnit(nalEnd);
        this.closeStream(nalEnd, this.slices === 0 ? 'oversize' : 'continuation');
      }
    }
    if (this.slices === 0) return undefined;
    this.passingOver = 'flushed';
    this.earlyFlushIsCounted = false;
    return this.give();
  }

  /** Bytes of the pending access unit so far, start codes between its NAL units included; 0 when nothing is pending. */
  get pendingBytes(): number {
    if (this.unitIsGiven || this.unit.nalCount === 0) return this.nalStart < 0 ? 0 : this.end - this.nalStart;
    return this.end - this.unitStart;
  }

  /** Whether a slice is pending, so that `flush` would give a picture. */
  get hasPendingPicture(): boolean {
    if (this.slices > 0 && !this.unitIsGiven) return true;
    if (this.nalStart < 0 || this.nalUse !== 'unjudged') return false;
    const nalEnd = trimTrailingZeros(this.staging, this.nalStart, this.end);
    return (
      nalEnd - this.nalStart > this.syntax.headerBytes &&
      this.syntax.isWellFormed(this.staging, this.nalStart, nalEnd) &&
      !this.syntax.isIgnorable(this.staging, this.nalStart) &&
      this.syntax.isSlice(this.syntax.nalUnitType(this.staging[this.nalStart]!)) &&
      (this.passingOver === 'nothing' || this.rules.beginsAccessUnit(this.staging, this.nalStart, nalEnd))
    );
  }

  /** Bytes so far that came after a `flush` and belonged to the picture that it gave: dropped, that flush was early. */
  get continuationBytes(): number {
    return this.continuation;
  }

  /**
   * Whether the units given may not decode: from the start, and after anything was lost, until a unit with
   * `randomAccess` is given (of that unit it is already false).
   */
  get needsRandomAccess(): boolean {
    return this.randomAccessNeeded;
  }

  /** Forgets all bytes and parameter sets, for a source that starts anew; the counters stay. */
  reset(): void {
    this.rules = this.syntax.createAccessUnitRules();
    this.unit.clear();
    this.unitIsGiven = false;
    this.unitIsDamaged = false;
    this.slices = 0;
    this.end = 0;
    this.scan = 0;
    this.passingOver = 'nothing';
    this.randomAccessNeeded = true;
    this.closeStream(0, 'garbage');
  }

  /** Takes the unit back that the caller had. */
  private release(): void {
    if (!this.unitIsGiven) return;
    this.unitIsGiven = false;
    this.startUnit();
  }

  private startUnit(): void {
    this.unit.clear();
    this.slices = 0;
    this.unitIsDamaged = false;
    this.unitStart = this.nalStart >= 0 ? this.nalStart : this.lostFrom;
    this.rules.startAccessUnit();
  }

  private give(): AccessUnit {
    this.unit.randomAccess = this.rules.randomAccess;
    this.unit.nonReference = this.rules.nonReference;
    this.unit.bidirectional = this.rules.bidirectional;
    this.unitIsGiven = true;
    this.counters.accessUnits++;
    if (this.unitIsDamaged) this.randomAccessNeeded = true;
    else if (this.unit.randomAccess) this.randomAccessNeeded = false;
    return this.unit;
  }

  private openNalUnit(start: number): void {
    this.nalStart = start;
    this.nalUse = 'unjudged';
    this.scan = start;
    if (this.unit.nalCount === 0) this.unitStart = start;
  }

  /**
   * Decides what the open NAL unit is, by its bytes up to `end`. True when it begins another access unit while one is
   * pending: that is to be given first, and the NAL unit is judged again afterwards. With fewer bytes than are
   * `enough` a boundary may be certain already, but nothing else is decided.
   */
  private judge(end: number, enough: boolean): boolean {
    const { staging, nalStart, syntax, rules } = this;
    if (this.nalUse !== 'unjudged' || (!enough && end - nalStart <= syntax.headerBytes)) return false;
    const slice = syntax.isSlice(syntax.nalUnitType(staging[nalStart]!));
    if (!syntax.isWellFormed(staging, nalStart, end) || (slice && end - nalStart <= syntax.headerBytes)) {
      if (enough) this.nalUse = 'broken';
      return false;
    }
    const begins = rules.beginsAccessUnit(staging, nalStart, end);
    if (begins && this.slices > 0) return true;
    if (!enough) return false;
    if (begins) {
      this.passingOver = 'nothing';
    } else if (this.passingOver !== 'nothing') {
      // A suffix SEI may come late without harm, but a slice shows that the picture was given too early.
      this.nalUse = slice && this.passingOver === 'flushed' ? 'continuation' : 'ignored';
      return false;
    }
    if (syntax.isIgnorable(staging, nalStart)) {
      this.nalUse = 'ignored';
      return false;
    }
    this.nalUse = 'kept';
    if (slice) {
      rules.admitSlice(staging, nalStart, end);
      this.slices++;
    }
    return false;
  }

  /** The open NAL unit is whole and judged, or empty. */
  private closeNalUnit(end: number): void {
    const start = this.nalStart;
    if (end === start) return;
    if (this.nalUse === 'broken') {
      this.counters.garbageBytes += end - start;
      this.unitIsDamaged = true;
    } else if (this.nalUse === 'continuation') {
      this.countContinuation(end - start);
    } else if (this.nalUse === 'kept') {
      const kind = this.syntax.parameterSetKind(this.syntax.nalUnitType(this.staging[start]!));
      if (kind !== undefined && end - start <= parameterSetBytesMax)
        this.rules.learn(kind, this.staging.subarray(start, end));
      if (end - this.unitStart > this.accessUnitBytesMax || !this.unit.add(start, end)) this.dropOversize();
    }
  }

  private dropOversize(): void {
    this.counters.oversizeAccessUnits++;
    this.randomAccessNeeded = true;
    if (this.slices > 0) this.passingOver = 'oversize';
    this.startUnit();
  }

  /** No NAL unit is open any more: what comes from `from` on is lost until the next start code. */
  private closeStream(from: number, lostAs: 'garbage' | 'continuation' | 'oversize'): void {
    this.nalStart = -1;
    this.nalUse = 'unjudged';
    this.lostFrom = from;
    this.lostAs = lostAs;
    this.unitStart = from;
    this.scan = Math.max(this.scan, from);
  }

  /** Counts the bytes up to `until` as lost, without the zeros at the end, which may lead to a start code. */
  private lose(until: number): void {
    const lostEnd = trimTrailingZeros(this.staging, this.lostFrom, until);
    const lost = lostEnd - this.lostFrom;
    if (lost > 0 && this.lostAs === 'garbage') this.counters.garbageBytes += lost;
    if (lost > 0 && this.lostAs === 'continuation') this.countContinuation(lost);
    this.lostFrom = Math.max(lostEnd, until - (startCodeBytes - 1));
    this.scan = Math.max(this.scan, this.lostFrom);
    this.unitStart = this.lostFrom;
  }

  private countContinuation(bytes: number): void {
    this.continuation += bytes;
    this.randomAccessNeeded = true;
    if (this.earlyFlushIsCounted) return;
    this.earlyFlushIsCounted = true;
    this.counters.earlyFlushes++;
  }

  /** Moves what is pending to the front of `target`, which may be the buffer itself. */
  private moveTo(target: Uint8Array<ArrayBuffer>): void {
    const distance = this.unitStart;
    if (target !== this.staging) target.set(this.staging.subarray(distance, this.end));
    else if (distance > 0) target.copyWithin(0, distance, this.end);
    this.staging = target;
    this.unit.bytes = target;
    this.unit.shift(distance);
    this.unitStart = 0;
    this.lostFrom -= distance;
    this.scan -= distance;
    this.end -= distance;
    if (this.nalStart >= 0) this.nalStart -= distance;
  }
}
