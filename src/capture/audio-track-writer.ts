/**
 * Puts G.711 frames of one audio track into the ring: 160 bytes each, as they are, with flags and times.
 *
 * The first frame of a run of the source, and the first one after a gap, carries the discontinuity flag. Capture times
 * strictly increase. Kept over restarts of its source; capture thread only.
 */
import type { Clock } from '../base/clock.ts';
import type { AudioCodec, AudioTrackInfo, Track } from '../base/tracks.ts';
import type { RingClaim, RingProducer } from '../ring/ring-producer.ts';
import { RecordFlag } from '../ring/slot-layout.ts';
import { audioFrameBytes } from './limits.ts';
import type { TrackStatistics } from './track-statistics.ts';

export interface AudioTrackWriterOptions {
  readonly track: Track;
  readonly producer: RingProducer;
  readonly clock: Clock;
  readonly statistics: TrackStatistics;
  /** Called when the track appears and when its codec changes. */
  onInfo(info: AudioTrackInfo): void;
}

export class AudioTrackWriter {
  readonly statistics: TrackStatistics;
  private readonly options: AudioTrackWriterOptions;
  private codec: AudioCodec | undefined;
  private reported: AudioCodec | undefined;
  private discontinuity = true;
  private lastCaptureMonoUs = Number.NEGATIVE_INFINITY;

  constructor(options: AudioTrackWriterOptions) {
    this.options = options;
    this.statistics = options.statistics;
  }

  /** A run of the source begins. */
  begin(codec: AudioCodec): void {
    this.codec = codec;
    this.discontinuity = true;
  }

  /** The next frame does not follow on the last one. */
  markGap(): void {
    this.discontinuity = true;
  }

  /** Room for one frame in the ring, to be filled and given to {@link commit}. */
  claim(): RingClaim {
    return this.options.producer.claim(audioFrameBytes);
  }

  /** Publishes a frame that was filled; its capture time is that of its first sample. */
  commit(claim: RingClaim, captureMonoUs: number): void {
    const { track, clock, onInfo } = this.options;
    const { statistics } = this;
    const codec = this.codec!;
    const capture = Math.max(captureMonoUs, this.lastCaptureMonoUs + 1);
    const nowUs = clock.monoUs();
    this.lastCaptureMonoUs = capture;
    claim.commit({
      track,
      codec,
      flags: this.discontinuity ? RecordFlag.discontinuity : 0,
      captureMonoUs: capture,
      wallUnixMs: clock.wallUnixMs() + (capture - nowUs) / 1000,
      lengthBytes: audioFrameBytes,
      nalCount: 1,
    });
    this.discontinuity = false;
    statistics.records++;
    statistics.bytes += audioFrameBytes;
    statistics.delayUs.record(nowUs - capture);
    if (this.reported === codec) return;
    this.reported = codec;
    onInfo({ kind: 'audio', track, codec });
  }
}
