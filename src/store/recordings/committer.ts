/**
 * Writes the tail into the database: one commit at a time, each with a time limit, each segment whole in one of them.
 *
 * A commit that fails changes nothing, and the tail still has everything. On a full disk a
 * removal gets the ballast and one more try at once. A commit that hangs holds a thread of libuv's pool: until it ends no other is begun. After one that leaves the
 * library unusable (MDB_PANIC) the store has to be opened anew; `isDead` says so. Main thread.
 */
import { CameraError } from '../../base/errors.ts';
import type { RecordedStream, SegmentFormat, SegmentRecord } from '../../isobmff/recorded-segment.ts';
import type { Ballast } from './ballast.ts';
import type { IndexStore, IndexWriter } from './index-store.ts';
import { formatKey, fragmentKey, numberMax, segmentKey } from './keys.ts';
import { encodeFormat, encodeSegment } from './segment-layout.ts';
import type { Tail, TailSegment } from './tail.ts';

/** A card that stalls for 2 s is usual; what takes longer than this will most likely never end. */
export const commitTimeoutMs = 8000;

/** So many records are written in one commit, and more only to have a segment whole: some 10 ms of this thread. */
const recordsAtOnce = 4096;

/** What the committer needs to know of the segments in memory. */
export interface CommitSource {
  readonly tail: Tail;
  segment(stream: RecordedStream, number: number): SegmentRecord | undefined;
  formatId(format: SegmentFormat): number;
}

/** One segment in a commit: what of it is written, and as what it was. */
interface Part {
  readonly segment: TailSegment;
  readonly version: number;
  readonly fragments: number;
  readonly isReplaced: boolean;
}

/** See the head of the file. */
export class Committer {
  commits = 0;
  failures = 0;
  lastMs = 0;
  lastFailure: string | undefined;
  private readonly source: CommitSource;
  private readonly ballast: Ballast;
  private readonly timeoutMs: number;
  private readonly writtenFormats: Set<number>;
  private underWay: Promise<void> | undefined;

  /** @param writtenFormats those that the database has. */
  constructor(
    source: CommitSource,
    options: {
      readonly ballast: Ballast;
      readonly timeoutMs: number;
      readonly writtenFormats: Set<number>;
    },
  ) {
    this.source = source;
    this.ballast = options.ballast;
    this.timeoutMs = options.timeoutMs;
    this.writtenFormats = options.writtenFormats;
  }

  /** The commit that is under way, hanging or not; resolves when it is over. */
  get busy(): Promise<void> | undefined {
    return this.underWay;
  }

  /** Commits all that is in the tail now. Rejects with `state-failed`; then what was not committed is still there. */
  async run(store: IndexStore): Promise<void> {
    if (this.underWay) throw failure('the disk does not answer');
    // What comes meanwhile waits for the next run: this one ends. Removals first and together: they make room.
    const all = [...this.source.tail.all()];
    const removals = all.filter(({ isRemoved }) => isRemoved);
    const rest = all.filter(({ isRemoved }) => !isRemoved);
    if (removals.length > 0) await this.commitInTime(store, removals, Number.POSITIVE_INFINITY);
    while (rest.length > 0) await this.commitInTime(store, rest, recordsAtOnce);
  }

  /** Takes the segments of one commit off the list. */
  private async commitInTime(store: IndexStore, segments: TailSegment[], recordsMax: number): Promise<void> {
    const startedMs = performance.now();
    const commit = this.commitSome(store, segments, recordsMax);
    this.underWay = commit
      .catch(() => undefined)
      .finally(() => {
        this.underWay = undefined;
      });
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(failure(`longer than ${this.timeoutMs} ms`)), this.timeoutMs);
    });
    try {
      await Promise.race([commit, timeout]);
      this.commits += 1;
      this.lastMs = performance.now() - startedMs;
      this.lastFailure = undefined;
    } catch (error) {
      this.failures += 1;
      this.lastFailure = error instanceof Error ? error.message : String(error);
      throw failure(this.lastFailure, error);
    } finally {
      clearTimeout(timer);
    }
  }

  private async commitSome(store: IndexStore, segments: TailSegment[], recordsMax: number): Promise<void> {
    let parts: Part[] = [];
    let formats: number[] = [];
    const write = (writer: IndexWriter): void => {
      parts = [];
      formats = [];
      let records = 0;
      for (const segment of segments) {
        if (records > recordsMax) break;
        parts.push({
          segment,
          version: segment.version,
          fragments: segment.fragments.length,
          isReplaced: segment.isReplaced,
        });
        records += this.write(writer, segment, formats);
      }
    };
    try {
      await store.commit(write);
    } catch (error) {
      // Additions would only use up the room that deletions need later; they wait in the tail.
      const isRemoval = segments.some(({ isRemoved }) => isRemoved);
      const isFull = isFullDisk(error) || this.ballast.isDiskFull();
      if (!isRemoval || !isFull || !store.isReadable() || !this.ballast.release()) throw error;
      await store.commit(write);
    }
    segments.splice(0, parts.length);
    for (const id of formats) this.writtenFormats.add(id);
    for (const part of parts) this.settle(part);
  }

  /** Returns how many records that were. */
  private write(writer: IndexWriter, segment: TailSegment, formats: number[]): number {
    const { stream, number, fragments } = segment;
    // Settled by an earlier commit.
    if (this.source.tail.get(stream, number) !== segment) return 0;
    const key = segmentKey(stream, number);
    let records = 0;
    if (segment.isReplaced) {
      const range = { start: fragmentKey(stream, number, 0), end: fragmentKey(stream, number, numberMax) };
      // A list, for a cursor and removals do not go together.
      for (const old of [...writer.keys(range)]) {
        writer.remove(old);
        records += 1;
      }
      if (segment.isRemoved) writer.remove(key);
    }
    const record = segment.hasRecord ? this.source.segment(stream, number) : undefined;
    if (record) {
      const id = this.source.formatId(record.format);
      if (!this.writtenFormats.has(id)) {
        writer.put(formatKey(id), encodeFormat(formatKey(id), record.format));
        formats.push(id);
      }
      writer.put(key, encodeSegment(key, record, id));
      records += 1;
    }
    for (let i = 0; i < fragments.length; i++)
      // A copy: the library may read it later than the tail keeps it.
      writer.put(fragmentKey(stream, number, fragments.numberAt(i)), Buffer.from(fragments.bytesAt(i)));
    return records + fragments.length;
  }

  /** What was committed leaves the tail, unless it was changed meanwhile. */
  private settle({ segment, version, fragments, isReplaced }: Part): void {
    const { tail } = this.source;
    const { stream, number } = segment;
    if (tail.get(stream, number) !== segment) return;
    if (segment.version !== version) {
      // Its record was changed while fragments were only added: those that were written are not written again.
      if (!segment.isReplaced) segment.fragments.dropFirst(fragments);
      return;
    }
    segment.fragments.dropFirst(fragments);
    if (isReplaced) segment.isReplaced = false;
    segment.hasRecord = false;
    if (segment.fragments.length === 0) tail.forget(segment);
  }
}

/** As the library tells it: ENOSPC or EDQUOT; a write that was cut short is EIO to it. */
function isFullDisk(error: unknown): boolean {
  return /no space left|quota/i.test(error instanceof Error ? error.message : String(error));
}

function failure(reason: string, cause?: unknown): CameraError {
  return new CameraError('state-failed', `the index cannot be written: ${reason}`, {}, { cause });
}
