/**
 * Capture times of audio frames that come through a pipe in bursts: a smooth line through jittered arrivals.
 *
 * Programs write sound in blocks (ffmpeg 1024 samples at a time), so frames of 20 ms arrive six at once; their capture
 * times are nevertheless 20 ms apart. Each frame is one period after the last, corrected by a small part of its distance
 * from the arrival, which follows a sound card whose clock is off by some hundred ppm and settles at the mean delay of
 * the blocks. Beyond 250 ms it is no jitter: the line starts again at the arrival. Pure.
 */

/** Further than this from the arrival, in microseconds, the line is broken: four blocks of 1024 samples are 512 ms. */
export const arrivalErrorUsMax = 250_000;
/** The part of an error that one frame corrects: 20 ms × 256 is a time constant of 5 s, inaudible as pitch. */
const correctionDivisor = 256;

export class ArrivalClock {
  private readonly periodUs: number;
  private last: number | undefined;
  private broken = false;

  constructor(periodUs: number) {
    this.periodUs = periodUs;
  }

  /** Whether the last {@link next} started a new line. */
  get jumped(): boolean {
    return this.broken;
  }

  /** Capture time in microseconds of the next frame, whose last byte arrived at `arrivalMonoUs`; strictly increasing. */
  next(arrivalMonoUs: number): number {
    // A frame's first sample was captured a period before its last one could arrive.
    const observed = arrivalMonoUs - this.periodUs;
    if (this.last === undefined) {
      this.broken = true;
      this.last = observed;
      return observed;
    }
    const nominal = this.last + this.periodUs;
    const error = observed - nominal;
    this.broken = Math.abs(error) > arrivalErrorUsMax;
    const next = this.broken ? Math.max(observed, this.last + 1) : nominal + error / correctionDivisor;
    this.last = next;
    return next;
  }
}
