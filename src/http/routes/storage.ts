/**
 * Room for recordings, as GET /system shows it: what there is, what is taken, and how many days it will hold.
 *
 * The estimate goes by what a day of recording has taken so far, and by the rules after which the oldest recordings go: a
 * bound of their own, or what must stay free. Pure.
 */
import type { SegmentRecord } from '../../isobmff/recorded-segment.ts';
import type { RetentionRules } from '../../store/recordings/retention.ts';
import type { AnswerOf } from '../operations.ts';
import { formatRfc3339 } from '../rfc3339.ts';

type Storage = NonNullable<AnswerOf<'getSystem'>['storage']>;

const dayMs = 86_400_000;

/** With less than this recorded a day is anybody's guess. */
const estimateMsMin = 60_000;

/** Of the file system, to the byte; 0 and 0 without one. */
export interface Room {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** @param main, sub all segments of the streams in recording order. */
export function storageOf(
  { freeBytes, totalBytes }: Room,
  main: readonly SegmentRecord[],
  sub: readonly SegmentRecord[],
  rules: RetentionRules,
): Storage {
  const bytes = bytesOf(main) + bytesOf(sub);
  const recordedMs = main.reduce((sum, { duration90k }) => sum + duration90k / 90, 0);
  const isKnown = recordedMs >= estimateMsMin && bytes > 0;
  const bytesPerDay = isKnown ? (bytes / recordedMs) * dayMs : undefined;
  const oldest = main.reduce((min, { baseWallUnixMs }) => Math.min(min, baseWallUnixMs), Infinity);
  const newest = main.reduce((max, segment) => Math.max(max, endUnixMs(segment)), -Infinity);
  return {
    bytes_total: totalBytes,
    bytes_free: freeBytes,
    bytes_recorded: bytes,
    oldest: Number.isFinite(oldest) ? formatRfc3339(oldest) : null,
    newest: Number.isFinite(newest) ? formatRfc3339(newest) : null,
    bytes_per_day: bytesPerDay === undefined ? null : Math.round(bytesPerDay),
    days_estimated:
      bytesPerDay === undefined ? null : daysOf(bytes + freeBytes - rules.keepFreeBytes, bytesPerDay, rules),
  };
}

function daysOf(roomBytes: number, bytesPerDay: number, { maxBytes, maxAgeMs }: RetentionRules): number {
  const bytes = Math.max(0, maxBytes > 0 ? Math.min(maxBytes, roomBytes) : roomBytes);
  const days = bytes / bytesPerDay;
  const bounded = maxAgeMs > 0 ? Math.min(days, maxAgeMs / dayMs) : days;
  return Math.round(bounded * 10) / 10;
}

function bytesOf(segments: readonly SegmentRecord[]): number {
  return segments.reduce((sum, { endOffset }) => sum + endOffset, 0);
}

function endUnixMs({ baseWallUnixMs, duration90k }: SegmentRecord): number {
  return Math.round(baseWallUnixMs + duration90k / 90);
}
