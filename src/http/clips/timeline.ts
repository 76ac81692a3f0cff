/**
 * What is recorded in a range of time: spans without a gap in them, in recording order.
 *
 * A span ends at a gap, and where codec or resolution change. Order is that of recording: after a step of the wall clock
 * backwards, spans overlap. Segments without gaps, nearly all, are known from their record alone; of others the fragments
 * are walked through, some at a time, so that the main thread stays free.
 */
import {
  type FragmentRecord,
  gapMin90k,
  type RecordedStream,
  type SegmentRecord,
} from '../../isobmff/recorded-segment.ts';
import { fragmentsPerTurn } from '../limits.ts';
import type { RecordingsIndex } from '../services.ts';

/** Recorded without a gap and in one form. */
export interface Span {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  /** Of the fragments in it, whole ones. */
  readonly bytes: number;
  readonly segment: SegmentRecord;
  /** Where in its first segment it begins. */
  readonly start90k: number;
}

/** Where a page begins. */
export interface TimelinePlace {
  readonly segmentNumber: number;
  readonly start90k: number;
}

export interface TimelinePage {
  readonly spans: readonly Span[];
  /** Where the next page begins; undefined: this is the last. */
  readonly next: TimelinePlace | undefined;
}

interface Query {
  readonly stream: RecordedStream;
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  /** Most spans. */
  readonly limit: number;
  readonly from?: TimelinePlace | undefined;
}

/** A page of the spans in a range. */
export async function timelinePage(index: RecordingsIndex, query: Query): Promise<TimelinePage> {
  const spans: Span[] = [];
  let current: Span | undefined;
  for await (const run of runsIn(index, query)) {
    if (current && follows(current, run)) {
      current = { ...current, endUnixMs: run.endUnixMs, bytes: current.bytes + run.bytes };
      continue;
    }
    if (current) spans.push(current);
    if (spans.length === query.limit)
      return { spans, next: { segmentNumber: run.segment.number, start90k: run.start90k } };
    current = run;
  }
  if (current) spans.push(current);
  return { spans, next: undefined };
}

/** Bytes of all fragments in the range. */
export function bytesIn(index: RecordingsIndex, query: Omit<Query, 'limit' | 'from'>): number {
  return index
    .segmentsIn(query.stream, query.startUnixMs, query.endUnixMs)
    .reduce((sum, segment) => sum + bytesBetween(index, segment, cutOf(segment, query)), 0);
}

async function* runsIn(index: RecordingsIndex, query: Query): AsyncGenerator<Span> {
  let looked = 0;
  for (const segment of index.segmentsIn(query.stream, query.startUnixMs, query.endUnixMs)) {
    if (query.from && segment.number < query.from.segmentNumber) continue;
    const cut = cutOf(segment, query);
    if (segment.gaps > 0) {
      for await (const span of runsOf(index, segment, cut)) if (!isBefore(span, query.from)) yield span;
    } else {
      const span = spanOf(segment, cut, bytesBetween(index, segment, cut));
      if (span.bytes > 0 && !isBefore(span, query.from)) yield span;
    }
    looked += 1;
    if (looked % fragmentsPerTurn === 0) await othersTurn();
  }
}

interface Cut {
  readonly start90k: number;
  readonly end90k: number;
}

/** Whether it belongs to the pages before the one that begins at the place. */
function isBefore({ segment, start90k }: Span, place: TimelinePlace | undefined): boolean {
  return place !== undefined && segment.number === place.segmentNumber && start90k < place.start90k;
}

/** The part of a segment that lies in the range. */
function cutOf(
  { baseWallUnixMs, duration90k }: SegmentRecord,
  range: { readonly startUnixMs: number; readonly endUnixMs: number },
): Cut {
  return {
    start90k: Math.max(0, (range.startUnixMs - baseWallUnixMs) * 90),
    end90k: Math.min(duration90k, (range.endUnixMs - baseWallUnixMs) * 90),
  };
}

function spanOf(segment: SegmentRecord, { start90k, end90k }: Cut, bytes: number): Span {
  const at = (media90k: number): number => Math.round(segment.baseWallUnixMs + media90k / 90);
  return { startUnixMs: at(start90k), endUnixMs: at(end90k), bytes, segment, start90k };
}

/** Bytes of the fragments that meet a part of a segment, by two looks into the index at most. */
function bytesBetween(index: RecordingsIndex, segment: SegmentRecord, { start90k, end90k }: Cut): number {
  const { stream, number, headBytes, endOffset, duration90k } = segment;
  const first = start90k > 0 ? index.fragmentAt(stream, number, start90k) : undefined;
  const last = end90k < duration90k ? index.fragmentAt(stream, number, end90k - 1) : undefined;
  const end = last ? last.offset + last.lengthBytes : endOffset;
  return Math.max(0, end - (first ? first.offset : headBytes));
}

/** The runs of fragments without a gap in a part of a segment. */
async function* runsOf(
  index: RecordingsIndex,
  segment: SegmentRecord,
  { start90k, end90k }: Cut,
): AsyncGenerator<Span> {
  let run: { start90k: number; end90k: number; bytes: number } | undefined;
  const close = (): Span =>
    spanOf(
      segment,
      { start90k: Math.max(run!.start90k, start90k), end90k: Math.min(run!.end90k, end90k) },
      run!.bytes,
    );
  for await (const fragments of batchesOf(index, segment))
    for (const { videoStart90k, videoDuration90k, lengthBytes } of fragments) {
      const videoEnd90k = videoStart90k + videoDuration90k;
      if (videoEnd90k <= start90k || videoStart90k >= end90k) continue;
      if (run && videoStart90k - run.end90k > gapMin90k) {
        yield close();
        run = undefined;
      }
      run ??= { start90k: videoStart90k, end90k: videoEnd90k, bytes: 0 };
      run.end90k = videoEnd90k;
      run.bytes += lengthBytes;
    }
  if (run) yield close();
}

/** The fragments of a segment, some at a time. */
async function* batchesOf(
  index: RecordingsIndex,
  { stream, number, duration90k }: SegmentRecord,
): AsyncGenerator<readonly FragmentRecord[]> {
  const last = index.fragmentAt(stream, number, duration90k)?.number ?? -1;
  for (let from = 0; from <= last; from += fragmentsPerTurn) {
    yield index.fragments(stream, number, from, from + fragmentsPerTurn - 1);
    await othersTurn();
  }
}

function othersTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

function follows(before: Span, after: Span): boolean {
  const gapMs = after.startUnixMs - before.endUnixMs;
  const one = before.segment.format;
  const other = after.segment.format;
  return (
    Math.abs(gapMs) <= gapMin90k / 90 &&
    one.codec === other.codec &&
    one.width === other.width &&
    one.height === other.height
  );
}

/** Ends of the nearest recordings around a range in which there is none; Unix ms. */
export function nearestTo(
  index: RecordingsIndex,
  stream: RecordedStream,
  range: { readonly startUnixMs: number; readonly endUnixMs: number },
): { readonly beforeUnixMs: number | null; readonly afterUnixMs: number | null } {
  let beforeUnixMs: number | null = null;
  let afterUnixMs: number | null = null;
  for (const segment of index.segments(stream)) {
    const { number, baseWallUnixMs, duration90k } = segment;
    const endUnixMs = baseWallUnixMs + Math.round(duration90k / 90);
    const begins = firstAfter(index, segment, range.endUnixMs);
    if (begins !== undefined && (afterUnixMs === null || begins < afterUnixMs)) afterUnixMs = begins;
    if (baseWallUnixMs > range.startUnixMs) continue;
    let ends = endUnixMs;
    if (ends > range.startUnixMs) {
      const fragment = index.fragmentAt(stream, number, (range.startUnixMs - baseWallUnixMs) * 90);
      if (!fragment) continue;
      ends = baseWallUnixMs + Math.round((fragment.videoStart90k + fragment.videoDuration90k) / 90);
    }
    if (beforeUnixMs === null || ends > beforeUnixMs) beforeUnixMs = ends;
  }
  return { beforeUnixMs, afterUnixMs };
}

/** When a segment's first fragment at or behind a time begins; undefined when there is none. */
function firstAfter(
  index: RecordingsIndex,
  { stream, number, baseWallUnixMs, duration90k }: SegmentRecord,
  unixMs: number,
): number | undefined {
  if (baseWallUnixMs >= unixMs) return baseWallUnixMs;
  const media90k = (unixMs - baseWallUnixMs) * 90;
  if (duration90k <= media90k) return undefined;
  const before = index.fragmentAt(stream, number, media90k);
  const [next] = before ? index.fragments(stream, number, before.number + 1) : [];
  return next && baseWallUnixMs + Math.round(next.videoStart90k / 90);
}
