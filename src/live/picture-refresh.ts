/**
 * Answers a viewer's PLI and FIR (RFC 4585 §6.3.1, RFC 5104 §4.3.1): from the ring where it holds a recent random
 * access point, else by asking the source for a new one.
 *
 * Live thread. Requests within {@link refreshIntervalUs} of an answered one are merged into it: a receiver repeats
 * itself until the picture is there. Requests of several viewers for one track meet in the ring's keyframe-wanted
 * word. A source that cannot make key frames on request is noticed by its silence, at the next second's tick or when
 * the viewer asks again; the viewer is then started again at the old random access point, which costs a burst and no
 * waiting.
 */
import type { Track } from '../base/tracks.ts';
import type { RingConsumer } from '../ring/ring-consumer.ts';
import type { VideoSender } from './video-sender.ts';

/** At most one answer in this time, µs (faults.md row 34). */
const refreshIntervalUs = 500_000;
/** A random access point younger than this is sent again instead of asking the encoder for a new one, µs. */
const recentUsMax = 2_000_000;

export class PictureRefresh {
  private readonly track: Track;
  private readonly consumer: RingConsumer;
  private readonly sender: VideoSender;
  private answeredMonoUs = Number.NEGATIVE_INFINITY;
  /** Since when a keyframe of the source is waited for, and the newest random access point at that time. */
  private waiting: { sinceMonoUs: number; known: number | undefined } | undefined;

  constructor(options: { track: Track; consumer: RingConsumer; sender: VideoSender }) {
    this.track = options.track;
    this.consumer = options.consumer;
    this.sender = options.sender;
  }

  /** The viewer asks for a picture that decodes. Returns whether the sender was started again, and is to be pumped. */
  want(nowMonoUs: number): boolean {
    if (nowMonoUs - this.answeredMonoUs < refreshIntervalUs) return false;
    this.answeredMonoUs = nowMonoUs;
    const newest = this.consumer.newestRandomAccess(this.track);
    const record = newest === undefined ? undefined : this.consumer.read(newest);
    const isRecent = record !== undefined && nowMonoUs - record.commitMonoUs <= recentUsMax;
    // Viewers repeat themselves: what was asked of the source at the last answer must not be asked for ever.
    const isUnheard = this.waiting !== undefined && this.waiting.known === newest;
    if (isRecent || isUnheard) return this.restart();
    this.consumer.requestKeyframe(this.track);
    this.waiting = { sinceMonoUs: nowMonoUs, known: newest };
    return false;
  }

  /** To be called each second or so. Returns as {@link want} does. */
  tick(nowMonoUs: number): boolean {
    const { waiting } = this;
    if (!waiting || nowMonoUs - waiting.sinceMonoUs < refreshIntervalUs) return false;
    if (this.consumer.newestRandomAccess(this.track) === waiting.known) return this.restart();
    this.waiting = undefined;
    return false;
  }

  private restart(): true {
    this.waiting = undefined;
    this.sender.join();
    return true;
  }
}
