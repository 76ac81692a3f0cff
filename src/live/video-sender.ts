/**
 * Moves one viewer's video along the ring: joining, pacing, and catching up. Here lies "first picture at once" and
 * "latency never grows".
 *
 * Live thread. A viewer is nothing but a place in the ring (record, packet) that is moved towards the live edge:
 *
 * - It joins at the newest random access point and is sent everything since in a paced burst, so its wait does not
 *   depend on the GOP length.
 * - At the live edge each new frame leaves at once, up to the burst; the rest of a big one is paced, because a
 *   receiver's socket buffer (212 KB by default) overflows under an unpaced key frame.
 * - A viewer that stays behind for longer than {@link behindMonoUsMax} goes forward to the newest random access point,
 *   and the jump is counted; so does one whose place was overwritten.
 *
 * Pictures with B slices are not sent live: they would have to wait for later ones. Nor is a picture of another codec
 * than was negotiated: a source that is restarted may come back with one, and this viewer cannot be told.
 */
import type { Codec, Track } from '../base/tracks.ts';
import type { RingConsumer } from '../ring/ring-consumer.ts';
import type { RingRecord } from '../ring/ring-record.ts';
import { RecordFlag } from '../ring/slot-layout.ts';
import type { FrameSplitter } from './frame-splitter.ts';
import type { OutgoingStream } from './outgoing-stream.ts';

/** Packets that may leave at once: 64 × 1.2 KB take 147 KB of a receiver's 212 KB buffer by the kernel's count. */
const burstPackets = 64;
/** Packets a millisecond beyond the burst: 16 × 1.2 KB are 154 Mbit/s, a little more than a 100 Mbit/s port drains. */
const packetsPerMs = 16;
/** Longest time behind the live edge before a viewer is moved forward, µs. */
export const behindMonoUsMax = 1_000_000;
/** Bytes waiting in the viewer's socket above which nothing more is handed to it. */
const socketBacklogBytesMax = 256 * 1024;

/** What {@link VideoSender.pump} reports: at the live edge, or to be called again soon. */
export type PumpResult = 'live' | 'behind';

export class VideoSender {
  /** Frames of the track that this viewer was not sent, or not whole; overwritten ones are not known and not counted. */
  framesSkipped = 0;
  /** Moves to a newer random access point because the viewer could not keep up. */
  forwardJumps = 0;
  readonly track: Track;
  private readonly codec: Codec;
  private readonly consumer: RingConsumer;
  private readonly splitter: FrameSplitter;
  private readonly stream: OutgoingStream;
  private readonly socketBacklogBytes: () => number;
  private readonly onFrameSent: (record: RingRecord) => void;
  /** Whether the viewer has been at the live edge since it joined: before that, delays are the burst's. */
  private hasCaughtUp = false;
  /** Sequence of the record to send next, and the packet in it. */
  private sequence = 0;
  private packet = 0;
  private needsRandomAccess = true;
  /** Packets that may leave now; fractions are kept, or a short interval would earn less than a long one. */
  private tokens = burstPackets;
  private tokensMonoUs = 0;
  private behindSinceMonoUs: number | undefined;

  constructor(options: {
    track: Track;
    /** The codec that the viewer negotiated. */
    codec: Codec;
    consumer: RingConsumer;
    splitter: FrameSplitter;
    stream: OutgoingStream;
    socketBacklogBytes: () => number;
    /** Told of each frame whose last packet left, once the viewer has caught up; the record is borrowed. */
    onFrameSent: (record: RingRecord) => void;
  }) {
    this.track = options.track;
    this.codec = options.codec;
    this.consumer = options.consumer;
    this.splitter = options.splitter;
    this.stream = options.stream;
    this.socketBacklogBytes = options.socketBacklogBytes;
    this.onFrameSent = options.onFrameSent;
  }

  /** Starts, or starts again, at the newest random access point; asks for a keyframe when the ring holds none. */
  join(): void {
    const sequence = this.consumer.newestRandomAccess(this.track);
    this.packet = 0;
    this.needsRandomAccess = true;
    this.behindSinceMonoUs = undefined;
    this.hasCaughtUp = false;
    this.sequence = sequence ?? this.consumer.liveEdge;
    if (sequence === undefined) this.consumer.requestKeyframe(this.track);
  }

  /**
   * Sends what may be sent now. Called whenever a frame of the track was published, and again each millisecond or so
   * while the answer is `behind`.
   */
  pump(nowMonoUs: number): PumpResult {
    this.refill(nowMonoUs);
    this.moveForwardIfLate(nowMonoUs);
    for (;;) {
      const record = this.consumer.read(this.sequence);
      if (!record) {
        if (this.consumer.distanceToEdge(this.sequence) <= 0) return this.reachedEdge();
        this.moveForward();
        continue;
      }
      if (record.track !== this.track || !this.isWanted(record)) {
        this.sequence = (this.sequence + 1) >>> 0;
        continue;
      }
      const table = this.splitter.split(record);
      const count = Math.min(Math.floor(this.tokens), table.count - this.packet);
      if (count <= 0 && table.count > 0) return this.stayBehind(nowMonoUs);
      if (count > 0 && !this.stream.send(record, table, this.packet, count)) {
        this.splitter.forget();
        this.moveForward();
        continue;
      }
      this.needsRandomAccess = false;
      this.tokens -= count;
      this.packet += count;
      if (this.packet >= table.count) {
        if (this.hasCaughtUp) this.onFrameSent(record);
        this.packet = 0;
        this.sequence = (this.sequence + 1) >>> 0;
      }
    }
  }

  private isWanted({ flags, codec }: RingRecord): boolean {
    if (codec !== this.codec) this.needsRandomAccess = true;
    else if (flags & RecordFlag.randomAccess) return true;
    else if (!this.needsRandomAccess && !(flags & RecordFlag.bidirectional)) return true;
    this.framesSkipped++;
    return false;
  }

  private refill(nowMonoUs: number): void {
    if (this.socketBacklogBytes() > socketBacklogBytesMax) {
      this.tokens = 0;
    } else {
      const earned = ((nowMonoUs - this.tokensMonoUs) * packetsPerMs) / 1000;
      this.tokens = Math.min(burstPackets, this.tokens + earned);
    }
    this.tokensMonoUs = nowMonoUs;
  }

  private reachedEdge(): PumpResult {
    this.behindSinceMonoUs = undefined;
    this.hasCaughtUp = true;
    return 'live';
  }

  private stayBehind(nowMonoUs: number): PumpResult {
    this.behindSinceMonoUs ??= nowMonoUs;
    return 'behind';
  }

  private moveForwardIfLate(nowMonoUs: number): void {
    if (this.behindSinceMonoUs === undefined) return;
    if (nowMonoUs - this.behindSinceMonoUs < behindMonoUsMax) return;
    const newest = this.consumer.newestRandomAccess(this.track);
    if (newest === undefined || ((newest - this.sequence) | 0) <= 0) return;
    this.jumpTo(newest);
    this.behindSinceMonoUs = nowMonoUs;
  }

  /** The viewer's place is gone or torn: on to the newest random access point, or to the next one to come. */
  private moveForward(): void {
    const newest = this.consumer.newestRandomAccess(this.track);
    if (newest !== undefined && ((newest - this.sequence) | 0) > 0) this.jumpTo(newest);
    else {
      this.consumer.requestKeyframe(this.track);
      this.jumpTo(this.consumer.liveEdge);
    }
  }

  private jumpTo(sequence: number): void {
    this.forwardJumps++;
    this.countSkipped(sequence);
    this.sequence = sequence;
    this.packet = 0;
    this.needsRandomAccess = true;
  }

  /** Counts what lies between here and `end`, backwards, so that it ends where the ring does. */
  private countSkipped(end: number): void {
    for (let left = (end - this.sequence) | 0; left > 0; left--) {
      const record = this.consumer.read(this.sequence + left - 1);
      if (!record) return;
      if (record.track === this.track) this.framesSkipped++;
    }
  }
}
