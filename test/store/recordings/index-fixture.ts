/** An index in a folder of its own, and a recorder that makes reports without pictures. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { Codec } from '../../../src/base/tracks.ts';
import {
  countsAfter,
  type FragmentRecord,
  noSamples,
  type RecordedStream,
  type SegmentFormat,
  type SegmentRecord,
} from '../../../src/isobmff/recorded-segment.ts';
import { withFragment } from '../../../src/store/recordings/index-file.ts';
import type { RecordingIndexOptions } from '../../../src/store/recordings/index-types.ts';
import { RecordingIndex } from '../../../src/store/recordings/recording-index.ts';
import { workerEntry } from '../../../src/supervisor/worker-entry.ts';
import type { Logger } from '../../../src/telemetry/log.ts';

export const startUnixMs = Date.UTC(2026, 10, 23, 6);

const silent = (): void => undefined;
export const silentLogger: Logger = { debug: silent, info: silent, warn: silent, error: silent };

/** A folder for an index that is gone after the test. */
export function indexFolder(t: TestContext): string {
  const root = mkdtempSync(path.join(tmpdir(), 'index-'));
  t.after(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));
  return path.join(root, 'recordings-index');
}

/** Commits are made by `flush` alone, unless said otherwise. */
export function openIndex(
  folder: string,
  options: Partial<RecordingIndexOptions> = {},
): Promise<RecordingIndex> {
  return RecordingIndex.open({
    ...{ folder, logger: silentLogger, scanEntry: workerEntry('scan-database'), commitMs: 3_600_000 },
    ...options,
  });
}

export const format: SegmentFormat = {
  codec: Codec.h265,
  width: 1920,
  height: 1080,
  framesPerSecond: 25,
  audioCodec: Codec.pcmu,
  videoEntry: Uint8Array.from({ length: 300 }, (_, i) => i),
};

/** A segment that has nothing yet; five minutes behind the one before. */
export function emptySegment(
  stream: RecordedStream,
  number: number,
  changes: Partial<SegmentRecord> = {},
): SegmentRecord {
  return {
    ...{ stream, number, format, headBytes: 1000, endOffset: 1000, duration90k: 0, counts: noSamples },
    path: `opencamera-0badcafe/${stream === 0 ? 'main' : 'sub'}/2026-11-23/segment-${number}.mp4`,
    baseWallUnixMs: startUnixMs + number * 300_000,
    gaps: 0,
    trailerOffset: 0,
    isClosed: false,
    ...changes,
  };
}

/** The fragment that follows: a second, 25 pictures, a random access point every `gop` fragments. */
export function nextFragment(
  segment: SegmentRecord,
  { gop = 2, skip = 0, gap90k = 0 }: { gop?: number; skip?: number; gap90k?: number } = {},
): FragmentRecord {
  const { counts } = segment;
  const number = counts.fragments + skip;
  const isSync = counts.fragments % gop === 0;
  return {
    number,
    offset: segment.endOffset,
    lengthBytes: 100_000 + number,
    startsWithSync: isSync,
    videoStart90k: segment.duration90k + gap90k,
    videoDuration90k: 90_000,
    videoSamples: 25,
    syncSamples: isSync ? 1 : 0,
    audioStart8k: counts.fragments * 8000,
    audioBlocks: 10,
    audioSamples: 8000,
    audioBytes: 7000,
    before: counts,
  };
}

/** A whole segment and its fragments, without an index. */
export function wholeSegment(
  stream: RecordedStream,
  number: number,
  count: number,
  changes: Partial<SegmentRecord> = {},
): { segment: SegmentRecord; fragments: FragmentRecord[] } {
  let segment = emptySegment(stream, number, changes);
  const fragments: FragmentRecord[] = [];
  for (let i = 0; i < count; i++) {
    const fragment = nextFragment(segment);
    fragments.push(fragment);
    segment = withFragment(segment, fragment);
  }
  return { segment: { ...segment, trailerOffset: segment.endOffset, isClosed: true }, fragments };
}

/** Reports a segment as a recorder does, and returns what it reported. */
export function record(
  index: RecordingIndex,
  stream: RecordedStream,
  number: number,
  count: number,
  options: { isClosed?: boolean; changes?: Partial<SegmentRecord> } = {},
): { segment: SegmentRecord; fragments: FragmentRecord[] } {
  const whole = wholeSegment(stream, number, count, options.changes);
  index.segmentOpened(emptySegment(stream, number, options.changes));
  for (const fragment of whole.fragments) index.fragmentWritten(stream, number, fragment);
  if (options.isClosed ?? true) index.segmentClosed(whole.segment);
  return whole;
}

/** Whether the counts of consecutive fragments add up. */
export function addsUp(fragments: readonly FragmentRecord[]): boolean {
  return fragments.every((fragment, i) => {
    const after = i === 0 ? noSamples : countsAfter(fragments[i - 1]!);
    return JSON.stringify(after) === JSON.stringify(fragment.before);
  });
}
