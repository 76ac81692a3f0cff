/**
 * The index of the recordings: which segments there are, and where their fragments lie. What the recorder reports is in
 * every answer at once and on the disk some seconds later (README.md beside this file: invariants and steps).
 *
 * All segments are in memory; fragments are read from the database by range, with the tail that is not committed yet.
 * A database that fails costs durability, never the process: reports go on into the tail, which is bounded. One that is
 * damaged is put aside, and recovery fills another from the segments on the card. Main thread alone; no report blocks.
 */
import { mkdirSync } from 'node:fs';
import { CameraError } from '../../base/errors.ts';
import type { FragmentRecord, RecordedStream, SegmentRecord } from '../../isobmff/recorded-segment.ts';
import { errorFields } from '../../telemetry/log.ts';
import { scanInChild } from '../scan-process.ts';
import { Ballast } from './ballast.ts';
import { Committer, commitTimeoutMs } from './committer.ts';
import { FormatTable } from './format-table.ts';
import { FragmentReader } from './fragment-reader.ts';
import { type IndexContent, IndexFile, withFragment } from './index-file.ts';
import { type IndexStore, openIndexStore } from './index-store.ts';
import type { KnownSegment, RecordingIndexOptions, RecordingIndexStats, SegmentName } from './index-types.ts';
import { knownOf } from './known-of.ts';
import { LifeMarker } from './life-marker.ts';
import { SegmentList } from './segment-list.ts';
import { settledWithin, succeeds } from './settled-within.ts';
import { Tail, tailFragmentsMax } from './tail.ts';

/** Between commits: a power cut costs the index so much, and recovery reads that from the card again. */
const commitEveryMs = 8000;

/** A commit is begun at once when so much waits, as when the index is made anew. */
const fragmentsWaitingMax = 2048;

/** After an unclean end the start waits so long for the look at the database; then it goes on without it. */
const openWaitMs = 3000;

/** At the end of the process a disk that hangs is not waited for. */
const closeTimeoutMs = 3000;

/** See the head of the file. */
export class RecordingIndex {
  private readonly options: RecordingIndexOptions;
  private readonly lists = [new SegmentList(), new SegmentList()] as const;
  private readonly formats = new FormatTable();
  private readonly tail = new Tail();
  private readonly file: IndexFile;
  private readonly marker: LifeMarker;
  private readonly ballast: Ballast;
  private readonly committer: Committer;
  private readonly reader: FragmentReader;
  private store: IndexStore | undefined;
  /** The database was looked at and opened once; what is in it is in memory. */
  private isLoaded = false;
  private isRebuildingNow = false;
  private isClosed = false;
  private opening: Promise<void> | undefined;
  private flushing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failure: string | undefined;
  private segmentsDropped = 0;
  private reportsRefused = 0;

  private constructor(options: RecordingIndexOptions) {
    this.options = options;
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    this.marker = new LifeMarker(options.folder);
    this.ballast = new Ballast(options.folder);
    this.file = new IndexFile({
      folder: options.folder,
      ballast: this.ballast,
      openStore: options.openStore ?? openIndexStore,
      scan: options.scan ?? (folder => scanInChild(folder, { entry: options.scanEntry, kind: 'recordings' })),
    });
    this.committer = new Committer(
      {
        tail: this.tail,
        segment: (stream, number) => this.lists[stream].get(number),
        formatId: format => this.formats.idOf(format),
      },
      {
        ballast: this.ballast,
        timeoutMs: options.commitTimeoutMs ?? commitTimeoutMs,
        writtenFormats: this.formats.written,
      },
    );
    this.reader = new FragmentReader(
      this.tail,
      () => this.store,
      (stream, number, error) => this.onDamage(stream, number, error),
    );
  }

  /**
   * Opens the index in its folder. After an unclean end a child process looks at the database first; when that takes
   * longer than `openWaitMs`, this resolves without what is in it, which comes later ({@link opened}). Rejects only
   * when the folder itself cannot be made.
   */
  static async open(options: RecordingIndexOptions): Promise<RecordingIndex> {
    let index: RecordingIndex;
    try {
      index = new RecordingIndex(options);
    } catch (cause) {
      throw new CameraError('state-failed', 'the folder of the index cannot be made', {}, { cause });
    }
    const mustLook = index.marker.wasThere || !index.marker.begin();
    const opened = index.openStore(mustLook);
    await settledWithin(opened, options.openWaitMs ?? openWaitMs);
    return index;
  }

  /** Resolves when the database is open, or cannot be for now. Never rejects. */
  opened(): Promise<void> {
    return this.opening ?? Promise.resolve();
  }

  /** A segment was begun; whatever had its number before is void. */
  segmentOpened(segment: SegmentRecord): void {
    this.take(() => this.putSegment(segment, []));
  }

  /** A fragment lies on the card, durably. */
  fragmentWritten(stream: RecordedStream, segmentNumber: number, fragment: FragmentRecord): void {
    this.take(() => {
      const segment = this.lists[stream].get(segmentNumber);
      if (!segment || segment.isClosed || fragment.offset < segment.endOffset)
        throw new CameraError('state-failed', 'a fragment does not belong to an open segment');
      this.tail.of(stream, segmentNumber).fragments.push(fragment);
      this.lists[stream].put(withFragment(segment, fragment));
    });
  }

  /** Nothing is added to the segment any more; its fragments were reported before. */
  segmentClosed(segment: SegmentRecord): void {
    this.take(() => {
      if (!this.lists[segment.stream].get(segment.number))
        throw new CameraError('state-failed', 'a segment was closed that is not known');
      this.lists[segment.stream].put({ ...segment, format: this.formats.shared(segment.format) });
      this.tail.touch(segment.stream, segment.number);
    });
  }

  /** What recovery found on the card; takes the place of all that is known of that segment. */
  segmentFound(segment: SegmentRecord, fragments: readonly FragmentRecord[]): void {
    this.take(() => this.putSegment(segment, fragments));
  }

  /**
   * Takes segments out: at once from every answer, and durably before it resolves, so that their files may be deleted.
   * Rejects with `state-failed` when that cannot be; then they are there as before.
   * @param isUrgent their files have to go even so: they stay out, and are out durably when the disk takes it again.
   */
  async removeSegments(of: readonly SegmentName[], isUrgent = false): Promise<void> {
    const undos = of.map(({ stream, number }) => {
      const segment = this.lists[stream].remove(number);
      const undo = this.tail.remove(stream, number);
      // Once it is committed there is nothing left to undo.
      return (): boolean => {
        if (!undo()) return false;
        if (segment) this.lists[stream].put(segment);
        return true;
      };
    });
    try {
      await this.flush();
    } catch (error) {
      // What else was to be written may have failed alone.
      if (!isUrgent && undos.filter(undo => undo()).length > 0) throw error;
    }
  }

  /** In recording order; a live view. */
  segments(stream: RecordedStream): readonly SegmentRecord[] {
    return this.lists[stream].all;
  }

  /** In recording order, those whose wall time meets the range, Unix ms, the end not included. */
  segmentsIn(stream: RecordedStream, startUnixMs: number, endUnixMs: number): SegmentRecord[] {
    return this.lists[stream].all.filter(
      ({ baseWallUnixMs, duration90k }) =>
        baseWallUnixMs < endUnixMs && baseWallUnixMs + duration90k / 90 > startUnixMs,
    );
  }

  /** The last fragment of a segment that starts at or before the time. */
  fragmentAt(stream: RecordedStream, segmentNumber: number, media90k: number): FragmentRecord | undefined {
    return this.isKnown(stream, segmentNumber) ? this.reader.at(stream, segmentNumber, media90k) : undefined;
  }

  /** The same of those that start with a random access point. */
  syncFragmentAt(
    stream: RecordedStream,
    segmentNumber: number,
    media90k: number,
  ): FragmentRecord | undefined {
    return this.isKnown(stream, segmentNumber)
      ? this.reader.syncAt(stream, segmentNumber, media90k)
      : undefined;
  }

  /** By number, from the first to the last that is wanted. */
  fragments(stream: RecordedStream, segmentNumber: number, from?: number, to?: number): FragmentRecord[] {
    return this.isKnown(stream, segmentNumber) ? this.reader.range(stream, segmentNumber, from, to) : [];
  }

  /** What recovery need not look for. */
  known(): KnownSegment[] {
    return this.lists.flatMap(({ all }) => all.map(knownOf));
  }

  /** Resolves when all that was reported until now is on the disk; rejects with `state-failed`. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    // One that is under way may have begun before the last report.
    if (this.flushing) await this.flushing.catch(() => undefined);
    this.flushing ??= this.commit().finally(() => {
      this.flushing = undefined;
    });
    return this.flushing;
  }

  /** `rebuilding` also while a database is looked at after an unclean end: not all is known then. */
  state(): 'ok' | 'failing' | 'rebuilding' {
    if (this.failure !== undefined) return 'failing';
    return this.isRebuildingNow || !this.isLoaded ? 'rebuilding' : 'ok';
  }

  /** An empty index is being filled from the card. */
  get isRebuilding(): boolean {
    return this.isRebuildingNow;
  }

  /** Recovery has reported all that is on the card. */
  rebuilt(): void {
    this.isRebuildingNow = false;
  }

  stats(): RecordingIndexStats {
    const { commits, failures, lastMs, lastFailure } = this.committer;
    return {
      segments: this.lists[0].all.length + this.lists[1].all.length,
      fragmentsWaiting: this.tail.fragments,
      segmentsDropped: this.segmentsDropped,
      reportsRefused: this.reportsRefused,
      commits,
      commitFailures: failures,
      lastCommitMs: lastMs,
      lastFailure: this.failure ?? lastFailure,
      fileBytes: this.file.bytes,
    };
  }

  /** Commits what is left, as far as the disk takes it, and closes the database. Never rejects, nor waits for long. */
  async close(): Promise<void> {
    await settledWithin(this.closeNow(), closeTimeoutMs);
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private async closeNow(): Promise<void> {
    if (this.isClosed) return;
    await this.opened();
    const isFlushed = await succeeds(this.flush());
    this.isClosed = true;
    await this.ballast.busy;
    // Not under a commit that hangs: it would use what is gone.
    if (this.committer.busy) return;
    const isClosed = await succeeds(this.store?.close());
    this.store = undefined;
    if (isFlushed && isClosed) this.marker.end();
  }

  private isKnown(stream: RecordedStream, number: number): boolean {
    return this.lists[stream].get(number) !== undefined;
  }

  /** A report that cannot be taken is counted: the segments on the card have it. */
  private take(report: () => void): void {
    try {
      report();
    } catch (error) {
      this.reportsRefused += 1;
      this.options.logger.warn('a report of the recorder does not fit the index', errorFields(error));
      return;
    }
    const waiting = this.tail.fragments;
    if (waiting > (this.options.tailFragmentsMax ?? tailFragmentsMax)) this.dropOldest();
    if (waiting >= fragmentsWaitingMax && this.failure === undefined && !this.flushing && this.isLoaded)
      void this.flush().catch(() => undefined);
    else this.schedule();
  }

  private putSegment(segment: SegmentRecord, fragments: readonly FragmentRecord[]): void {
    const { stream, number } = segment;
    const tail = this.tail.replace(stream, number);
    this.lists[stream].put({ ...segment, format: this.formats.shared(segment.format) });
    for (const fragment of fragments) tail.fragments.push(fragment);
  }

  private schedule(): void {
    if (this.timer || this.isClosed) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.flush().catch(() => undefined);
    }, this.options.commitMs ?? commitEveryMs);
    this.timer.unref();
  }

  private async commit(): Promise<void> {
    await this.opened();
    try {
      if (this.isClosed) throw new CameraError('state-failed', 'the index is closed');
      if (!this.store) await this.openStore(this.isLoaded);
      if (!this.store) throw new CameraError('state-failed', this.failure ?? 'the index is not open');
      await this.committer.run(this.store);
      this.succeeded();
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }

  private succeeded(): void {
    if (this.failure !== undefined) this.options.logger.info('the index of the recordings is written again');
    this.failure = undefined;
    if (!this.ballast.isThere) void this.ballast.make();
  }

  private failed(error: unknown): void {
    if (this.failure === undefined && !this.isClosed)
      this.options.logger.error('the index of the recordings cannot be written', errorFields(error));
    this.failure = error instanceof Error ? error.message : String(error);
    this.schedule();
    // MDB_PANIC: only another environment can go on. Not under a commit that hangs.
    if (this.store && !this.committer.busy && !this.store.isReadable()) {
      void this.store.close().catch(() => undefined);
      this.store = undefined;
    }
  }

  private openStore(mustLook: boolean): Promise<void> {
    this.opening = this.openNow(mustLook).finally(() => {
      this.opening = undefined;
    });
    return this.opening;
  }

  /** Never rejects. */
  private async openNow(mustLook: boolean): Promise<void> {
    try {
      const reason = mustLook && this.file.exists ? await this.file.look() : undefined;
      if (reason !== undefined) return this.beginAnew(reason);
      this.load(this.file.open());
    } catch (error) {
      if (error instanceof CameraError && error.code === 'recording-damaged') this.beginAnew(error.message);
      else this.failed(error);
    }
  }

  private beginAnew(reason: string): void {
    this.options.logger.error('the index of the recordings is damaged and is made anew', { reason });
    try {
      this.file.setAside();
      this.forgetCommitted();
      this.isRebuildingNow = true;
      this.load(this.file.open());
    } catch (error) {
      this.failed(error);
    }
    this.options.onRebuild?.();
  }

  private load({ store, segments, formats, damaged }: IndexContent): void {
    this.store = store;
    this.formats.load(formats);
    // After a failure, memory is ahead of the database.
    if (!this.isLoaded)
      for (const segment of segments) {
        const { stream, number } = segment;
        if (!this.tail.get(stream, number))
          this.lists[stream].put({ ...segment, format: this.formats.shared(segment.format) });
      }
    this.isLoaded = true;
    for (const { stream, number } of damaged) this.onDamage(stream, number, undefined);
  }

  /** What the database had is gone; what is whole in the tail is kept. */
  private forgetCommitted(): void {
    this.formats.written.clear();
    for (const { all } of this.lists)
      for (const { stream, number } of [...all]) {
        const waiting = this.tail.get(stream, number);
        if (waiting?.isReplaced) continue;
        this.lists[stream].remove(number);
        if (waiting) this.tail.forget(waiting);
      }
  }

  /** The segment is on the card, and recovery finds it there at the next start. */
  private onDamage(stream: RecordedStream, number: number, error: unknown): void {
    this.options.logger.error('a segment in the index is damaged', { stream, number, ...errorFields(error) });
    this.lists[stream].remove(number);
    this.tail.remove(stream, number);
    this.schedule();
  }

  private dropOldest(): void {
    for (const { stream, number, fragments } of this.tail.all()) {
      if (fragments.length === 0) continue;
      this.lists[stream].remove(number);
      this.tail.remove(stream, number);
      this.segmentsDropped += 1;
      return;
    }
  }
}
