/**
 * Makes a segment file that was torn whole again: cuts off what is behind the last good fragment, covers damage between
 * good ones with `free` boxes so that the file plays by itself, writes the table of its samples, and flushes.
 *
 * Each step leaves a file that a next look finds the same fragments in, so it may be interrupted anywhere.
 */
import { open, readdir, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { FragmentRecord, SegmentRecord } from '../isobmff/recorded-segment.ts';
import { countsAfter } from '../isobmff/recorded-segment.ts';
import { encodeTrailer, endBox } from '../isobmff/sample-table.ts';
import { type ScannedSegment, scanSegment } from './segment-scan.ts';

/** Files that could not be read at all are kept under another name, so many of a day. */
const damagedFilesMax = 8;
const damagedSuffix = '.damaged';

/** What a file holds now. */
export interface MendedSegment {
  readonly segment: SegmentRecord;
  readonly fragments: readonly FragmentRecord[];
  /** Whether the file had to be changed. */
  readonly wasTorn: boolean;
}

/**
 * Looks at a file and mends it. Undefined when nothing in it can be used; it has another name then. Rejects with what the
 * file system says.
 *
 * @param relative its path below `folder`, with `/`.
 */
export async function mendSegment(
  folder: string,
  relative: string,
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
    const wasTorn = scanned.trailerOffset === 0;
    if (wasTorn) {
      await file.truncate(scanned.endOffset);
      for (const [from, to] of scanned.damaged) await file.write(freeBox(to - from), 0, 8, from);
      const { tag } = scanned.head;
      const trailer = encodeTrailer(scanned.samples, tag, crc32);
      const { endOffset, duration90k, gaps } = scanned;
      const counts = countsAfter(fragments.at(-1)!);
      const end = endBox(
        { tag, trailerOffset: endOffset, trailerBytes: trailer.length, duration90k, gaps, counts },
        crc32,
      );
      await file.write(Buffer.concat([trailer, end]), 0, trailer.length + end.length, endOffset);
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

async function setAside(absolute: string): Promise<void> {
  await rename(absolute, absolute + damagedSuffix);
  const folder = path.dirname(absolute);
  const names = (await readdir(folder)).filter(name => name.endsWith(damagedSuffix)).sort();
  for (const name of names.slice(0, -damagedFilesMax)) await unlink(path.join(folder, name));
}
