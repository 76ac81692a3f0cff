/**
 * The time line's scale: which moment lies at which pixel, how zooming and panning change that, and where its marks are.
 * Pure. Moments are Unix ms; pixels are CSS pixels from the left edge.
 */

/** Immutable; the centre is the moment under the playhead. */
export interface TimeScale {
  readonly centreUnixMs: number;
  readonly msPerPixel: number;
  readonly widthPx: number;
}

/** A mark, with its words if it has any. */
export interface Tick {
  readonly unixMs: number;
  readonly label: string | undefined;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** From a second in 50 pixels to two weeks on a phone. */
export const msPerPixelMin = 20;
export const msPerPixelMax = (14 * day) / 360;

/** An hour and a half on a wide screen. */
const msPerPixelFirst = 4000;

const steps: readonly number[] = [
  ...[1, 5, 10, 30].map(count => count * second),
  ...[1, 5, 10, 30].map(count => count * minute),
  ...[1, 3, 6, 12].map(count => count * hour),
  ...[1, 7].map(count => count * day),
];

/** Pixels between two labels, at least; and between two marks. */
const labelPx = 76;
const markPx = 9;

export function xOf({ centreUnixMs, msPerPixel, widthPx }: TimeScale, unixMs: number): number {
  return widthPx / 2 + (unixMs - centreUnixMs) / msPerPixel;
}

export function timeAt({ centreUnixMs, msPerPixel, widthPx }: TimeScale, x: number): number {
  return centreUnixMs + (x - widthPx / 2) * msPerPixel;
}

/** The first and the last moment that can be seen. */
export function boundsOf(scale: TimeScale): readonly [number, number] {
  return [timeAt(scale, 0), timeAt(scale, scale.widthPx)];
}

/** Larger for a factor above 1; the moment at `aboutX` stays where it is, as far as the zoom goes. */
export function zoomed(scale: TimeScale, factor: number, aboutX = scale.widthPx / 2): TimeScale {
  const msPerPixel = clamp(scale.msPerPixel / factor, msPerPixelMin, msPerPixelMax);
  const fixed = timeAt(scale, aboutX);
  return { ...scale, msPerPixel, centreUnixMs: fixed - (aboutX - scale.widthPx / 2) * msPerPixel };
}

/** Marks in the zone of this device: the coarsest labels that fit, and finer marks between them. */
export function ticksOf(scale: TimeScale, offsetMsOf: (unixMs: number) => number = zoneOffsetMs): Tick[] {
  const labelStep = stepFor(labelPx * scale.msPerPixel);
  const markStep =
    steps.find(step => step >= markPx * scale.msPerPixel && labelStep % step === 0) ?? labelStep;
  const [from, to] = boundsOf(scale);
  const ticks: Tick[] = [];
  // In local time a day has 24 hours but for two days of a year; the offset of each mark is looked up by itself.
  const first = Math.floor((from + offsetMsOf(from)) / markStep) * markStep;
  for (let local = first; ticks.length < 2000; local += markStep) {
    const unixMs = local - offsetMsOf(local - offsetMsOf(local));
    if (unixMs > to + labelStep) break;
    ticks.push({ unixMs, label: local % labelStep === 0 ? labelOf(local, labelStep) : undefined });
  }
  return ticks;
}

/**
 * The scale at which a time line opens with its playhead near the newest recording: what is recorded fills the half before
 * it, as far as that is not more than `msPerPixelFirst` shows.
 */
export function openingMsPerPixel(recordedMs: number, widthPx: number): number {
  return clamp((recordedMs * 1.25) / (Math.max(widthPx, 1) / 2), msPerPixelMin, msPerPixelFirst);
}

/** Midnight of the day of a moment, in the zone of this device. */
export function startOfDay(unixMs: number): number {
  const date = new Date(unixMs);
  date.setHours(0, 0, 0, 0);
  return date.getTime();
}

/** Midnight of a day some days later. */
export function daysLater(unixMs: number, days: number): number {
  const date = new Date(startOfDay(unixMs));
  date.setDate(date.getDate() + days);
  return date.getTime();
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function stepFor(msMin: number): number {
  return steps.find(step => step >= msMin) ?? steps.at(-1)!;
}

function zoneOffsetMs(unixMs: number): number {
  return -new Date(unixMs).getTimezoneOffset() * minute;
}

/** `local` counts as if it were UTC. */
function labelOf(local: number, step: number): string {
  const text = new Date(local).toISOString();
  if (local % day === 0) return `${Number(text.slice(8, 10))} ${months[Number(text.slice(5, 7)) - 1]}`;
  return step < minute ? text.slice(11, 19) : text.slice(11, 16);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
