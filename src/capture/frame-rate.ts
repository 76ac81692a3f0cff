/**
 * The frame rate of a track as it is told to others: sure, else by the stream, else configured, else measured.
 *
 * A rate that is known only after a second would hold up the first viewer, so until it is measured 30 is told. Measured
 * once per run of the source, over at least a second and twenty frames; near a whole number it is that number, since
 * jitter of the arrival allows no finer claim. Pure.
 */
import { framesPerSecondDefault } from './limits.ts';

const measuredUsMin = 1_000_000;
const measuredFramesMin = 20;
/** After so long what came is the measure, however few frames it was. */
const measuredUsMax = 5_000_000;

export class FrameRate {
  private readonly sure: number;
  private readonly configured: number;
  private measured = 0;
  private firstUs: number | undefined;
  private periods = 0;

  /**
   * @param sure frames a second that the source is played at, or 0.
   * @param configured frames a second that hold where the stream says nothing, or 0.
   */
  constructor(sure: number, configured: number) {
    this.sure = sure;
    this.configured = configured;
  }

  /** Counts a frame; returns whether the measurement has just been completed. */
  onFrame(captureMonoUs: number): boolean {
    if (this.measured > 0) return false;
    if (this.firstUs === undefined) {
      this.firstUs = captureMonoUs;
      return false;
    }
    this.periods++;
    const us = captureMonoUs - this.firstUs;
    if (us < measuredUsMin || (this.periods < measuredFramesMin && us < measuredUsMax)) return false;
    this.measured = tidy((this.periods * 1e6) / us);
    return true;
  }

  /** Frames a second, by what the stream says (0: nothing) and what is known besides. */
  of(streamSays: number): number {
    return this.sure || streamSays || this.configured || this.measured || framesPerSecondDefault;
  }
}

function tidy(rate: number): number {
  const whole = Math.round(rate);
  if (whole > 0 && Math.abs(rate - whole) < 0.03 * whole) return whole;
  return Math.round(rate * 100) / 100;
}
