/**
 * The line on which counted samples of sound lie in time: it follows the capture clock smoothly, or jumps.
 *
 * Capture times jitter, and a sound card's clock is off by up to a per cent, so neither the times alone nor the count
 * alone will do. Each frame begins where the one before ended, and lasts as long as its samples, corrected by a small
 * part of its distance from its capture time; with a clock 1 % off the distance settles at 3.2 ms. Where the distance is
 * no jitter the sound was interrupted, and the line begins again at the capture time. It never goes back: samples that
 * would lie before its end are to be left out. Pure; recorder thread.
 */

/** Duration of a sample at 8 kHz. */
const sampleUs = 125;
/** Further than this from the capture time is an interruption at once: five frames of 20 ms. */
const jumpUs = 100_000;
/** How far sound may be from its capture time for long: half of what a viewer may find between picture and sound. */
const syncUs = 10_000;
/** Sound further off than `syncUs` for so many samples (100 ms) is no jitter either: a frame was lost without notice. */
const astraySamplesMax = 800;
/** A correction is the distance times samples / this: a time constant of 0.32 s. */
const correctionSamples = 2560;
/** The part of a frame's duration that it is corrected by at most. */
const correctionMax = 0.02;

export class AudioLine {
  /** Where the samples placed last begin, µs of the capture clock. */
  startUs = 0;
  /** Where they end, and with them the line; -Infinity before the first. */
  endUs: number = Number.NEGATIVE_INFINITY;
  /** How many of the frame's first samples lie before the end of the line, and so have no place. */
  skippedSamples = 0;
  /** Whether the frame does not follow on what was before. */
  jumped = false;
  private astraySamples = 0;
  private isSkipping = false;

  /**
   * Places one frame; the fields say where.
   * @param samples at least 1.
   * @param isDiscontinuous the source says that something may be missing in front of it.
   */
  place(captureMonoUs: number, samples: number, isDiscontinuous: boolean): void {
    const distance = captureMonoUs - this.endUs;
    const isAstray = Math.abs(distance) > syncUs;
    this.astraySamples = isAstray ? this.astraySamples + samples : 0;
    this.skippedSamples = 0;
    this.jumped =
      this.isSkipping ||
      Math.abs(distance) > jumpUs ||
      (isAstray && (isDiscontinuous || this.astraySamples > astraySamplesMax));
    if (this.jumped) {
      this.jump(captureMonoUs, samples, distance);
      return;
    }
    const durationUs = samples * sampleUs;
    const bound = correctionMax * durationUs;
    const wanted = distance * Math.min(1, samples / correctionSamples);
    this.startUs = this.endUs;
    this.endUs += durationUs + Math.max(-bound, Math.min(bound, wanted));
  }

  private jump(captureMonoUs: number, samples: number, distance: number): void {
    this.astraySamples = 0;
    const skipped = Math.min(samples, Math.max(0, Math.ceil(-distance / sampleUs)));
    this.skippedSamples = skipped;
    this.isSkipping = skipped === samples;
    if (this.isSkipping) return;
    this.startUs = captureMonoUs + skipped * sampleUs;
    this.endUs = this.startUs + (samples - skipped) * sampleUs;
  }
}
