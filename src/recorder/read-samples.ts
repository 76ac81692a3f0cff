/**
 * Reads the samples of a segment from its file: from the table at the end of a closed one, else from the heads of its
 * fragments. A task of the task pool: the reads are synchronous, so that a table costs one of them and no hops between
 * threads; a card that hangs holds this thread and nobody else.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { CameraError } from '../base/errors.ts';
import type { ReadSamplesRequest } from '../ipc/tasks.ts';
import { SampleCollector } from '../isobmff/fragment-contents.ts';
import { moofBytesOf } from '../isobmff/fragment-layout.ts';
import { readFragmentHead } from '../isobmff/fragment-reader.ts';
import type { FragmentRecord, SegmentRecord, SegmentSamples } from '../isobmff/recorded-segment.ts';
import { decodeTrailer } from '../isobmff/sample-table.ts';

/** Bytes of a box's size. */
const sizeBytes = 4;
/** Of the header of an mdat. */
const mdatHeaderBytes = 8;
/** Table of the longest segment there can be, some 1.5 GiB at the smallest pictures, with room. */
const tableBytesMax = 64 * 1024 * 1024;

/** Rejects with `recording-damaged` or `card-failed`. */
export async function readSamples({ file, segment, fragments }: ReadSamplesRequest): Promise<SegmentSamples> {
  const descriptor = attempt(() => openSync(file, 'r'));
  try {
    return fragments ? fromHeads(descriptor, segment, fragments) : fromTable(descriptor, segment);
  } finally {
    closeSync(descriptor);
  }
}

function fromTable(descriptor: number, { trailerOffset }: SegmentRecord): SegmentSamples {
  if (trailerOffset === 0) throw damaged('the segment has no table');
  const size = read(descriptor, trailerOffset, sizeBytes).readUInt32BE();
  if (size > tableBytesMax) throw damaged('the table of the segment is too large');
  return decodeTrailer(read(descriptor, trailerOffset, size), undefined, crc32);
}

function fromHeads(
  descriptor: number,
  { format }: SegmentRecord,
  fragments: readonly FragmentRecord[],
): SegmentSamples {
  const hasAudio = format.audioCodec !== undefined;
  const collector = new SampleCollector();
  for (const record of fragments) {
    const bytes = moofBytesOf(hasAudio, record.videoSamples, record.audioBlocks) + mdatHeaderBytes;
    const head = readFragmentHead(read(descriptor, record.offset, bytes), hasAudio, undefined, crc32);
    if (!head || head.number !== record.number) throw damaged('a fragment is not where it should be');
    collector.add(record, head);
  }
  return collector.samples();
}

function read(descriptor: number, offset: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  let filled = 0;
  while (filled < bytes) {
    const at = filled;
    const count = attempt(() => readSync(descriptor, buffer, at, bytes - at, offset + at));
    if (count === 0) throw damaged('the file of the segment is too short');
    filled += count;
  }
  return buffer;
}

function attempt<T>(operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CameraError('card-failed', `the recording cannot be read: ${reason}`, {}, { cause });
  }
}

function damaged(reason: string): CameraError {
  return new CameraError('recording-damaged', reason);
}
