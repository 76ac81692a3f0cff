/**
 * The range of time of a clip, as its URL writes it (contract.md §11): RFC 3339 with an offset, Unix time in seconds with
 * or without decimals, or Unix time in milliseconds of 13 digits; the end may also be `now`.
 *
 * Seconds have at most ten digits, so the two numeric forms cannot be confused (both end in the year 2286). What is finer
 * than a millisecond is dropped. Pure.
 */
import { CameraError } from '../base/errors.ts';
import { parseRfc3339 } from './rfc3339.ts';

/** Longest clip in seconds: the index of a day is 30 MB of sample tables, more would hurt a small board. */
export const clipSecondsMax = 24 * 3600;

const secondsForm = /^(\d{1,10})(?:\.(\d{1,9}))?$/;
const millisecondsForm = /^\d{13}$/;

/** From its start to its end, the end left out. */
export interface ClipRange {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
}

/**
 * The range between two times of a path, without its percent-encoding, or of a body.
 *
 * @throws CameraError `clip-range-invalid`; its details name the parameter and the rule, never what was sent.
 */
export function parseClipRange(start: string, end: string, nowUnixMs: number): ClipRange {
  const startUnixMs = parseClipTime(start);
  if (startUnixMs === undefined) throw invalid({ parameter: 'start', rule: 'format' });
  const endUnixMs = end === 'now' ? nowUnixMs : parseClipTime(end);
  if (endUnixMs === undefined) throw invalid({ parameter: 'end', rule: 'format' });
  if (startUnixMs >= endUnixMs) throw invalid({ rule: 'order' });
  if (endUnixMs - startUnixMs > clipSecondsMax * 1000) throw invalid({ rule: 'length', clipSecondsMax });
  return { startUnixMs, endUnixMs };
}

/**
 * The range of a timeline: of any length, open at its start, up to now when nothing else is said.
 *
 * @throws CameraError `clip-range-invalid`, as {@link parseClipRange}.
 */
export function parseTimelineRange(
  start: string | undefined,
  end: string | undefined,
  nowUnixMs: number,
): { readonly startUnixMs: number | undefined; readonly endUnixMs: number } {
  const startUnixMs = start === undefined ? undefined : parseClipTime(start);
  if (start !== undefined && startUnixMs === undefined) throw invalid({ parameter: 'start', rule: 'format' });
  const endUnixMs = end === undefined || end === 'now' ? nowUnixMs : parseClipTime(end);
  if (endUnixMs === undefined) throw invalid({ parameter: 'end', rule: 'format' });
  if (startUnixMs !== undefined && startUnixMs >= endUnixMs) throw invalid({ rule: 'order' });
  return { startUnixMs, endUnixMs };
}

/** Unix milliseconds of one time; undefined when it has none of the forms. `now` is not one of them. */
export function parseClipTime(text: string): number | undefined {
  if (millisecondsForm.test(text)) return Number(text);
  const seconds = secondsForm.exec(text);
  // Digits are put together as text: 1700000000.29 * 1000 is not a whole number.
  if (seconds) return Number(seconds[1]! + (seconds[2] ?? '').slice(0, 3).padEnd(3, '0'));
  return parseRfc3339(text);
}

function invalid(details: Readonly<Record<string, string | number>>): CameraError {
  return new CameraError('clip-range-invalid', 'the range of time of a clip cannot be used', details);
}
