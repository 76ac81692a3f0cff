/**
 * What is recorded, as spans of time on one line: which span a moment lies in, what comes next, which days there are. Pure.
 *
 * The camera lists spans in the order of recording; after a step of its clock backwards two of them overlap. On a line they
 * are one span then.
 */
import { daysLater, startOfDay } from './time-scale.ts';

/** Unix ms; the end does not belong to it. */
export interface Span {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly bytes: number;
}

/** A span as the API lists it. */
export interface ListedSpan {
  readonly start: string;
  readonly end: string;
  readonly bytes: number;
}

/** Breaks shorter than this are none to the eye: the seams of two files. */
const seamMs = 100;

/** Sorted, and merged where they touch or overlap. */
export function mergedSpans(listed: readonly ListedSpan[]): Span[] {
  const sorted = listed
    .map(({ start, end, bytes }) => ({ startUnixMs: Date.parse(start), endUnixMs: Date.parse(end), bytes }))
    .sort((a, b) => a.startUnixMs - b.startUnixMs);
  const merged: Span[] = [];
  for (const span of sorted) {
    const last = merged.at(-1);
    if (last && span.startUnixMs - last.endUnixMs <= seamMs)
      merged[merged.length - 1] = {
        startUnixMs: last.startUnixMs,
        endUnixMs: Math.max(last.endUnixMs, span.endUnixMs),
        bytes: last.bytes + span.bytes,
      };
    else merged.push(span);
  }
  return merged;
}

/** Index of the first span that ends after a moment; their number when there is none. */
export function firstEndingAfter(spans: readonly Span[], unixMs: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (spans[middle]!.endUnixMs <= unixMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The moment itself where it is recorded; else the next that is; else the last. Undefined when nothing is recorded. */
export function nearestRecorded(spans: readonly Span[], unixMs: number): number | undefined {
  const next = spans[firstEndingAfter(spans, unixMs)];
  if (next) return Math.max(unixMs, next.startUnixMs);
  const last = spans.at(-1);
  // A moment before the end: at the end itself there is no picture.
  return last && Math.max(last.startUnixMs, last.endUnixMs - 1000);
}

/** Where the span before the one of this moment begins, or the one after it. */
export function neighbourStart(spans: readonly Span[], unixMs: number, step: -1 | 1): number | undefined {
  const index = firstEndingAfter(spans, unixMs);
  if (step > 0) {
    const inside = (spans[index]?.startUnixMs ?? Infinity) <= unixMs;
    return spans[inside ? index + 1 : index]?.startUnixMs;
  }
  // As players do: first to the beginning of what is being played, then to what is before it.
  const begin = spans[index]?.startUnixMs;
  if (begin !== undefined && unixMs - begin > 3000) return begin;
  return spans[index - 1]?.startUnixMs;
}

/** How much of a range is recorded, and what is not. */
export interface Coverage {
  readonly recordedMs: number;
  readonly gaps: readonly { readonly startUnixMs: number; readonly endUnixMs: number }[];
}

export function coverageOf(spans: readonly Span[], startUnixMs: number, endUnixMs: number): Coverage {
  const gaps: { startUnixMs: number; endUnixMs: number }[] = [];
  let recordedMs = 0;
  let at = startUnixMs;
  for (let i = firstEndingAfter(spans, startUnixMs); i < spans.length; i++) {
    const span = spans[i]!;
    if (span.startUnixMs >= endUnixMs) break;
    if (span.startUnixMs > at) gaps.push({ startUnixMs: at, endUnixMs: span.startUnixMs });
    const end = Math.min(span.endUnixMs, endUnixMs);
    recordedMs += end - Math.max(span.startUnixMs, at);
    at = end;
  }
  if (at < endUnixMs) gaps.push({ startUnixMs: at, endUnixMs });
  return { recordedMs, gaps };
}

/** A day of the zone of this device. */
export interface RecordedDay {
  readonly startUnixMs: number;
  /** Of its hours, from 0 to 1 each, how much is recorded; 24 of them. */
  readonly hours: readonly number[];
}

/** The days from the first recording to the last, those without any left out; at most `daysMax`, the newest. */
export function daysOf(spans: readonly Span[], daysMax = 60): RecordedDay[] {
  const first = spans[0];
  const last = spans.at(-1);
  if (!first || !last) return [];
  const days: RecordedDay[] = [];
  for (
    let day = startOfDay(last.endUnixMs - 1);
    day >= startOfDay(first.startUnixMs);
    day = daysLater(day, -1)
  ) {
    const end = daysLater(day, 1);
    if (coverageOf(spans, day, end).recordedMs > 0)
      days.unshift({ startUnixMs: day, hours: hoursOf(spans, day) });
    if (days.length >= daysMax) break;
  }
  return days;
}

function hoursOf(spans: readonly Span[], day: number): number[] {
  const hourMs = 3_600_000;
  return Array.from({ length: 24 }, (_, hour) => {
    const start = day + hour * hourMs;
    return coverageOf(spans, start, start + hourMs).recordedMs / hourMs;
  });
}
