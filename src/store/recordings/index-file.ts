/**
 * Brings the index's database up: looks at it in a child process after an unclean end, opens it, reads all segments, and
 * puts it aside when it is damaged. Main thread; the look is in the background, the reading takes some 40 ms for a month.
 *
 * ```
 * FOLDER/database/          LMDB
 * FOLDER/database.damaged/  the last one that was put aside
 * FOLDER/ballast            see ballast.ts
 * FOLDER/running            see life-marker.ts
 * ```
 */
import { closeSync, existsSync, mkdirSync, openSync, readSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { CameraError } from '../../base/errors.ts';
import {
  countsAfter,
  type FragmentRecord,
  gapMin90k,
  noSamples,
  type RecordedStream,
  type SegmentFormat,
  type SegmentRecord,
} from '../../isobmff/recorded-segment.ts';
import { databaseExists, diskBytesMin, setAsideDatabase } from '../create.ts';
import type { ScanVerdict } from '../scan-process.ts';
import type { Ballast } from './ballast.ts';
import { decodeFragment } from './fragment-layout.ts';
import type { IndexStore } from './index-store.ts';
import { fragmentKey, keyOf, numberMax, recordKinds } from './keys.ts';
import { decodeFormat, decodeSegment } from './segment-layout.ts';

/** LMDB's own errors that speak of the content (MDB_CORRUPTED, MDB_INVALID …) lie here; others are of the system. */
const libraryErrors = { from: -30_799, to: -30_600 };

/** MDB_MAGIC, little-endian, somewhere behind the head of the first page. */
const metaMagic = Buffer.of(0xde, 0xc0, 0xef, 0xbe);
const metaSearchBytes = 64;

/** What the database had when it was opened. */
export interface IndexContent {
  readonly store: IndexStore;
  readonly segments: SegmentRecord[];
  readonly formats: Map<number, SegmentFormat>;
  /** Segments whose records cannot be read: as if they were not there, until they are found on the card again. */
  readonly damaged: { readonly stream: RecordedStream; readonly number: number }[];
}

export interface IndexFileOptions {
  readonly folder: string;
  readonly ballast: Ballast;
  openStore(folder: string): IndexStore;
  scan(folder: string): Promise<ScanVerdict>;
}

/** See the head of the file. */
export class IndexFile {
  private readonly options: IndexFileOptions;
  private readonly folder: string;

  constructor(options: IndexFileOptions) {
    this.options = options;
    this.folder = path.join(options.folder, 'database');
  }

  get exists(): boolean {
    return databaseExists(this.folder);
  }

  /** Of the file; 0 when there is none. */
  get bytes(): number {
    return statSync(path.join(this.folder, 'data.mdb'), { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Why the database cannot be opened by this process; undefined when it can. Never rejects. */
  async look(): Promise<string | undefined> {
    const verdict = await this.options.scan(this.folder);
    return verdict.sound ? undefined : verdict.reason;
  }

  /** Throws `state-failed` when the disk does not let it be, and `recording-damaged` when it is to be put aside. */
  open(): IndexContent {
    this.makeRoom();
    let store: IndexStore | undefined;
    try {
      if (this.exists && !this.hasMeta()) throw new CameraError('recording-damaged', 'it is none of LMDB');
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      store = this.options.openStore(this.folder);
      return { store, ...contentOf(store) };
    } catch (cause) {
      void store?.close().catch(() => undefined);
      const reason = cause instanceof Error ? cause.message : String(cause);
      const code = isOfContent(cause) ? 'recording-damaged' : 'state-failed';
      throw new CameraError(code, `the index cannot be opened: ${reason}`, {}, { cause });
    }
  }

  /** Throws what the file system throws. */
  setAside(): void {
    if (this.exists) setAsideDatabase(this.folder);
  }

  /** A file of something else, or an empty one, as file systems leave it after a power cut. LMDB may end the process. */
  private hasMeta(): boolean {
    const file = path.join(this.folder, 'data.mdb');
    if (!existsSync(file)) return false;
    const descriptor = openSync(file, 'r');
    try {
      const head = Buffer.alloc(metaSearchBytes);
      readSync(descriptor, head, 0, head.length, 0);
      return head.includes(metaMagic);
    } finally {
      closeSync(descriptor);
    }
  }

  /** LMDB writes its lock file through a mapping: where there is no block for it, the process ends by a signal. */
  private makeRoom(): void {
    if (freeBytesOf(this.options.folder) >= diskBytesMin) return;
    if (this.options.ballast.release() && freeBytesOf(this.options.folder) >= diskBytesMin) return;
    if (existsSync(path.join(this.folder, 'lock.mdb'))) return;
    throw new CameraError('state-failed', 'the index cannot be opened: the disk is full');
  }
}

function isOfContent(cause: unknown): boolean {
  if (cause instanceof CameraError) return true;
  const { code } = cause as { code?: unknown };
  return typeof code === 'number' && code >= libraryErrors.from && code <= libraryErrors.to;
}

function freeBytesOf(folder: string): number {
  const { blocks, bavail, bsize } = statfsSync(folder);
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
}

function contentOf(store: IndexStore): Omit<IndexContent, 'store'> {
  const formats = new Map<number, SegmentFormat>();
  const segments: SegmentRecord[] = [];
  const damaged: IndexContent['damaged'] = [];
  const { format, segment, fragment } = recordKinds;
  for (const { key, value } of store.range({ start: keyOf(format, 0, 0, 0), end: keyOf(segment, 0, 0, 0) }))
    formats.set(key.readUInt32BE(2), decodeFormat(key, value));
  const formatOf = (id: number): SegmentFormat | undefined => formats.get(id);
  for (const entry of store.range({ start: keyOf(segment, 0, 0, 0), end: keyOf(fragment, 0, 0, 0) })) {
    const { key } = entry;
    try {
      segments.push(decodeSegment(key, entry.value, formatOf));
    } catch {
      damaged.push({ stream: key[1] as RecordedStream, number: key.readUInt32BE(2) });
    }
  }
  for (const [i, found] of segments.entries()) if (!found.isClosed) segments[i] = withFragments(store, found);
  return { formats, segments, damaged };
}

/** The record of a segment that was being written is as old as the segment; its fragments tell the rest. */
function withFragments(store: IndexStore, segment: SegmentRecord): SegmentRecord {
  const { stream, number } = segment;
  let result: SegmentRecord = {
    ...segment,
    endOffset: segment.headBytes,
    duration90k: 0,
    gaps: 0,
    counts: noSamples,
  };
  const range = { start: fragmentKey(stream, number, 0), end: fragmentKey(stream, number, numberMax) };
  for (const { key, value } of store.range(range)) result = withFragment(result, decodeFragment(key, value));
  return result;
}

/** A segment with one fragment more. */
export function withFragment(segment: SegmentRecord, fragment: FragmentRecord): SegmentRecord {
  const isGap = fragment.videoStart90k - segment.duration90k > gapMin90k;
  return {
    ...segment,
    endOffset: fragment.offset + fragment.lengthBytes,
    duration90k: fragment.videoStart90k + fragment.videoDuration90k,
    counts: countsAfter(fragment),
    gaps: segment.gaps + (isGap ? 1 : 0),
  };
}
