/**
 * Makes a segment file that was torn whole again: cuts off what is behind the last good fragment, covers damage between
 * good ones with `free` boxes so that the file plays by itself, makes a damaged head anew (head-repair.ts), writes the
 * table of its samples, and flushes. A file that is whole is only read.
 *
 * Each step leaves a file that a next look finds the same fragments in, so it may be interrupted anywhere.
 */
import { open, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { CameraError } from '../base/errors.ts';
import type { FragmentRecord, RecordedStream, SegmentRecord } from '../isobmff/recorded-segment.ts';
import { countsAfter } from '../isobmff/recorded-segment.ts';
import { encodeTrailer, endBox } from '../isobmff/sample-table.ts';
import { namesIn } from './folder-names.ts';
import { type RemadeHead, remakeHead } from './head-repair.ts';
import { writeAll } from './segment-file.ts';
import { isDayName, segmentNumberOf, streamFolder } from './segment-path.ts';
import { type ScannedSegment, scanSegment } from './segment-scan.ts';

/**
 * Files of which nothing can be used are kept under another name. Of those that are too small to hold a recording (the
 * power went when they were begun) so many are kept on a card.
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
  name: SegmentName,
  signal?: AbortSignal,
): Promise<MendedSegment | undefined> {
  const absolute = path.join(folder, ...name.path.split('/'));
  const { scanned, remade } = await look(absolute, name, signal);
  const fragments = scanned?.samples.fragments ?? [];
  if (!scanned || fragments.length === 0) {
    await setAside(folder, name);
    return undefined;
  }
  const { stream, number, deviceUuid } = scanned.head;
  if (stream !== name.stream || number !== name.number || deviceUuid !== name.deviceUuid)
    throw new CameraError('recording-damaged', 'the file is another than its name says', { number });
  const wasTorn = scanned.trailerOffset === 0 || remade !== undefined;
  if (wasTorn) await write(absolute, scanned, remade, signal);
  return { segment: segmentRecordOf(scanned, name.path), fragments, wasTorn };
}

/** Reads only, so that what is whole is found on a card that cannot be written to. */
async function look(
  absolute: string,
  name: SegmentName,
  signal: AbortSignal | undefined,
): Promise<{ scanned: ScannedSegment | undefined; remade?: RemadeHead }> {
  const file = await open(absolute, 'r');
  try {
    const scanned = await scanSegment(file, signal);
    if (scanned) return { scanned };
    const remade = await remakeHead(file, name, signal);
    return remade ? { scanned: await scanSegment(file, signal, remade.head), remade } : { scanned };
  } finally {
    await file.close();
  }
}

/** Makes a file what was found in it. */
async function write(
  absolute: string,
  scanned: ScannedSegment,
  remade: RemadeHead | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = await open(absolute, 'r+');
  try {
    signal?.throwIfAborted();
    if (remade) await writeAll(file, [remade.bytes], 0);
    if (scanned.trailerOffset === 0) {
      await file.truncate(scanned.endOffset);
      for (const [from, to] of scanned.damaged) await writeAll(file, [freeBox(to - from)], from);
      // Before the table, which the next look would trust.
      await file.datasync();
      const { tag } = scanned.head;
      const trailer = encodeTrailer(scanned.samples, tag, crc32);
      const { endOffset, duration90k, gaps } = scanned;
      const counts = countsAfter(scanned.samples.fragments.at(-1)!);
      const end = endBox(
        { tag, trailerOffset: endOffset, trailerBytes: trailer.length, duration90k, gaps, counts },
        crc32,
      );
      await writeAll(file, [trailer, end], endOffset);
    }
    await file.datasync();
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

/**
 * Kept for whoever knows how to read it; never deleted where it still has a recording's size. Of the small ones the
 * newest are kept, by number, in all folders of the camera together.
 */
async function setAside(folder: string, { deviceUuid, path: relative }: SegmentName): Promise<void> {
  const absolute = path.join(folder, ...relative.split('/'));
  await rename(absolute, absolute + damagedSuffix);
  const kept: { readonly file: string; readonly number: number }[] = [];
  const roots = ([0, 1] as const).map(stream => path.join(folder, streamFolder(deviceUuid, stream)));
  const days = await Promise.all(
    roots.map(async root => (await namesIn(root)).filter(isDayName).map(day => path.join(root, day))),
  );
  for (const day of new Set([...days.flat(), path.dirname(absolute)]))
    for (const name of await namesIn(day)) {
      if (!name.endsWith(damagedSuffix)) continue;
      const number = segmentNumberOf(name.slice(0, -damagedSuffix.length));
      if (number !== undefined) kept.push({ file: path.join(day, name), number });
    }
  kept.sort((a, b) => a.number - b.number || (a.file < b.file ? -1 : 1));
  for (const { file } of kept.slice(0, -damagedFilesMax))
    if ((await stat(file)).size < emptyBytesMax) await unlink(file);
}
