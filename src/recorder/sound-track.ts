/**
 * The sound beside a recorded stream: from the ring into blocks (audio-blocks.ts), ahead of the pictures.
 *
 * It has a reader of its own, because sound may come to the ring later than the pictures it belongs to: one that is piped
 * through another program does by some 130 ms. Within a segment that does no harm, as sound may lie in the fragment after
 * its pictures'; where a segment ends it has to be waited for, or is lost. Recorder thread only.
 */
import { type AudioCodec, Track } from '../base/tracks.ts';
import { RingConsumer } from '../ring/ring-consumer.ts';
import { AudioBlocks } from './audio-blocks.ts';
import type { AudioFragment } from './audio-fragment.ts';
import { soundKeptUs, soundLateUs } from './limits.ts';

/** See the head of the file. */
export class SoundTrack {
  private readonly consumer: RingConsumer;
  private readonly blocks = new AudioBlocks();
  private newestCodec: AudioCodec | undefined;

  /**
   * @param resumeTrack the video track beside which it is recorded.
   * @param from sequence of the first record; the live edge when left out.
   */
  constructor(ring: SharedArrayBuffer, resumeTrack: Track, from: number | undefined) {
    this.consumer = new RingConsumer(ring, { tracks: 1 << Track.audio, resumeTrack });
    if (from !== undefined) this.consumer.seek(from);
  }

  /** The law of the newest sound; undefined before the first. */
  get codec(): AudioCodec | undefined {
    return this.newestCodec;
  }

  /** Sequence to wait for when more sound is wanted. */
  get position(): number {
    return this.consumer.position;
  }

  /**
   * Takes all that the ring has.
   * @param isRecorded whether there is a segment. Without one nothing empties what waits: kept is what a picture that is
   *   still on its way may need.
   */
  take(isRecorded: boolean): void {
    for (let record = this.consumer.next(); record; record = this.consumer.next()) {
      const taken = record;
      if (!isRecorded) {
        this.blocks.begin(taken.captureMonoUs - soundKeptUs, undefined);
        this.blocks.flush(Number.NEGATIVE_INFINITY);
      }
      if (this.blocks.push(taken, () => this.consumer.validate(taken)))
        this.newestCodec = taken.codec as AudioCodec;
    }
  }

  /** Whether sound runs, and has not come up to a moment yet. */
  isLateFor(captureMonoUs: number): boolean {
    const missingUs = captureMonoUs - this.blocks.capturedUntilMonoUs;
    return missingUs > 0 && missingUs < soundLateUs;
  }

  /** As {@link AudioBlocks.begin}. */
  begin(baseCaptureMonoUs: number, codec: AudioCodec | undefined): void {
    this.blocks.begin(baseCaptureMonoUs, codec);
  }

  /** As {@link AudioBlocks.flush}. */
  flush(untilMonoUs: number): AudioFragment {
    return this.blocks.flush(untilMonoUs);
  }
}
