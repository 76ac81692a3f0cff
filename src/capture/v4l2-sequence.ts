/**
 * Sees by the sequence numbers of a driver's buffers how many pictures it did not deliver.
 *
 * Linux media documentation, struct v4l2_buffer: `sequence` counts frames, "dropped ones included" for capture devices.
 * Some drivers leave it at 0 or count fields, so a gap is believed only after the numbers have gone up by one for a
 * while. Pure; one object per run.
 */

/** Steps by one in a row after which the numbers are believed. */
const trustedSteps = 10;
/** A larger gap is a counter that began again. */
const gapMax = 1000;

export class SequenceWatch {
  private last: number | undefined;
  private steps = 0;

  /** Pictures that are missing in front of the one with this number (unsigned 32-bit). */
  missingBefore(sequence: number): number {
    const step = this.last === undefined ? 1 : (sequence - this.last) >>> 0;
    this.last = sequence;
    if (step === 1) {
      this.steps++;
      return 0;
    }
    const isTrusted = this.steps >= trustedSteps;
    this.steps = 0;
    return isTrusted && step > 1 && step <= gapMax ? step - 1 : 0;
  }
}
