/**
 * Makes a segment file that was torn whole again: cuts off what is behind the last good fragment, covers damage between
 * good ones with `free` boxes so that the file plays by itself, writes the table of its samples, and flushes.
 *
 * Each step leaves a file that a next look finds the same fragments in, so it may be interrupted anywhere.
 */
import { open, readdir, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { CameraError } from '../base/errors.ts';
import type { FragmentRecord, RecordedStream, SegmentRecord } from '../isobmff/recorded-segment.ts';
import { countsAfter } from '../isobmff/recorded-segment.ts';
import { encodeTrailer, endBox } from '../isobmff/sample-table.ts';
import { writeAll } from './segment-file.ts';
import { segmentNumberOf } from './segment-path.ts';
import { type ScannedSegment, scanSegment } from './segment-scan.ts';

/**
 * Files of which nothing can be used are kept under another name. Of those that are too small to hold a recording (the
 * power went when they were begun) so many are kept in a day's folder.
 */
const damagedFilesMax = 8;
const emptyBytesMax = 64 * 1024;
const damagedSuffix = '.damaged';

/** Which file is looked at. */
export interface SegmentName {
  readonly deviceUuid: string;
  readonly stream: RecordedStream;
  readonly number: number;
  /** Below the folder of the recordings, with `/`. */
  readonly path: string;
}

/** What a file holds now. */
export interface MendedSegment {
  readonly segment: SegmentRecord;
  readonly fragments: readonly FragmentRecord[];
  /** Whether the file had to be changed. */
  readonly wasTorn: boolean;
}

/**
 * Looks at a file and mends it. Undefined when nothing in it can be used; it has another name then. Rejects with what the
 * file system says, and with CameraError `recording-damaged`, having changed nothing, when the file is not the one that
 * its name says.
 */
export async function mendSegment(
  folder: string,
  { path: relative, ...name }: SegmentName,
  signal?: AbortSignal,
): Promise<MendedSegment | undefined> {
  const absolute = path.join(folder, ...relative.split('/'));
  const file = await open(absolute, 'r+');
  try {
    const scanned = await scanSegment(file, signal);
    const fragments = scanned?.samples.fragments ?? [];
    if (!scanned || fragments.length === 0) {
      await setAside(absolute);
      return undefined;
    }
    const { stream, number, deviceUuid } = scanned.head;
    if (stream !== name.stream || number !== name.number || deviceUuid !== name.deviceUuid)
      throw new CameraError('recording-damaged', 'the file is another than its name says', { number });
    const wasTorn = scanned.trailerOffset === 0;
    if (wasTorn) {
      signal?.throwIfAborted();
      await file.truncate(scanned.endOffset);
      for (const [from, to] of scanned.damaged) await writeAll(file, [freeBox(to - from)], from);
      // Before the table, which the next look would trust.
      await file.datasync();
      const { tag } = scanned.head;
      const trailer = encodeTrailer(scanned.samples, tag, crc32);
      const { endOffset, duration90k, gaps } = scanned;
      const counts = countsAfter(fragments.at(-1)!);
      const end = endBox(
        { tag, trailerOffset: endOffset, trailerBytes: trailer.length, duration90k, gaps, counts },
        crc32,
      );
      await writeAll(file, [trailer, end], endOffset);
      await file.datasync();
    }
    return { segment: segmentRecordOf(scanned, relative), fragments, wasTorn };
  } finally {
    await file.close();
  }
}

function segmentRecordOf(scanned: ScannedSegment, relative: string): SegmentRecord {
  const { head, endOffset, duration90k, gaps, samples } = scanned;
  const { stream, number, baseWallUnixMs, format, headBytes } = head;
  return {
    stream,
    number,
    path: relative,
    baseWallUnixMs,
    format,
    headBytes,
    endOffset,
    duration90k,
    counts: countsAfter(samples.fragments.at(-1)!),
    gaps,
    trailerOffset: endOffset,
    isClosed: true,
  };
}

/** The header of a box that says to be skipped. */
function freeBox(bytes: number): Buffer {
  const box = Buffer.alloc(8, 'free', 'latin1');
  box.writeUInt32BE(bytes);
  box.write('free', 4, 'latin1');
  return box;
}

/** Kept for whoever knows how to read it; never deleted where it still has a recording's size. */
async function setAside(absolute: string): Promise<void> {
  await rename(absolute, absolute + damagedSuffix);
  const folder = path.dirname(absolute);
  const isOurs = (name: string): boolean =>
    name.endsWith(damagedSuffix) && segmentNumberOf(name.slice(0, -damagedSuffix.length)) !== undefined;
  const names = (await readdir(folder)).filter(isOurs).sort();
  for (const name of names.slice(0, -damagedFilesMax)) {
    const file = path.join(folder, name);
    if ((await stat(file)).size < emptyBytesMax) await unlink(file);
  }
}
