/**
 * Reads a segment file that may be torn: which fragments are whole, and where the file is damaged.
 *
 * A fragment counts when both of its checksums hold. Behind damage the next one is looked for by its type and its own
 * checksum. A file that was closed is taken from its table, without a look at the pictures. Bounded memory: pieces of
 * 1 MiB. Asynchronous; any thread.
 */
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { fragmentRecord, SampleCollector } from '../isobmff/fragment-contents.ts';
import { moofBytesMax } from '../isobmff/fragment-layout.ts';
import { type FragmentHead, readFragmentHead } from '../isobmff/fragment-reader.ts';
import {
  countsAfter,
  type FragmentRecord,
  gapMin90k,
  noSamples,
  type SegmentSamples,
} from '../isobmff/recorded-segment.ts';
import { decodeTrailer, endBoxBytes, readEndBox } from '../isobmff/sample-table.ts';
import { readSegmentHead, type SegmentHead, segmentHeadBytesMax } from '../isobmff/segment-head.ts';

const pieceBytes = 1024 * 1024;
/** Places behind damage that call themselves a fragment and are none, until the rest of a file is given up. */
const marksMax = 1000;
/** What is read to look for the next one: damage is mostly short. */
const searchBytes = 64 * 1024;
const mdatHeaderBytes = 8;
/** 'moof'. */
const moofMark = Buffer.from('moof');

/** What was found in a file. */
export interface ScannedSegment {
  readonly head: SegmentHead;
  readonly samples: SegmentSamples;
  /** Behind the last whole fragment. */
  readonly endOffset: number;
  readonly duration90k: number;
  readonly gaps: number;
  /** Of the table, where the file was closed in order; else 0. */
  readonly trailerOffset: number;
  /** Stretches between whole fragments that hold none, as pairs of offsets. */
  readonly damaged: readonly (readonly [number, number])[];
}

/** A whole fragment, and where it is. */
export interface FoundFragment {
  readonly offset: number;
  readonly hasAudio: boolean;
  readonly head: FragmentHead;
}

/**
 * Undefined when the file has no head of ours. Rejects with what the file system says.
 * @param remade the head of a file whose own is damaged.
 */
export async function scanSegment(
  file: FileHandle,
  signal?: AbortSignal,
  remade?: SegmentHead,
): Promise<ScannedSegment | undefined> {
  const { size } = await file.stat();
  const head = remade ?? readSegmentHead(await readUpTo(file, 0, Math.min(size, segmentHeadBytesMax)), crc32);
  if (!head) return undefined;
  return (await fromTable(file, head, size)) ?? (await walk(file, head, size, signal));
}

async function fromTable(
  file: FileHandle,
  head: SegmentHead,
  size: number,
): Promise<ScannedSegment | undefined> {
  if (size < head.headBytes + endBoxBytes) return undefined;
  const end = readEndBox(await readUpTo(file, size - endBoxBytes, endBoxBytes), crc32);
  if (!end || end.tag !== head.tag) return undefined;
  const { trailerOffset, trailerBytes, duration90k, gaps } = end;
  if (trailerOffset + trailerBytes + endBoxBytes !== size) return undefined;
  try {
    const samples = decodeTrailer(await readUpTo(file, trailerOffset, trailerBytes), head.tag, crc32);
    return { head, samples, endOffset: trailerOffset, duration90k, gaps, trailerOffset, damaged: [] };
  } catch {
    return undefined;
  }
}

async function walk(
  file: FileHandle,
  head: SegmentHead,
  size: number,
  signal: AbortSignal | undefined,
): Promise<ScannedSegment> {
  const hasAudio = head.format.audioCodec !== undefined;
  const collector = new SampleCollector();
  const damaged: [number, number][] = [];
  let before = noSamples;
  let last: FragmentRecord | undefined;
  let gaps = 0;
  let endOffset = head.headBytes;
  let marks = 0;
  let at: number | undefined = head.headBytes;
  while (at !== undefined && at < size) {
    signal?.throwIfAborted();
    const found = await fragmentAt(file, at, size, hasAudio, head.tag);
    const isNext = found && (!last || (found.number > last.number && found.videoStart90k >= endOf(last)));
    if (!found || !isNext) {
      at = ++marks > marksMax ? undefined : await nextMark(file, at + 1, size, signal);
      continue;
    }
    if (at > endOffset) damaged.push([endOffset, at]);
    const lengthBytes = found.moofBytes + mdatHeaderBytes + found.payloadBytes;
    const record = fragmentRecord(found, { number: found.number, offset: at, lengthBytes }, before);
    collector.add(record, found);
    if (record.videoStart90k - (last ? endOf(last) : 0) > gapMin90k) gaps++;
    before = countsAfter(record);
    last = record;
    at += lengthBytes;
    endOffset = at;
  }
  const duration90k = last ? endOf(last) : 0;
  return { head, samples: collector.samples(), endOffset, duration90k, gaps, trailerOffset: 0, damaged };
}

/** The first whole fragments of a file, at most so many, whatever segment they were written for. */
export async function firstFragments(
  file: FileHandle,
  count: number,
  signal?: AbortSignal,
): Promise<FoundFragment[]> {
  const { size } = await file.stat();
  const found: FoundFragment[] = [];
  let at: number | undefined = 0;
  for (let marks = 0; at !== undefined && found.length < count && marks < marksMax; marks++) {
    at = await nextMark(file, at, size, signal);
    if (at === undefined) break;
    const offset: number = at;
    at++;
    for (const hasAudio of [true, false]) {
      const head = await fragmentAt(file, offset, size, hasAudio, undefined);
      if (!head) continue;
      found.push({ offset, hasAudio, head });
      at = offset + head.moofBytes + mdatHeaderBytes + head.payloadBytes;
      break;
    }
  }
  return found;
}

function endOf({ videoStart90k, videoDuration90k }: FragmentRecord): number {
  return videoStart90k + videoDuration90k;
}

/** A whole fragment at an offset. */
async function fragmentAt(
  file: FileHandle,
  offset: number,
  size: number,
  hasAudio: boolean,
  tag: number | undefined,
): Promise<FragmentHead | undefined> {
  const start = await readUpTo(file, offset, Math.min(size - offset, 8));
  if (start.length < 8 || !start.subarray(4).equals(moofMark)) return undefined;
  const moofBytes = start.readUInt32BE();
  if (moofBytes > moofBytesMax || offset + moofBytes + mdatHeaderBytes > size) return undefined;
  const head = readFragmentHead(
    await readUpTo(file, offset, moofBytes + mdatHeaderBytes),
    hasAudio,
    tag,
    crc32,
  );
  if (!head) return undefined;
  let at = offset + head.moofBytes + mdatHeaderBytes;
  const end = at + head.payloadBytes;
  if (end > size) return undefined;
  let crc = 0;
  while (at < end) {
    const piece = await readUpTo(file, at, Math.min(pieceBytes, end - at));
    if (piece.length === 0) return undefined;
    crc = crc32(piece, crc);
    at += piece.length;
  }
  return crc === head.payloadCrc32 ? head : undefined;
}

/** Where the next box that calls itself moof begins, from an offset on. */
async function nextMark(
  file: FileHandle,
  from: number,
  size: number,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  let at = from;
  while (at < size) {
    signal?.throwIfAborted();
    const piece = await readUpTo(file, at, Math.min(at === from ? searchBytes : pieceBytes, size - at));
    const index = piece.indexOf(moofMark);
    if (index >= 4) return at + index - 4;
    if (index >= 0) {
      // Its size lies before this piece.
      const begin = at + index - 4;
      if (begin >= from) return begin;
      at += index + 1;
    } else at += Math.max(1, piece.length - 7);
    if (piece.length < 8) return undefined;
  }
  return undefined;
}

/** So many bytes of a file, fewer at its end. */
export async function readUpTo(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
