/**
 * RTP timestamps of a stream's frames, from the capture clock, by two rules: one for video, one for sampled audio.
 *
 * Live thread. Values are not wrapped (the wire takes them modulo 2^32) and begin at a random base (RFC 3550 §5.1).
 * Video follows the capture clock and always rises: a frame that is sent again after a jump back to an earlier random
 * access point gets the next higher timestamp, since receivers drop what is older than what they have shown. Audio
 * counts samples (RFC 3551 §4.1), so that neither jitter nor a sound card whose clock is off makes gaps; what the count
 * and the capture clock are apart is followed slowly, for sender reports, and a step of it is a gap.
 */
import { randomInt } from 'node:crypto';

export interface RtpTimestamps {
  /** Timestamp of the frame captured at `captureMonoUs`, of `lengthBytes` bytes. Call once per frame, in order. */
  stamp(captureMonoUs: number, lengthBytes: number): number;
  /** Timestamp of a moment on the capture clock, rounded: the pair of a sender report (RFC 3550 §6.4.1). */
  at(monoUs: number): number;
}

/** RTP clock of all video formats (RFC 6184 §8.2.1, RFC 7798 §7.1). */
export const videoClockRate = 90_000;
/** RTP clock, and bytes a second, of G.711 (RFC 3551 §4.5.14). */
export const audioClockRate = 8_000;

/** A step of the capture clock against the samples beyond this is a gap, and no jitter: three frames of 20 ms. */
const audioGapSamples = 480;
/**
 * The part of a step that one frame of 20 ms adds to what is known of the distance: a time constant of 1.3 s. A jitter
 * of 5 ms becomes one below 1 ms, and a clock that is off by 500 ppm is followed 0.6 ms behind.
 */
const audioSmoothing = 1 / 64;

export class VideoTimestamps implements RtpTimestamps {
  private readonly base = randomInt(2 ** 31);
  private newest = -1;

  stamp(captureMonoUs: number): number {
    this.newest = Math.max(this.at(captureMonoUs), this.newest + 1);
    return this.newest;
  }

  /** By the clock alone: frames that are sent again bend their own timestamps, not the time of the stream. */
  at(monoUs: number): number {
    return this.base + Math.round((monoUs * videoClockRate) / 1e6);
  }
}

export class AudioTimestamps implements RtpTimestamps {
  private readonly base = randomInt(2 ** 31);
  private next = -1;
  /** Samples that the count is ahead of the capture clock, smoothed. */
  private aheadSamples = 0;

  stamp(captureMonoUs: number, lengthBytes: number): number {
    const byClock = this.byClock(captureMonoUs);
    const missing = byClock + this.aheadSamples - this.next;
    if (this.next < 0 || Math.abs(missing) > audioGapSamples) {
      this.next = Math.max(this.next, Math.round(byClock + this.aheadSamples));
      this.aheadSamples = this.next - byClock;
    } else {
      this.aheadSamples -= missing * audioSmoothing;
    }
    const timestamp = this.next;
    this.next += lengthBytes;
    return timestamp;
  }

  at(monoUs: number): number {
    return Math.round(this.byClock(monoUs) + this.aheadSamples);
  }

  private byClock(monoUs: number): number {
    return this.base + (monoUs * audioClockRate) / 1e6;
  }
}
