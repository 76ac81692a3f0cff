/**
 * Recordings that consist of plain records, and of files of random bytes where a test wants them: the index answers as
 * store/recordings does. What a fragment's bytes mean is nobody's business here; only where they lie.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Codec } from '../../src/base/tracks.ts';
import type { RecordingsIndex, RecordingsService } from '../../src/http/services.ts';
import {
  countsAfter,
  type FragmentRecord,
  noSamples,
  type RecordedStream,
  type SampleCounts,
  type SegmentFormat,
  type SegmentRecord,
  type SegmentSamples,
} from '../../src/isobmff/recorded-segment.ts';
import type { RetentionRules } from '../../src/store/recordings/retention.ts';

/** 2023-11-14T22:13:20Z, the time of the fake camera's clock. */
export const nowUnixMs = 1_700_000_000_000;

export const format: SegmentFormat = {
  codec: Codec.h264,
  width: 1280,
  height: 720,
  framesPerSecond: 25,
  audioCodec: Codec.pcmu,
  videoEntry: Uint8Array.from([0, 0, 0, 16, 0x61, 0x76, 0x63, 0x31, 1, 2, 3, 4, 5, 6, 7, 8]),
};

/** Of every fragment: 25 pictures, the first of them a random access point, 10 blocks of sound, in a second. */
const pictures = 25;
const blocks = 10;
const moofBytes = 500;

/** What one segment is made of. */
export interface SegmentPlan {
  readonly stream?: RecordedStream;
  readonly baseWallUnixMs: number;
  /** Fragments of a second each. */
  readonly fragments: number;
  /** Seconds of nothing before the fragment of this number. */
  readonly gaps?: ReadonlyMap<number, number>;
  readonly format?: Partial<SegmentFormat>;
  readonly isClosed?: boolean;
}

/** The fake. */
export class FakeRecordings implements RecordingsService {
  folder = tmpdir();
  readonly index: RecordingsIndex;
  /** Paths of the segments that are held, as often as they are. */
  readonly held: string[] = [];
  pressureMs = 0;
  rules = { keepFreeBytes: 0, maxAgeMs: 0, maxBytes: 4e9 };
  private onPressureLook: () => void = () => undefined;
  flushes = 0;
  /** What a flush does. */
  onFlush: () => Promise<void> = async () => undefined;
  loads = 0;
  private readonly all: [SegmentRecord[], SegmentRecord[]] = [[], []];
  private readonly ofSegment = new Map<string, FragmentRecord[]>();
  private ownFolder: string | undefined;

  constructor() {
    const find = (
      stream: RecordedStream,
      number: number,
      isWanted: (each: FragmentRecord) => boolean,
    ): FragmentRecord | undefined => this.fragmentsOf(stream, number).findLast(isWanted);
    this.index = {
      segments: stream => this.all[stream],
      segmentsIn: (stream, startUnixMs, endUnixMs) =>
        this.all[stream].filter(
          each =>
            each.baseWallUnixMs < endUnixMs && each.baseWallUnixMs + each.duration90k / 90 > startUnixMs,
        ),
      fragmentAt: (stream, number, media90k) => find(stream, number, each => each.videoStart90k <= media90k),
      syncFragmentAt: (stream, number, media90k) =>
        find(stream, number, each => each.videoStart90k <= media90k && each.startsWithSync),
      fragments: (stream, number, from = 0, to = Number.POSITIVE_INFINITY) =>
        this.fragmentsOf(stream, number).filter(each => each.number >= from && each.number <= to),
    };
  }

  fragmentsOf(stream: RecordedStream, number: number): readonly FragmentRecord[] {
    return this.ofSegment.get(`${stream}/${number}`) ?? [];
  }

  /** Adds a segment behind the last of its stream. */
  add(plan: SegmentPlan): SegmentRecord {
    const stream = plan.stream ?? 0;
    const number = (this.all[stream].at(-1)?.number ?? 0) + 1;
    const fragments: FragmentRecord[] = [];
    let offset = 1000;
    let start = 0;
    let before: SampleCounts = noSamples;
    const hasAudio = { ...format, ...plan.format }.audioCodec !== undefined;
    for (let i = 0; i < plan.fragments; i++) {
      start += (plan.gaps?.get(i) ?? 0) * 90_000;
      const audioBytes = hasAudio ? audioSizeSum(number, i) : 0;
      const lengthBytes = moofBytes + 8 + videoSizeSum(number, i) + audioBytes;
      const fragment: FragmentRecord = {
        number: i,
        offset,
        lengthBytes,
        startsWithSync: true,
        videoStart90k: start,
        videoDuration90k: 90_000,
        videoSamples: pictures,
        syncSamples: 1,
        audioStart8k: hasAudio ? (start / 90_000) * 8000 : 0,
        audioBlocks: hasAudio ? blocks : 0,
        audioSamples: hasAudio ? 8000 : 0,
        audioBytes,
        before,
      };
      fragments.push(fragment);
      before = countsAfter(fragment);
      offset += lengthBytes;
      start += 90_000;
    }
    const segment: SegmentRecord = {
      stream,
      number,
      path: `${stream}/${number}.mp4`,
      baseWallUnixMs: plan.baseWallUnixMs,
      format: { ...format, ...plan.format },
      headBytes: 1000,
      endOffset: offset,
      duration90k: start,
      counts: before,
      gaps: plan.gaps?.size ?? 0,
      trailerOffset: plan.isClosed === false ? 0 : offset,
      isClosed: plan.isClosed !== false,
    };
    this.all[stream].push(segment);
    this.ofSegment.set(`${stream}/${number}`, fragments);
    return segment;
  }

  /** Removes all segments. */
  clear(): void {
    for (const list of this.all) list.length = 0;
    this.ofSegment.clear();
  }

  /** Makes the files of all segments. */
  writeFiles(): void {
    this.ownFolder ??= mkdtempSync(path.join(tmpdir(), 'recordings-'));
    this.folder = this.ownFolder;
    for (const segment of this.all.flat()) {
      const file = this.fileOf(segment);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, bytesOf(segment));
    }
  }

  removeFiles(): void {
    if (this.ownFolder) rmSync(this.ownFolder, { recursive: true, force: true });
  }

  fileOf(segment: SegmentRecord): string {
    return path.join(this.folder, segment.path);
  }

  async flush(): Promise<void> {
    this.flushes += 1;
    await this.onFlush();
  }

  hold(segment: SegmentRecord): void {
    this.held.push(segment.path);
  }

  release(segment: SegmentRecord): void {
    this.held.splice(this.held.indexOf(segment.path), 1);
  }

  async loadSamples(
    segment: SegmentRecord,
    fragments: readonly FragmentRecord[] = this.fragmentsOf(segment.stream, segment.number),
  ): Promise<SegmentSamples> {
    this.loads += 1;
    return samplesOf(segment, fragments);
  }

  retentionRules(): RetentionRules {
    return this.rules;
  }

  cardPressureMs(): number {
    this.onPressureLook();
    return this.pressureMs;
  }

  /** The recorder is far behind from now on; resolves when somebody waits for it. */
  holdReads(): Promise<void> {
    this.pressureMs = 1000;
    return new Promise(resolve => {
      this.onPressureLook = resolve;
    });
  }
}

/** The samples that the fake's fragments have. */
export function samplesOf(segment: SegmentRecord, fragments: readonly FragmentRecord[]): SegmentSamples {
  const video = fragments.flatMap(({ number }) =>
    Array.from({ length: pictures }, (_, i) => videoSize(segment.number, number, i)),
  );
  const audio = fragments.flatMap(({ number, audioBlocks }) =>
    Array.from({ length: audioBlocks }, (_, i) => audioSize(segment.number, number, i)),
  );
  return {
    fragments,
    videoSizes: Uint32Array.from(video),
    videoDurations: Uint32Array.from(video, () => 90_000 / pictures),
    videoSyncs: Uint8Array.from(video, (_, i) => (i % pictures === 0 ? 1 : 0)),
    audioSizes: Uint32Array.from(audio),
    audioDurations: Uint32Array.from(audio, () => 8000 / blocks),
    audioBlockSamples: Uint32Array.from(audio, () => 8000 / blocks),
  };
}

/** What lies in a segment's file. */
export function bytesOf(segment: SegmentRecord): Uint8Array {
  const bytes = new Uint8Array(segment.endOffset);
  let state = segment.number + segment.stream * 7919 + 1;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

function videoSize(segment: number, fragment: number, i: number): number {
  return i === 0
    ? 20_000 + ((segment * 31 + fragment * 17) % 977)
    : 900 + ((segment + fragment * 13 + i * 7) % 211);
}

function audioSize(segment: number, fragment: number, i: number): number {
  return 700 + ((segment + fragment * 5 + i) % 41);
}

function videoSizeSum(segment: number, fragment: number): number {
  return Array.from({ length: pictures }, (_, i) => videoSize(segment, fragment, i)).reduce((a, b) => a + b);
}

function audioSizeSum(segment: number, fragment: number): number {
  return Array.from({ length: blocks }, (_, i) => audioSize(segment, fragment, i)).reduce((a, b) => a + b);
}
