/**
 * One segment file while it is written: head, fragments, and at the end the table of its samples.
 *
 * Every step is asynchronous and one at a time; the event loop never waits for the card. What `append` resolved for lies
 * on the card (fdatasync). A short write is gone on with; one that fails leaves the file to be cut back to the last good
 * offset. Recorder thread.
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { CameraError } from '../base/errors.ts';
import type { FragmentContents } from '../isobmff/fragment-contents.ts';
import { SampleCollector } from '../isobmff/fragment-contents.ts';
import {
  countsAfter,
  type FragmentRecord,
  gapMin90k,
  noSamples,
  type SampleCounts,
  type SegmentFormat,
  type SegmentRecord,
} from '../isobmff/recorded-segment.ts';
import { encodeTrailer, endBox } from '../isobmff/sample-table.ts';
import { type SegmentHeadInfo, segmentHead, segmentTag } from '../isobmff/segment-head.ts';
import { segmentPath } from './segment-path.ts';

/** The tag is the end of the head. */
const tagBytes = 4;

/** See the head of the file. */
export class SegmentFile {
  /** What fragments of this file carry. */
  readonly tag: number;
  readonly format: SegmentFormat;
  readonly number: number;
  private readonly info: SegmentHeadInfo;
  private readonly path: string;
  private readonly absolute: string;
  private readonly headBytes: number;
  /** Undefined after {@link suspend}. */
  private file: FileHandle | undefined;
  private readonly collector = new SampleCollector();
  private offset: number;
  private counts: SampleCounts = noSamples;
  private duration90k = 0;
  private gaps = 0;
  private trailerOffset = 0;
  private isClosed = false;

  private constructor(
    info: SegmentHeadInfo,
    place: { readonly relative: string; readonly absolute: string },
    file: FileHandle,
    head: Uint8Array,
  ) {
    this.info = info;
    this.path = place.relative;
    this.absolute = place.absolute;
    this.file = file;
    this.number = info.number;
    this.format = info.format;
    this.headBytes = head.length;
    this.offset = head.length;
    this.tag = segmentTag(head);
  }

  /** Makes the file with its head; rejects with what the file system says. */
  static async create(folder: string, info: SegmentHeadInfo): Promise<SegmentFile> {
    const relative = segmentPath(info);
    const absolute = path.join(folder, ...relative.split('/'));
    const day = path.dirname(absolute);
    const firstMade = await mkdir(day, { recursive: true, mode: 0o755 });
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR;
    const file = await open(absolute, flags, 0o644);
    try {
      const head = segmentHead(info, crc32);
      await writeAll(file, [head], 0);
      // Its name must outlive a power cut as its content does.
      await flushFolders(day, firstMade === undefined ? day : path.dirname(firstMade));
      return new SegmentFile(info, { relative, absolute }, file, head);
    } catch (error) {
      await file.close().catch(() => undefined);
      // Each attempt has another name: on a card that fails for days they would be many.
      await unlink(absolute).catch(() => undefined);
      throw error;
    }
  }

  get endOffset(): number {
    return this.offset;
  }

  get fragmentCounts(): SampleCounts {
    return this.counts;
  }

  /** Whether the file is still where it was made: a folder that was moved, or a card that was changed, takes it along. */
  async isInPlace(): Promise<boolean> {
    const [own, found] = await Promise.all([
      this.handle.stat(),
      stat(this.absolute).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
        throw error;
      }),
    ]);
    return found !== undefined && found.ino === own.ino && found.dev === own.dev;
  }

  /** As the index has it. */
  record(): SegmentRecord {
    return {
      stream: this.info.stream,
      number: this.number,
      path: this.path,
      baseWallUnixMs: this.info.baseWallUnixMs,
      format: this.format,
      headBytes: this.headBytes,
      endOffset: this.offset,
      duration90k: this.duration90k,
      counts: this.counts,
      gaps: this.gaps,
      trailerOffset: this.trailerOffset,
      isClosed: this.isClosed,
    };
  }

  /** Writes the pieces of a fragment behind what there is; not flushed, and not counted before {@link confirm}. */
  async write(pieces: readonly Uint8Array[]): Promise<void> {
    await writeAll(this.handle, pieces, this.offset);
  }

  /** Flushes what was written and counts it. */
  async confirm(record: FragmentRecord, contents: FragmentContents): Promise<void> {
    await this.handle.datasync();
    this.collector.add(record, contents);
    if (record.videoStart90k - this.duration90k > gapMin90k) this.gaps++;
    this.counts = countsAfter(record);
    this.offset = record.offset + record.lengthBytes;
    this.duration90k = record.videoStart90k + record.videoDuration90k;
  }

  /** Cuts off what was written since the last {@link confirm}. */
  async cutBack(): Promise<void> {
    await this.handle.truncate(this.offset);
  }

  /** Writes the table, flushes and closes. A file without fragments is left as it is, for its owner to remove. */
  async close(): Promise<void> {
    const file = this.handle;
    try {
      if (this.counts.fragments === 0) return;
      const trailer = encodeTrailer(this.collector.samples(), this.tag, crc32);
      const { tag, duration90k, gaps, counts } = this;
      const end = {
        tag,
        trailerOffset: this.offset,
        trailerBytes: trailer.length,
        duration90k,
        gaps,
        counts,
      };
      await writeAll(file, [trailer, endBox(end, crc32)], this.offset);
      await file.datasync();
      this.trailerOffset = this.offset;
      this.isClosed = true;
    } finally {
      this.file = undefined;
      await file.close();
    }
  }

  /** Lets go of the file as it is, so that a card can be taken out; {@link resume} goes on with it. Never rejects. */
  async suspend(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    await file?.close().catch(() => undefined);
  }

  /**
   * Opens the file again where {@link suspend} let go of it, and cuts off what was written since the last
   * {@link confirm}: after a failed flush nobody knows what of it is on the card. Rejects with ENOENT when it is not
   * there, or is another, or lacks what was confirmed.
   */
  async resume(): Promise<void> {
    if (this.file) return;
    const file = await open(this.absolute, 'r+');
    try {
      const tag = Buffer.alloc(tagBytes);
      await file.read(tag, 0, tagBytes, this.headBytes - tagBytes);
      const { size } = await file.stat();
      if (tag.readUInt32BE() !== this.tag || size < this.offset)
        throw Object.assign(new Error('the file is not as it was written'), { code: 'ENOENT' });
      await file.truncate(this.offset);
      await file.datasync();
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    this.file = file;
  }

  private get handle(): FileHandle {
    if (!this.file) throw new CameraError('internal', 'A segment is written that was let go of.');
    return this.file;
  }
}

/** Flushes a folder and those above it up to `highest`: of a folder that was made, the name lies in the one above. */
async function flushFolders(deepest: string, highest: string): Promise<void> {
  for (let folder = deepest; ; folder = path.dirname(folder)) {
    const descriptor = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await descriptor.sync();
    } catch (error) {
      // File systems that cannot flush a folder say so, and no later attempt would fare better.
      if (!['EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    } finally {
      await descriptor.close();
    }
    if (folder === highest || folder === path.dirname(folder)) return;
  }
}

/** Writes all of the pieces, however many calls it takes; rejects when the card takes no more. */
export async function writeAll(
  file: FileHandle,
  pieces: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let rest = [...pieces];
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest, at);
    if (bytesWritten === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' });
    at += bytesWritten;
    rest = behind(rest, bytesWritten);
  }
}

/** What is left of the pieces behind so many bytes. */
function behind(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  let i = 0;
  while (i < pieces.length && left >= pieces[i]!.length) left -= pieces[i++]!.length;
  if (i === pieces.length) return [];
  return left === 0 ? pieces.slice(i) : [pieces[i]!.subarray(left), ...pieces.slice(i + 1)];
}
