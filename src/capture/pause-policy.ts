/**
 * Decides when silence on a pipe means that the picture on it is complete.
 *
 * A stream without access unit delimiters shows the end of a picture only by the beginning of the next one (ITU-T H.264
 * §7.4.1.2.3, H.265 §7.4.2.4.4): one frame period too late for a live view. But a live encoder writes a picture in one
 * go and then pauses, so the picture is taken as complete after a short quiet time. The judgement can be wrong (the
 * writer was interrupted in the middle); then bytes follow that begin with no start code, the picture is lost and so is
 * everything up to the next random access point. Hence:
 *
 *  - Each wrong judgement doubles the quiet time, up to 20 ms; it is never taken back during a run. A writer that once
 *    pauses inside pictures will do so again.
 *  - A picture larger than what a pipe or socket takes in one piece is often read while it is still being written, and
 *    the reader's waking may be just what pushed the writer off its processor. It gets a longer quiet time.
 *  - Where the bytes stop at a multiple of 4096, in the picture or in the stream, they most likely stop at the end of
 *    the writer's buffer (stdio writes 4 KiB, libavformat 32 KiB at a time) and the rest lies in it: silence says
 *    nothing. Only the next start code ends that picture, or a limit of a few frame periods, so that a camera that
 *    really stopped there does not hold its last picture for ever.
 *  - A last byte of zero is never an end: a NAL unit ends with its stop bit (§7.4.1), so more is to come.
 *
 * Pure: it says how long to wait, others wait.
 */

/** Quiet time to begin with, in microseconds. A pipe's writer needs about 20 µs between two writes of one picture. */
export const quietUsFirst = 500;
/** Longest quiet time in microseconds: still less than a frame period at 50 frames a second. */
export const quietUsMax = 20_000;
/** What a picture larger than {@link pieceBytes} waits in addition, in microseconds. */
export const largePictureUs = 1500;
/**
 * What reaches the reader in one piece if it was written in one piece, in bytes: a stream socket of Linux, which is what
 * Node gives a child for its output, takes up to 48,832 bytes in one buffer (a pipe 64 KiB).
 */
export const pieceBytes = 48_000;
/** Unit of the writers' buffers, in bytes. */
export const bufferUnitBytes = 4096;
/** How long a picture that stops at a buffer's end waits for the next start code: microseconds, at least and at most. */
export const holdUsMin = 50_000;
export const holdUsMax = 500_000;
/** The same, in frame periods. */
const holdPeriods = 2.5;

export class PausePolicy {
  private quiet = quietUsFirst;
  private periodUs = 0;
  private lastPictureMonoUs: number | undefined;

  /** The present quiet time for small pictures, in microseconds. */
  get quietUs(): number {
    return this.quiet;
  }

  /**
   * How many microseconds of silence end the pending picture, counted from the last byte.
   * @param pictureBytes bytes of the stream since the picture began, at least 1.
   * @param streamBytes bytes of the stream so far.
   * @param lastByte the last one of them.
   */
  waitUs(pictureBytes: number, streamBytes: number, lastByte: number): number {
    const bufferEnd = pictureBytes % bufferUnitBytes === 0 || streamBytes % bufferUnitBytes === 0;
    if (bufferEnd || lastByte === 0)
      return Math.min(Math.max(this.periodUs * holdPeriods, holdUsMin), holdUsMax);
    return this.quiet + (pictureBytes > pieceBytes ? largePictureUs : 0);
  }

  /** A picture began at this time; from these the frame period is estimated. */
  onPicture(firstByteMonoUs: number): void {
    const last = this.lastPictureMonoUs;
    this.lastPictureMonoUs = firstByteMonoUs;
    if (last === undefined) return;
    const periodUs = Math.min(Math.max(firstByteMonoUs - last, 0), 1_000_000);
    // A slow average: bursts and pauses of the writer should not move it much.
    this.periodUs += this.periodUs === 0 ? periodUs : (periodUs - this.periodUs) / 16;
  }

  /** A picture was ended too early: be more patient from now on. */
  onEarlyFlush(): void {
    this.quiet = Math.min(this.quiet * 2, quietUsMax);
  }
}
