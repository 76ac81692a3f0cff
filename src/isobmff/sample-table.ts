/**
 * The trailer of a closed segment: the table of all its fragments and samples in one box of ours, so that a clip needs
 * no moof of it, and behind it the end box, which tells where the trailer lies. Both little-endian inside, flat arrays.
 *
 * ```text
 * … last fragment | uuid "tabl" | uuid "last" | end of the file
 *
 * uuid "tabl": size u32 (big-endian), 'uuid', type 16, then
 *   tag u32 of the segment, fragments u32, pictures u32, blocks u32
 *   40 bytes a fragment: videoStart90k f64, audioStart8k f64, number u32, offset u32, lengthBytes u32,
 *                        pictures u32, blocks u32, reserved u32
 *   sizes u32, durations u32 of the pictures; sizes u32, durations u32, samples u32 of the blocks
 *   random access points, one byte a picture, zeros to a multiple of 4
 *   crc u32 of everything before it in the box
 * uuid "last": size u32 (big-endian), 'uuid', type 16, then
 *   tag u32, trailerOffset u32, trailerBytes u32, gaps u32, duration90k f64,
 *   counts u32 × 6: fragments, pictures, random access points, blocks, samples of sound, bytes of sound
 *   crc u32 of everything before it in the box
 * ```
 *
 * Pure, any thread. The reader believes nothing: counts, sums and order are checked behind the checksum.
 */
import { CameraError } from '../base/errors.ts';
import { boxHeaderBytes } from './box-writer.ts';
import type { Checksum } from './checksum.ts';
import { fragmentRecord } from './fragment-contents.ts';
import { isOwnBox, type OwnBox, ownBoxHeaderBytes, ownType, uuidType } from './own-boxes.ts';
import {
  countsAfter,
  type FragmentRecord,
  noSamples,
  type SampleCounts,
  type SegmentSamples,
} from './recorded-segment.ts';

/** What the end box says. */
export interface SegmentEnd {
  /** Where the trailer box begins, and its bytes. */
  readonly trailerOffset: number;
  readonly trailerBytes: number;
  readonly duration90k: number;
  /** How often a fragment does not begin where the one before ends. */
  readonly gaps: number;
  /** Of all fragments. */
  readonly counts: SampleCounts;
  /** Of the segment that it was written for. */
  readonly tag: number;
}

/** Bytes of the end box. */
export const endBoxBytes = ownBoxHeaderBytes + 16 + 8 + 24 + 4;

const tableHeadBytes = ownBoxHeaderBytes + 16;
const fragmentBytes = 40;
const pictureBytes = 8;
const blockBytes = 12;
const crcBytes = 4;

/** The trailer box of a whole segment, a new array. `tag`: of the segment, see segment-head.ts. */
export function encodeTrailer(samples: SegmentSamples, tag: number, checksum: Checksum): Uint8Array {
  const { fragments, videoSizes, videoDurations, audioSizes, audioDurations, audioBlockSamples } = samples;
  const bytes = new Uint8Array(trailerBytesOf(fragments.length, videoSizes.length, audioSizes.length));
  const view = viewOf(bytes);
  beginOwnBox(bytes, view, 'tabl');
  let at = ownBoxHeaderBytes;
  for (const value of [tag, fragments.length, videoSizes.length, audioSizes.length])
    at = putNumber(view, at, value);
  for (const fragment of fragments) {
    view.setFloat64(at, fragment.videoStart90k, true);
    view.setFloat64(at + 8, fragment.audioStart8k, true);
    at += 16;
    const { number, offset, lengthBytes, videoSamples, audioBlocks } = fragment;
    for (const value of [number, offset, lengthBytes, videoSamples, audioBlocks, 0])
      at = putNumber(view, at, value);
  }
  for (const numbers of [videoSizes, videoDurations, audioSizes, audioDurations, audioBlockSamples])
    for (let i = 0; i < numbers.length; i++) at = putNumber(view, at, numbers[i]!);
  bytes.set(samples.videoSyncs, at);
  const crcAt = bytes.length - crcBytes;
  putNumber(view, crcAt, checksum(bytes.subarray(0, crcAt)));
  return bytes;
}

/**
 * The samples of the whole segment, from the trailer box alone. `tag`: of the segment; undefined takes any. Throws
 * CameraError 'recording-damaged'. Nothing is borrowed.
 */
export function decodeTrailer(
  bytes: Uint8Array,
  tag: number | undefined,
  checksum: Checksum,
): SegmentSamples {
  const view = viewOf(bytes);
  if (bytes.length < tableHeadBytes + crcBytes || !isOwnBox(view, 0, 'tabl'))
    throw damaged('The table of a segment is missing.', bytes);
  let at = ownBoxHeaderBytes;
  const trailerTag = view.getUint32(at, true);
  const fragmentCount = view.getUint32(at + 4, true);
  const pictures = view.getUint32(at + 8, true);
  const blocks = view.getUint32(at + 12, true);
  at += 16;
  // Sums of products of numbers below 2^32 are exact.
  if (bytes.length !== trailerBytesOf(fragmentCount, pictures, blocks) || view.getUint32(0) !== bytes.length)
    throw damaged('The table of a segment is cut short.', bytes);
  if (!hasChecksum(bytes, view, checksum)) throw damaged('The table of a segment is damaged.', bytes);
  if (tag !== undefined && trailerTag !== tag)
    throw damaged('The table of a segment is that of another.', bytes);

  const arraysAt = at + fragmentBytes * fragmentCount;
  const numbers = (index: number, count: number): Uint32Array => numbersAt(view, arraysAt + 4 * index, count);
  const syncsAt = arraysAt + pictureBytes * pictures + blockBytes * blocks;
  const audioIndex = 2 * pictures;
  const arrays = {
    videoSizes: numbers(0, pictures),
    videoDurations: numbers(pictures, pictures),
    // Copied by the constructor, as slice() of a Node Buffer would not.
    videoSyncs: new Uint8Array(bytes.subarray(syncsAt, syncsAt + pictures)),
    audioSizes: numbers(audioIndex, blocks),
    audioDurations: numbers(audioIndex + blocks, blocks),
    audioBlockSamples: numbers(audioIndex + 2 * blocks, blocks),
  };
  if (arrays.videoSyncs.some(sync => sync > 1)) throw damaged('A table has a broken flag.', bytes);

  const fragments: FragmentRecord[] = [];
  let before = noSamples;
  let last: FragmentRecord | undefined;
  for (let i = 0; i < fragmentCount; i++, at += fragmentBytes) {
    const videoSamples = view.getUint32(at + 28, true);
    const audioBlocks = view.getUint32(at + 32, true);
    const { videoSamples: picture, audioBlocks: block } = before;
    if (videoSamples === 0 || picture + videoSamples > pictures || block + audioBlocks > blocks)
      throw damaged('A fragment of a table has other samples than the table.', bytes);
    const fragment = fragmentRecord(
      {
        videoStart90k: view.getFloat64(at, true),
        audioStart8k: view.getFloat64(at + 8, true),
        videoSamples,
        videoSizes: arrays.videoSizes.subarray(picture, picture + videoSamples),
        videoDurations: arrays.videoDurations.subarray(picture, picture + videoSamples),
        videoSyncs: arrays.videoSyncs.subarray(picture, picture + videoSamples),
        audioBlocks,
        audioSizes: arrays.audioSizes.subarray(block, block + audioBlocks),
        audioDurations: arrays.audioDurations.subarray(block, block + audioBlocks),
        audioBlockSamples: arrays.audioBlockSamples.subarray(block, block + audioBlocks),
      },
      {
        number: view.getUint32(at + 16, true),
        offset: view.getUint32(at + 20, true),
        lengthBytes: view.getUint32(at + 24, true),
      },
      before,
    );
    if (!follows(last, fragment)) throw damaged('The fragments of a table are out of order.', bytes);
    fragments.push(fragment);
    last = fragment;
    before = countsAfter(fragment);
  }
  if (before.videoSamples !== pictures || before.audioBlocks !== blocks)
    throw damaged('The fragments of a table have fewer samples than the table.', bytes);
  return { fragments, ...arrays };
}

/** The end box, a new array of {@link endBoxBytes}. */
export function endBox(end: SegmentEnd, checksum: Checksum): Uint8Array {
  const { counts } = end;
  const bytes = new Uint8Array(endBoxBytes);
  const view = viewOf(bytes);
  beginOwnBox(bytes, view, 'last');
  let at = ownBoxHeaderBytes;
  for (const value of [end.tag, end.trailerOffset, end.trailerBytes, end.gaps])
    at = putNumber(view, at, value);
  view.setFloat64(at, end.duration90k, true);
  at += 8;
  for (const value of countsInOrder(counts)) at = putNumber(view, at, value);
  putNumber(view, at, checksum(bytes.subarray(0, at)));
  return bytes;
}

/**
 * What the end box says, or undefined when there is none. `bytes`: the last {@link endBoxBytes} of the file. Whether
 * the tag is the segment's, and the trailer just in front, is for the caller to compare.
 */
export function readEndBox(bytes: Uint8Array, checksum: Checksum): SegmentEnd | undefined {
  const view = viewOf(bytes);
  if (bytes.length !== endBoxBytes || !isOwnBox(view, 0, 'last')) return undefined;
  if (view.getUint32(0) !== endBoxBytes || !hasChecksum(bytes, view, checksum)) return undefined;
  const numbers = numbersAt(view, ownBoxHeaderBytes, 4);
  const duration90k = view.getFloat64(ownBoxHeaderBytes + 16, true);
  const counts = numbersAt(view, ownBoxHeaderBytes + 24, 6);
  if (!(Number.isSafeInteger(duration90k) && duration90k >= 0)) return undefined;
  return {
    tag: numbers[0]!,
    trailerOffset: numbers[1]!,
    trailerBytes: numbers[2]!,
    gaps: numbers[3]!,
    duration90k,
    counts: {
      fragments: counts[0]!,
      videoSamples: counts[1]!,
      syncSamples: counts[2]!,
      audioBlocks: counts[3]!,
      audioSamples: counts[4]!,
      audioBytes: counts[5]!,
    },
  };
}

/** Whether a fragment may come behind another: numbers, places and times rise. */
function follows(last: FragmentRecord | undefined, { number, ...fragment }: FragmentRecord): boolean {
  const { videoStart90k, audioStart8k, offset, lengthBytes } = fragment;
  if (!isTime(videoStart90k) || !isTime(audioStart8k)) return false;
  if (offset + lengthBytes > 0xffff_ffff) return false;
  if (!last) return true;
  return (
    number > last.number && offset >= last.offset + last.lengthBytes && videoStart90k >= last.videoStart90k
  );
}

function isTime(ticks: number): boolean {
  return Number.isSafeInteger(ticks) && ticks >= 0;
}

function countsInOrder(counts: SampleCounts): number[] {
  const { fragments, videoSamples, syncSamples, audioBlocks, audioSamples, audioBytes } = counts;
  return [fragments, videoSamples, syncSamples, audioBlocks, audioSamples, audioBytes];
}

function trailerBytesOf(fragments: number, pictures: number, blocks: number): number {
  const flags = 4 * Math.ceil(pictures / 4);
  return (
    tableHeadBytes +
    fragmentBytes * fragments +
    pictureBytes * pictures +
    blockBytes * blocks +
    flags +
    crcBytes
  );
}

function beginOwnBox(bytes: Uint8Array, view: DataView, kind: OwnBox): void {
  view.setUint32(0, bytes.length);
  view.setUint32(4, uuidType);
  bytes.set(ownType(kind), boxHeaderBytes);
}

/** Whether the last field is the checksum of all before it. */
function hasChecksum(bytes: Uint8Array, view: DataView, checksum: Checksum): boolean {
  const crcAt = bytes.length - crcBytes;
  return view.getUint32(crcAt, true) === checksum(bytes.subarray(0, crcAt));
}

function numbersAt(view: DataView, at: number, count: number): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = view.getUint32(at + 4 * i, true);
  return numbers;
}

/** Returns the offset behind it. */
function putNumber(view: DataView, at: number, value: number): number {
  view.setUint32(at, value, true);
  return at + 4;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(message: string, bytes: Uint8Array): CameraError {
  return new CameraError('recording-damaged', message, { bytes: bytes.length });
}
