/**
 * A reader of a frame ring: next → use → validate. Any number of them, in any thread, unknown to the producer.
 *
 * One object belongs to one thread. Nothing here blocks (ring-wait.ts does) or throws because of the producer: a
 * reader that was overtaken is told by counters and goes on at the newest random access point. Reading costs one
 * atomic load, checking one atomic read-modify-write.
 *
 * Why `validate` adds zero instead of loading: the bytes are read by plain loads, and a processor (ARM does, x86 does
 * not) or a compiler may still satisfy those after a later *load*. A read-modify-write of TAIL cannot be passed by
 * them, and the producer's exchange of the same word reads from it: so if the record was still intact here, everything
 * read before happened before the first byte that overwrites it (ECMAScript memory model: RMW synchronises with RMW).
 * No checksum, no retry loop, no fence instruction of our own.
 */
import { Track } from '../base/tracks.ts';
import { openFrameRing, type RingViews } from './frame-ring.ts';
import {
  wordHead,
  wordKeyframeWanted,
  wordRandomAccess,
  wordRandomAccessKnown,
  wordTail,
} from './ring-layout.ts';
import { RingRecord } from './ring-record.ts';

export interface RingConsumerOptions {
  /** Tracks that `next` gives, bit t for track t; all when left out. */
  readonly tracks?: number;
  /** Track at whose newest random access point a lapped reader resumes; main when left out. */
  readonly resumeTrack?: Track;
}

export class RingConsumer {
  private readonly views: RingViews;
  private readonly tracks: number;
  private readonly resumeTrack: Track;
  private readonly record: RingRecord;
  private readonly readRecord: RingRecord;
  private cursor: number;
  /** Whether the last record of `next` has not been counted as lost yet. */
  private recordPending = false;
  private lost = 0;
  private lapCount = 0;

  /** Starts at the live edge. Throws CameraError `ring-invalid` when the memory is no ring. */
  constructor(ring: SharedArrayBuffer, options: RingConsumerOptions = {}) {
    this.views = openFrameRing(ring);
    this.tracks = options.tracks ?? -1;
    this.resumeTrack = options.resumeTrack ?? Track.main;
    this.record = new RingRecord(this.views);
    this.readRecord = new RingRecord(this.views);
    this.cursor = this.head();
  }

  /** Sequence that {@link next} looks at next, unsigned 32-bit. */
  get position(): number {
    return this.cursor >>> 0;
  }

  /** Records, of all tracks, that the producer overwrote before this reader reached them. */
  get lostRecords(): number {
    return this.lost;
  }

  /** How often this reader was overtaken. */
  get laps(): number {
    return this.lapCount;
  }

  /** Sequence of the record that will be published next, unsigned 32-bit. */
  get liveEdge(): number {
    return this.head() >>> 0;
  }

  /** Records published from `sequence` on; 0 or less when that one is still to come. */
  distanceToEdge(sequence: number): number {
    return (this.head() - sequence) | 0;
  }

  /**
   * The next record of this reader's tracks, or undefined at the live edge. The record is a reused object, filled
   * again by the next call. A reader that was overtaken counts its loss and resumes at the newest random access point
   * of its resume track, or at the live edge when there is none in the ring.
   */
  next(): RingRecord | undefined {
    for (;;) {
      const head = this.head();
      const backlog = (head - this.cursor) | 0;
      if (backlog <= 0) {
        // Behind HEAD: nothing new. Ahead of it cannot be, unless a caller sought there; the edge is the answer.
        if (backlog < 0) this.cursor = head;
        return undefined;
      }
      this.record.load(this.cursor);
      if (!this.isIntact(this.cursor)) {
        this.resume();
        continue;
      }
      this.cursor = (this.cursor + 1) | 0;
      if ((this.tracks >>> this.record.track) & 1) {
        this.record.open();
        this.recordPending = true;
        return this.record;
      }
    }
  }

  /**
   * After use: whether the record was intact all the time. False: what was read from it is worthless, and a record
   * of {@link next} is counted as lost.
   */
  validate(record: RingRecord): boolean {
    if (this.isIntact(record.sequence | 0)) return true;
    if (record === this.record && this.recordPending) {
      this.lost++;
      this.recordPending = false;
    }
    return false;
  }

  /**
   * Any record that is still in the ring, by its sequence; the cursor stays. Another reused object than that of
   * {@link next}; validate it after use like any record.
   */
  read(sequence: number): RingRecord | undefined {
    if (((this.head() - sequence) | 0) <= 0) return undefined;
    this.readRecord.load(sequence | 0);
    if (!this.isIntact(sequence | 0)) return undefined;
    this.readRecord.open();
    return this.readRecord;
  }

  /** Sequence of the newest random access point of `track` if it is still in the ring. O(1). */
  newestRandomAccess(track: Track): number | undefined {
    const { words } = this.views;
    if (!((Atomics.load(words, wordRandomAccessKnown) >>> track) & 1)) return undefined;
    const sequence = Atomics.load(words, wordRandomAccess + track);
    if (((this.head() - sequence) | 0) <= 0 || !this.isIntact(sequence)) return undefined;
    return sequence >>> 0;
  }

  /** The next {@link next} looks at `sequence`. Nothing is counted as lost. */
  seek(sequence: number): void {
    this.cursor = sequence | 0;
  }

  /** The next {@link next} looks at what is published after this call. */
  seekLive(): void {
    this.cursor = this.head();
  }

  /** Asks the capture side for a keyframe on `track`; it is told at its next look (RingProducer.takeKeyframeWanted). */
  requestKeyframe(track: Track): void {
    Atomics.or(this.views.words, wordKeyframeWanted, 1 << track);
    Atomics.notify(this.views.words, wordKeyframeWanted);
  }

  private head(): number {
    return Atomics.load(this.views.words, wordHead);
  }

  /**
   * Whether the record `sequence`, and so every later one, is intact until now: for a reader that used several at once.
   * The check of step 1's other half; see the file's comment for why it is a read-modify-write.
   */
  isIntact(sequence: number): boolean {
    return ((sequence - Atomics.add(this.views.words, wordTail, 0)) | 0) >= 0;
  }

  private resume(): void {
    const target = this.newestRandomAccess(this.resumeTrack) ?? this.head();
    const skipped = (target - this.cursor) | 0;
    this.lapCount++;
    this.lost += Math.max(0, skipped);
    this.cursor = target | 0;
  }
}
