/**
 * RTP timestamps of a stream's frames, from the capture clock, by two rules: one for video, one for sampled audio.
 *
 * Live thread. Values are not wrapped (the wire takes them modulo 2^32) and begin at a random base (RFC 3550 §5.1).
 * Video follows the capture clock and never falls: a frame that is sent again after a jump back to an earlier random
 * access point gets the next higher timestamp, since receivers drop what is older than what they have shown. Audio
 * counts samples, so that jitter of the clock makes no gaps (RFC 3551 §4.1), and is set to the clock again when the
 * two drift apart.
 */
import { randomInt } from 'node:crypto';

export interface RtpTimestamps {
  /** Timestamp of the frame captured at `captureMonoUs`, of `lengthBytes` bytes. Call once per frame, in order. */
  stamp(captureMonoUs: number, lengthBytes: number): number;
}

/** RTP clock of all video formats (RFC 6184 §8.2.1, RFC 7798 §7.1). */
export const videoClockRate = 90_000;
/** RTP clock, and bytes a second, of G.711 (RFC 3551 §4.5.14). */
export const audioClockRate = 8_000;

/** Further than this from the capture clock, audio is set to the clock again: lip sync is lost beyond about 60 ms. */
const audioDriftUsMax = 60_000;

export class VideoTimestamps implements RtpTimestamps {
  private readonly base = randomInt(2 ** 31);
  private newest = -1;

  stamp(captureMonoUs: number): number {
    const byClock = this.base + Math.round((captureMonoUs * videoClockRate) / 1e6);
    this.newest = Math.max(byClock, this.newest + 1);
    return this.newest;
  }
}

export class AudioTimestamps implements RtpTimestamps {
  private readonly base = randomInt(2 ** 31);
  private next = -1;

  stamp(captureMonoUs: number, lengthBytes: number): number {
    const byClock = this.base + Math.round((captureMonoUs * audioClockRate) / 1e6);
    const driftMax = (audioDriftUsMax * audioClockRate) / 1e6;
    const follows = this.next >= 0 && Math.abs(byClock - this.next) <= driftMax;
    const timestamp = follows ? this.next : Math.max(byClock, this.next);
    this.next = timestamp + lengthBytes;
    return timestamp;
  }
}
