/** The range of an export as it is typed, and what is wrong with it. Pure. */

export interface TypedRange {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
}

/** Longest clip that the camera makes in one piece, unless it is configured otherwise. */
export const rangeMsMax = 24 * 3_600_000;

/**
 * Reads two values of `datetime-local` fields.
 *
 * @returns the range, or a sentence that says what is wrong with it.
 */
export function readRange(start: string, end: string, nowUnixMs: number): TypedRange | string {
  const [startUnixMs, endUnixMs] = [Date.parse(start), Date.parse(end)];
  if (!Number.isFinite(startUnixMs)) return 'Please enter when it begins.';
  if (!Number.isFinite(endUnixMs)) return 'Please enter when it ends.';
  if (endUnixMs <= startUnixMs) return 'It must end after it begins.';
  if (endUnixMs - startUnixMs > rangeMsMax) return 'The camera makes clips of up to 24 hours.';
  if (startUnixMs >= nowUnixMs) return 'That has not happened yet.';
  return { startUnixMs, endUnixMs };
}

/** How a file of this range is called. */
export function clipName(
  { startUnixMs, endUnixMs }: TypedRange,
  fileTime: (unixMs: number) => string,
): string {
  return `camera-${fileTime(startUnixMs)}--${fileTime(endUnixMs)}.mp4`;
}
