/**
 * Which segments are deleted: the oldest in recording order, until there is room, or the bytes are few enough, or none is
 * too old. Never one that is being read, nor the newest of a stream while it is written. Pure.
 *
 * Age is by the wall clock, and a wall clock lies: a camera may start in 1970, or hear of the year 2082. Walking from the
 * newest segment back, steps of the clock add up with their signs, so that a lie that was taken back cancels out; a leap
 * forward by more than a day counts only when a day was recorded after it. And a segment is
 * never older than one that was recorded before it.
 */
import type { SegmentRecord } from '../../isobmff/recorded-segment.ts';

/** A leap of the wall clock by more than this is believed when so much was recorded after it. */
const trustMs = 24 * 3600 * 1000;

/** What is to be kept to; 0 is no limit. */
export interface RetentionRules {
  readonly keepFreeBytes: number;
  readonly maxAgeMs: number;
  /** Of all segments together. */
  readonly maxBytes: number;
}

export interface RetentionState {
  /** Those of a stream in recording order; the streams in any. */
  readonly segments: readonly SegmentRecord[];
  /** On the card. */
  readonly freeBytes: number;
  readonly nowUnixMs: number;
  readonly rules: RetentionRules;
  /** Being read: not to be deleted. */
  isHeld(segment: SegmentRecord): boolean;
  /** How long this process has run: so far it knows itself that time went by without a recording. */
  readonly uptimeMs?: number;
}

/** From the oldest. */
export function segmentsToDelete(state: RetentionState): SegmentRecord[] {
  const { rules, freeBytes } = state;
  const streams = ([0, 1] as const).map(stream =>
    state.segments.filter(segment => segment.stream === stream),
  );
  const tooOld = new Set(rules.maxAgeMs > 0 ? streams.flatMap(all => olderThan(all, state)) : []);
  let bytes = state.segments.reduce((sum, segment) => sum + bytesOf(segment), 0);
  let free = freeBytes;
  const chosen: SegmentRecord[] = [];
  for (const segment of merged(streams[0]!, streams[1]!)) {
    const needsRoom = free < rules.keepFreeBytes || (rules.maxBytes > 0 && bytes > rules.maxBytes);
    if (!needsRoom && !tooOld.has(segment)) continue;
    const isWritten = !segment.isClosed && segment === streams[segment.stream]!.at(-1);
    if (isWritten || state.isHeld(segment)) continue;
    chosen.push(segment);
    free += bytesOf(segment);
    bytes -= bytesOf(segment);
  }
  return chosen;
}

/** Of one stream: those whose age is above the limit. */
function olderThan(all: readonly SegmentRecord[], state: RetentionState): SegmentRecord[] {
  const newest = all.at(-1);
  if (!newest) return [];
  // Since the newest: as far as a day, or as this process saw it pass.
  const silence = Math.max(state.nowUnixMs - endUnixMs(newest), 0);
  let age = Math.min(silence, Math.max(trustMs, state.uptimeMs ?? 0));
  let recordedMs = 0;
  // Of the end of each.
  const ages = new Float64Array(all.length);
  for (let i = all.length - 1; i >= 0; i--) {
    const segment = all[i]!;
    const durationMs = endUnixMs(segment) - segment.baseWallUnixMs;
    const before = all[i - 1];
    const step = before ? segment.baseWallUnixMs - endUnixMs(before) : 0;
    ages[i] = age;
    age += durationMs;
    recordedMs += durationMs;
    if (step <= trustMs || recordedMs >= trustMs || age + step <= trustMs) age += step;
  }
  // None is older than one before it; one that claims to be newer than the newest says nothing of others.
  let youngest = Number.POSITIVE_INFINITY;
  return all.filter((_, i) => {
    if (ages[i]! >= 0) youngest = Math.min(youngest, ages[i]!);
    return youngest !== Number.POSITIVE_INFINITY && youngest > state.rules.maxAgeMs;
  });
}

/** Both streams as they were recorded: each in its order, beside one another by the wall clock as far as it can be. */
function* merged(a: readonly SegmentRecord[], b: readonly SegmentRecord[]): Generator<SegmentRecord> {
  const [aNot, bNot] = [notLaterThan(a), notLaterThan(b)];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const isFirst =
      j >= b.length ||
      (i < a.length && (aNot[i]! - bNot[j]! || a[i]!.baseWallUnixMs - b[j]!.baseWallUnixMs) <= 0);
    yield isFirst ? a[i++]! : b[j++]!;
  }
}

/** No segment was recorded later than one behind it says. */
function notLaterThan(all: readonly SegmentRecord[]): Float64Array {
  const times = new Float64Array(all.length);
  let earliest = Number.POSITIVE_INFINITY;
  for (let i = all.length - 1; i >= 0; i--) {
    earliest = Math.min(earliest, all[i]!.baseWallUnixMs);
    times[i] = earliest;
  }
  return times;
}

/** A table of samples lies behind the last fragment; its size is not known here, and is some ten thousandths. */
function bytesOf({ endOffset }: SegmentRecord): number {
  return endOffset;
}

function endUnixMs({ baseWallUnixMs, duration90k }: { baseWallUnixMs: number; duration90k: number }): number {
  return baseWallUnixMs + duration90k / 90;
}
