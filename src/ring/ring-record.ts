/**
 * A record of the ring as a reader sees it: the slot's fields and a view of the bytes, in one reused object.
 *
 * Owned by the RingConsumer that fills it; valid until that consumer's next call that fills it again. The bytes are
 * the ring's own memory and may be overwritten at any time: use them, then ask `consumer.validate(record)`. Until that
 * answered true nothing read from here may be believed, and no length read from here may be trusted for a loop; the
 * accessors below are therefore bounded by the record's own length whatever the bytes say.
 */
import type { Codec, Track } from '../base/tracks.ts';
import type { RingViews } from './frame-ring.ts';
import {
  nalCountMax,
  nalLengthBytes,
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
  slotTrack,
  slotWallUnixMs,
} from './slot-layout.ts';

export class RingRecord {
  /** Unsigned 32-bit sequence of the record in the ring, over all tracks. */
  sequence = 0;
  track: Track = 0;
  codec: Codec = 1;
  /** Bits of RecordFlag. */
  flags = 0;
  /** Media time on the monotonic clock, µs. */
  captureMonoUs = 0;
  /** The same moment on the wall clock, Unix ms. */
  wallUnixMs = 0;
  /** When the record was published, monotonic µs. */
  commitMonoUs = 0;
  /** The record: NAL units, each behind its 4-byte length; or G.711 bytes. A view of the ring's memory. */
  bytes: Uint8Array;
  nalCount = 0;
  private offset = 0;
  private length = 0;
  private readonly views: RingViews;
  private readonly nalStarts = new Uint32Array(slotNalTableLength);
  /** The last unit found by walking, for units beyond the table. */
  private walkedUnit = 0;
  private walkedStart = 0;

  /** Made by RingConsumer; nobody else needs one. */
  constructor(views: RingViews) {
    this.views = views;
    this.bytes = views.data.subarray(0, 0);
  }

  /** Copies the slot's fields. They may be torn until the ring says that the record was intact; then call `open`. */
  load(sequence: number): void {
    const { slots, slotCount } = this.views;
    const at = (sequence & (slotCount - 1)) * slotBytes;
    this.sequence = sequence >>> 0;
    this.track = slots.getUint8(at + slotTrack) as Track;
    this.codec = slots.getUint8(at + slotCodec) as Codec;
    this.flags = slots.getUint16(at + slotFlags, true);
    this.captureMonoUs = slots.getFloat64(at + slotCaptureMonoUs, true);
    this.wallUnixMs = slots.getFloat64(at + slotWallUnixMs, true);
    this.commitMonoUs = slots.getFloat64(at + slotCommitMonoUs, true);
    this.offset = slots.getUint32(at + slotOffset, true);
    this.length = slots.getUint32(at + slotLength, true);
    this.nalCount = Math.min(slots.getUint32(at + slotNalCount, true), nalCountMax);
    const listed = Math.min(this.nalCount, slotNalTableLength);
    for (let i = 0; i < listed; i++) this.nalStarts[i] = slots.getUint32(at + slotNalTable + 4 * i, true);
    this.walkedUnit = 0;
  }

  /** Opens the view of the bytes, after the fields were found intact. */
  open(): void {
    const { data } = this.views;
    this.bytes = new Uint8Array(data.buffer, data.byteOffset + this.offset, this.length);
  }

  /** Offset in `bytes` of NAL unit i's first byte; i from 0 to nalCount - 1. */
  nalStart(i: number): number {
    if (i < slotNalTableLength) return this.nalStarts[i]!;
    if (this.walkedUnit < slotNalTableLength || i < this.walkedUnit) {
      this.walkedUnit = slotNalTableLength - 1;
      this.walkedStart = this.nalStarts[this.walkedUnit]!;
    }
    while (this.walkedUnit < i) {
      this.walkedStart = Math.min(
        this.length,
        this.walkedStart + this.lengthBefore(this.walkedStart) + nalLengthBytes,
      );
      this.walkedUnit++;
    }
    return this.walkedStart;
  }

  /** Offset in `bytes` just behind NAL unit i; i from 0 to nalCount - 1. */
  nalEnd(i: number): number {
    if (i + 1 >= this.nalCount) return this.length;
    return Math.max(this.nalStart(i), this.nalStart(i + 1) - nalLengthBytes);
  }

  /** The 4-byte length in front of the unit that starts at `start`. */
  private lengthBefore(start: number): number {
    const { bytes } = this;
    const at = start - nalLengthBytes;
    if (at < 0 || start > this.length) return 0;
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  }
}
