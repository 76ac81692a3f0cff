/**
 * Which piece of the recordings the player opens for a moment, and where in it the moment lies. Pure.
 *
 * A clip of a whole day would begin with tables of 30 MB; ten minutes have 200 kB. Windows begin at whole multiples of
 * their length, so that moments near one another are in one and the same clip, which the browser and the camera have then.
 */

/** Length of a window. */
export const windowMs = 600_000;

/** Pictures that were just taken are on their way to the card: a window does not end closer to now than this. */
const settlingMs = 1500;

/** The camera's description of a clip, as far as it is needed here. */
export interface DescribedClip {
  readonly start: string;
  readonly duration: number;
  readonly gaps: readonly { readonly start: string; readonly end: string }[];
}

/** A clip that can be played. */
export interface ClipWindow {
  /** What was asked for. */
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  /** The moment of the clip's time 0. */
  readonly originUnixMs: number;
  readonly gaps: readonly { readonly startUnixMs: number; readonly endUnixMs: number }[];
}

/** The range to ask for, so that `unixMs` is in it. @param newestUnixMs the end of what is recorded. */
export function rangeFor(
  unixMs: number,
  newestUnixMs: number,
): { readonly startUnixMs: number; readonly endUnixMs: number } {
  const startUnixMs = Math.floor(unixMs / windowMs) * windowMs;
  const latest = Math.max(newestUnixMs - settlingMs, unixMs + settlingMs);
  return { startUnixMs, endUnixMs: Math.round(Math.min(startUnixMs + windowMs, latest)) };
}

export function windowOf(
  range: { readonly startUnixMs: number; readonly endUnixMs: number },
  { start, gaps }: DescribedClip,
): ClipWindow {
  return {
    ...range,
    originUnixMs: Date.parse(start),
    gaps: gaps.map(gap => ({ startUnixMs: Date.parse(gap.start), endUnixMs: Date.parse(gap.end) })),
  };
}

export function isWithin({ startUnixMs, endUnixMs }: ClipWindow, unixMs: number): boolean {
  return unixMs >= startUnixMs && unixMs < endUnixMs;
}

/** Seconds on the clip's time line. */
export function clipSeconds({ originUnixMs }: ClipWindow, unixMs: number): number {
  return Math.max(0, (unixMs - originUnixMs) / 1000);
}

export function momentAt({ originUnixMs }: ClipWindow, seconds: number): number {
  return originUnixMs + seconds * 1000;
}

/** Where to go on when a moment lies in a gap of the clip; undefined when it does not. */
export function behindGap({ gaps }: ClipWindow, unixMs: number): number | undefined {
  return gaps.find(gap => unixMs >= gap.startUnixMs && unixMs < gap.endUnixMs)?.endUnixMs;
}
