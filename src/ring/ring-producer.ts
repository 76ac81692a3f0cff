/**
 * The one writer of a frame ring: claim → fill → commit. It never waits, and no reader can make it fail.
 *
 * Called by the capture thread alone. After construction nothing is allocated per record but the view that the claim
 * hands out. The protocol, in the order that the proof needs (ring/README.md; test/ring/interleaving.test.ts removes
 * each step in turn and shows the torn read that follows):
 *
 *   1. claim:  TAIL moves past every record that the new bytes or the new slot will overwrite. By exchange, not by
 *      store: a read-modify-write synchronises with the readers' own (ring-consumer.ts), so that whatever a reader
 *      read before it found its record intact happened before the first byte written here.
 *   2. fill:   bytes, then the slot's fields; plain writes.
 *   3. commit: HEAD moves past the record by a sequentially consistent store, which publishes 2. Waiters are woken.
 *
 * A producer that died between 1 and 3 leaves a ring that is consistent and merely shorter; its successor attaches to
 * the same memory and goes on.
 */
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import { type Codec, type Track, trackCountMax } from '../base/tracks.ts';
import { openFrameRing, type RingViews, recordBytesMaxOf } from './frame-ring.ts';
import {
  recordAlignmentBytes,
  wordHead,
  wordKeyframeWanted,
  wordRandomAccess,
  wordRandomAccessKnown,
  wordTail,
  wordWaiters,
} from './ring-layout.ts';
import {
  nalCountMax,
  nalLengthBytes,
  RecordFlag,
  slotBytes,
  slotCaptureMonoUs,
  slotCodec,
  slotCommitMonoUs,
  slotFlags,
  slotLength,
  slotNalCount,
  slotNalTable,
  slotNalTableLength,
  slotOffset,
  slotSequence,
  slotTrack,
  slotWallUnixMs,
} from './slot-layout.ts';

/** What a committed record is. */
export interface RecordDescription {
  readonly track: Track;
  readonly codec: Codec;
  /** Bits of {@link RecordFlag}. */
  readonly flags: number;
  /** Media time of the record on the monotonic clock, µs. */
  readonly captureMonoUs: number;
  /** The same moment on the wall clock, Unix ms. */
  readonly wallUnixMs: number;
  /** Bytes of the record, 1 to the claim's length. */
  readonly lengthBytes: number;
  /** NAL units in the record, 1 to 4096; 1 for audio. */
  readonly nalCount: number;
  /**
   * Start and end of NAL unit i within the record at [2 i], [2 i + 1]: each behind its 4-byte length, without gaps.
   * Left out: the whole record is one unit without a length in front (audio).
   */
  readonly nalTable?: Int32Array;
}

/** Space in the ring that is the caller's until it commits or abandons it. Got from {@link RingProducer.claim}. */
export interface RingClaim {
  /** The bytes to fill, straight in the ring; `fs.read` may write here. Not valid after commit, abandon or grow. */
  readonly bytes: Uint8Array;
  /**
   * Enlarges the claim to `lengthBytes`; what was filled stays. The view returned replaces {@link RingClaim.bytes}.
   * Throws CameraError `record-too-large`; the claim is then as it was.
   */
  grow(lengthBytes: number): Uint8Array;
  /** Gives the space back; nothing is published. */
  abandon(): void;
  /**
   * Publishes the record and returns its sequence (unsigned 32-bit). Throws CameraError `ring-misused` for a
   * description that does not fit the claim (length 0 included); the claim is then abandoned.
   */
  commit(description: RecordDescription): number;
}

export class RingProducer {
  /** Largest claim in bytes. */
  readonly recordBytesMax: number;
  private readonly views: RingViews;
  private readonly clock: Clock;
  /** Sequence of the next record; the producer's own copy of HEAD. */
  private head: number;
  /** The producer's own copy of TAIL. */
  private tail: number;
  /** Where the next record may begin in the data area. */
  private writeOffset: number;
  /** Tracks whose random access points this producer has announced, bit t for track t. */
  private randomAccessKnown = 0;
  private claimStart = 0;
  private claimOpen = false;
  private readonly openClaim: { bytes: Uint8Array } & RingClaim;

  /**
   * Attaches to a ring, new or left by another producer. There must be no other producer on it.
   * Throws CameraError `ring-invalid` when the memory is no ring.
   */
  constructor(ring: SharedArrayBuffer, clock: Clock) {
    this.views = openFrameRing(ring);
    this.clock = clock;
    this.recordBytesMax = recordBytesMaxOf(this.views.dataBytes);
    const { words, data, dataBytes, slotCount } = this.views;
    this.head = Atomics.load(words, wordHead);
    this.tail = Atomics.load(words, wordTail);
    const held = (this.head - this.tail) | 0;
    this.writeOffset = held > 0 ? this.endOfNewest() : 0;
    if (held < 0 || held > slotCount || this.writeOffset > dataBytes)
      throw new CameraError('ring-invalid', 'the frame ring contradicts itself', {
        held,
        end: this.writeOffset,
      });
    this.openClaim = {
      bytes: data.subarray(0, 0),
      grow: lengthBytes => this.grow(lengthBytes),
      abandon: () => this.abandon(),
      commit: description => this.commit(description),
    };
  }

  /**
   * Claims `lengthBytes` contiguous bytes, 1 to {@link recordBytesMax}; what lay there is revoked at once. The claim
   * is a reused object. Throws CameraError `record-too-large`, or `ring-misused` while another claim is open.
   */
  claim(lengthBytes: number): RingClaim {
    if (this.claimOpen)
      throw new CameraError('ring-misused', 'the last claim is neither committed nor abandoned');
    if (!(lengthBytes >= 1))
      throw new CameraError('ring-misused', 'a record has at least one byte', { lengthBytes });
    this.checkFits(lengthBytes);
    const wraps = this.writeOffset + lengthBytes > this.views.dataBytes;
    this.claimStart = wraps ? 0 : this.writeOffset;
    this.claimOpen = true;
    this.evict(this.claimStart, this.claimStart + lengthBytes, wraps);
    this.openClaim.bytes = this.view(lengthBytes);
    return this.openClaim;
  }

  /** Whether a keyframe on `track` is wanted; asking clears it. */
  takeKeyframeWanted(track: Track): boolean {
    const bit = 1 << track;
    return (Atomics.and(this.views.words, wordKeyframeWanted, ~bit) & bit) !== 0;
  }

  private grow(lengthBytes: number): Uint8Array {
    this.checkOpen();
    this.checkFits(lengthBytes);
    const filled = this.openClaim.bytes.length;
    if (lengthBytes <= filled) return this.openClaim.bytes;
    const { data, dataBytes } = this.views;
    if (this.claimStart + lengthBytes <= dataBytes) {
      this.evict(this.claimStart, this.claimStart + lengthBytes, false);
    } else {
      this.evict(0, lengthBytes, true);
      data.copyWithin(0, this.claimStart, this.claimStart + filled);
      this.claimStart = 0;
    }
    this.openClaim.bytes = this.view(lengthBytes);
    return this.openClaim.bytes;
  }

  private abandon(): void {
    this.checkOpen();
    this.claimOpen = false;
  }

  private commit(description: RecordDescription): number {
    this.checkOpen();
    this.claimOpen = false;
    const { flags, lengthBytes } = description;
    checkDescription(description, this.openClaim.bytes.length);
    const { words, slotCount } = this.views;
    const sequence = this.head;
    this.fillSlot((sequence & (slotCount - 1)) * slotBytes, sequence, description);
    this.writeOffset = this.claimStart + alignUp(lengthBytes);
    this.head = (sequence + 1) | 0;
    Atomics.store(words, wordHead, this.head);
    if (flags & RecordFlag.randomAccess) this.announceRandomAccess(description.track, sequence);
    if (Atomics.load(words, wordWaiters) > 0) Atomics.notify(words, wordHead);
    return sequence >>> 0;
  }

  /** After HEAD was moved, so that whoever reads this sequence finds it published. */
  private announceRandomAccess(track: Track, sequence: number): void {
    const { words } = this.views;
    Atomics.store(words, wordRandomAccess + track, sequence);
    if ((this.randomAccessKnown >>> track) & 1) return;
    this.randomAccessKnown |= 1 << track;
    Atomics.or(words, wordRandomAccessKnown, 1 << track);
  }

  /** Where the newest record ends in the data area, by its slot. */
  private endOfNewest(): number {
    const { slots, slotCount } = this.views;
    const at = ((this.head - 1) & (slotCount - 1)) * slotBytes;
    return slots.getUint32(at + slotOffset, true) + alignUp(slots.getUint32(at + slotLength, true));
  }

  private fillSlot(at: number, sequence: number, description: RecordDescription): void {
    const { slots } = this.views;
    const { nalCount, nalTable } = description;
    slots.setInt32(at + slotSequence, sequence, true);
    slots.setUint8(at + slotTrack, description.track);
    slots.setUint8(at + slotCodec, description.codec);
    slots.setUint16(at + slotFlags, description.flags, true);
    slots.setFloat64(at + slotCaptureMonoUs, description.captureMonoUs, true);
    slots.setFloat64(at + slotWallUnixMs, description.wallUnixMs, true);
    slots.setFloat64(at + slotCommitMonoUs, this.clock.monoUs(), true);
    slots.setUint32(at + slotOffset, this.claimStart, true);
    slots.setUint32(at + slotLength, description.lengthBytes, true);
    slots.setUint32(at + slotNalCount, nalCount, true);
    const listed = Math.min(nalCount, slotNalTableLength);
    for (let i = 0; i < listed; i++)
      slots.setUint32(at + slotNalTable + 4 * i, nalTable === undefined ? 0 : nalTable[2 * i]!, true);
  }

  /**
   * Revokes every record whose bytes lie in [start, end), or behind the write offset when the data area wraps, and
   * the one whose slot comes next. Records lie in the data area in the order of their sequences, so the oldest ones
   * are always the next to be reached.
   */
  private evict(start: number, end: number, wraps: boolean): void {
    const { slots, words, slotCount } = this.views;
    let tail = this.tail;
    while (tail !== this.head) {
      const at = (tail & (slotCount - 1)) * slotBytes;
      const offset = slots.getUint32(at + slotOffset, true);
      const overlaps = offset < end && offset + slots.getUint32(at + slotLength, true) > start;
      const skipped = wraps && offset >= this.writeOffset;
      const slotNeeded = ((this.head - tail) | 0) >= slotCount;
      if (!overlaps && !skipped && !slotNeeded) break;
      tail = (tail + 1) | 0;
    }
    this.tail = tail;
    // Also when nothing is evicted: the ordering of step 1 is bought here, whatever the value.
    Atomics.exchange(words, wordTail, tail);
  }

  /** The claimed bytes. A constructor call: `subarray` looks up the species and takes twice as long. */
  private view(lengthBytes: number): Uint8Array {
    const { data } = this.views;
    return new Uint8Array(data.buffer, data.byteOffset + this.claimStart, lengthBytes);
  }

  private checkOpen(): void {
    if (!this.claimOpen) throw new CameraError('ring-misused', 'there is no open claim');
  }

  private checkFits(lengthBytes: number): void {
    if (lengthBytes > this.recordBytesMax)
      throw new CameraError(
        'record-too-large',
        `a record of ${lengthBytes} bytes is larger than half the ring`,
        {
          lengthBytes,
          recordBytesMax: this.recordBytesMax,
        },
      );
  }
}

function alignUp(bytes: number): number {
  return (bytes + recordAlignmentBytes - 1) & -recordAlignmentBytes;
}

function checkDescription(description: RecordDescription, claimBytes: number): void {
  const { track, lengthBytes, nalCount, nalTable } = description;
  const lengthFits = Number.isInteger(lengthBytes) && lengthBytes >= 1 && lengthBytes <= claimBytes;
  const trackFits = Number.isInteger(track) && track >= 0 && track < trackCountMax;
  if (!lengthFits || !trackFits)
    throw new CameraError('ring-misused', 'the record does not fit its claim', {
      lengthBytes,
      claimBytes,
      track,
    });
  const countFits = Number.isInteger(nalCount) && nalCount >= 1 && nalCount <= nalCountMax;
  if (!countFits || (nalTable === undefined ? nalCount !== 1 : nalTable.length < 2 * nalCount))
    throw new CameraError('ring-misused', 'the NAL table does not fit its count', { nalCount });
  if (nalTable === undefined) return;
  let end = 0;
  for (let i = 0; i < nalCount; i++) {
    const start = nalTable[2 * i]!;
    if (start !== end + nalLengthBytes || nalTable[2 * i + 1]! < start)
      throw new CameraError('ring-misused', 'the NAL units do not lie one behind the other', { nalUnit: i });
    end = nalTable[2 * i + 1]!;
  }
  if (end !== lengthBytes)
    throw new CameraError('ring-misused', 'the NAL units do not fill the record', { end, lengthBytes });
}
