/**
 * Reads back the head of a fragment (fragment-layout.ts) from bytes that may be anything: what is not a whole head in
 * just our form, with the right checksum, is none. All bounds follow from two counts that are checked first. Pure, any
 * thread.
 */
import { boxHeaderBytes } from './box-writer.ts';
import type { Checksum } from './checksum.ts';
import type { FragmentContents } from './fragment-contents.ts';
import {
  audioEntryBytes,
  audioTrunFlags,
  blockSamplesAt,
  checkAt,
  fragmentSamplesMax,
  mdatType,
  mfhdBytes,
  mfhdType,
  moofBytesMax,
  moofBytesOf,
  moofCrcAt,
  moofType,
  payloadCrcAt,
  sequenceNumberAt,
  tagAt,
  tfdtBytes,
  tfdtType,
  tfdtVersion,
  tfhdBytes,
  tfhdFlags,
  tfhdType,
  trafBytes,
  trafsAt,
  trafType,
  trunBytes,
  trunType,
  videoEntryBytes,
  videoTrunFlags,
} from './fragment-layout.ts';
import { otherSampleFlags, syncSampleFlags } from './movie-boxes.ts';
import { isOwnBox } from './own-boxes.ts';
import { audioTrackId, videoTrackId } from './segment-head.ts';

/** A head as it was read; its arrays are as long as their counts say. */
export interface FragmentHead extends FragmentContents {
  /** Of the fragment, from 0. */
  readonly number: number;
  /** Of the segment that it was written for. */
  readonly tag: number;
  /** The moof; 8 bytes of mdat header follow, then the payload. */
  readonly moofBytes: number;
  readonly payloadBytes: number;
  /** Over the payload; the reader does not look at it. */
  readonly payloadCrc32: number;
  readonly videoSizes: Uint32Array;
  readonly videoDurations: Uint32Array;
  readonly videoSyncs: Uint8Array;
  readonly audioSizes: Uint32Array;
  readonly audioDurations: Uint32Array;
  readonly audioBlockSamples: Uint32Array;
}

/** What stands for the checksum of a moof while that is made. */
const noChecksum = new Uint8Array(4);

/**
 * The head at the front of `bytes`: a moof of ours and the header of its mdat; undefined where there is none or it is
 * cut off. `hasAudio`: whether the segment has a track of sound. `tag`: of the segment; undefined takes a fragment of
 * any. Nothing is borrowed; nothing throws.
 */
export function readFragmentHead(
  bytes: Uint8Array,
  hasAudio: boolean,
  tag: number | undefined,
  checksum: Checksum,
): FragmentHead | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const counts = readCounts(view, hasAudio);
  if (!counts) return undefined;
  // From here on the moof and the mdat header are known to lie within the bytes, and every box in its place.
  const { moofBytes, videoSamples, audioBlocks } = counts;
  if (tag !== undefined && view.getUint32(tagAt) !== tag) return undefined;
  let crc = checksum(bytes.subarray(0, moofCrcAt));
  crc = checksum(noChecksum, crc);
  crc = checksum(bytes.subarray(moofCrcAt + 4, moofBytes), crc);
  if (view.getUint32(moofCrcAt) !== crc) return undefined;

  const sequenceNumber = view.getUint32(sequenceNumberAt);
  const videoAt = trafsAt(audioBlocks);
  const audioAt = videoAt + trafBytes + videoEntryBytes * videoSamples;
  const dataOffset = moofBytes + boxHeaderBytes;
  const videoStart90k = readTraf(view, videoAt, videoTrackId, videoTrunFlags, videoSamples, dataOffset);
  if (videoStart90k === undefined || sequenceNumber === 0) return undefined;

  const videoSizes = new Uint32Array(videoSamples);
  const videoDurations = new Uint32Array(videoSamples);
  const videoSyncs = new Uint8Array(videoSamples);
  let payloadBytes = 0;
  for (let i = 0, at = videoAt + trafBytes; i < videoSamples; i++, at += videoEntryBytes) {
    const flags = view.getUint32(at + 8);
    if (flags !== syncSampleFlags && flags !== otherSampleFlags) return undefined;
    videoDurations[i] = view.getUint32(at);
    videoSizes[i] = view.getUint32(at + 4);
    videoSyncs[i] = flags === syncSampleFlags ? 1 : 0;
    payloadBytes += videoSizes[i]!;
  }

  let audioStart8k = 0;
  const audioSizes = new Uint32Array(audioBlocks);
  const audioDurations = new Uint32Array(audioBlocks);
  const audioBlockSamples = new Uint32Array(audioBlocks);
  if (hasAudio) {
    const start = readTraf(
      view,
      audioAt,
      audioTrackId,
      audioTrunFlags,
      audioBlocks,
      dataOffset + payloadBytes,
    );
    if (start === undefined) return undefined;
    audioStart8k = start;
    for (let i = 0, at = audioAt + trafBytes; i < audioBlocks; i++, at += audioEntryBytes) {
      audioDurations[i] = view.getUint32(at);
      audioSizes[i] = view.getUint32(at + 4);
      audioBlockSamples[i] = view.getUint16(blockSamplesAt + 2 * i);
      payloadBytes += audioSizes[i]!;
    }
  }

  if (view.getUint32(moofBytes + 4) !== mdatType) return undefined;
  if (view.getUint32(moofBytes) !== boxHeaderBytes + payloadBytes) return undefined;
  return {
    number: sequenceNumber - 1,
    tag: view.getUint32(tagAt),
    moofBytes,
    payloadBytes,
    payloadCrc32: view.getUint32(payloadCrcAt),
    videoStart90k,
    audioStart8k,
    videoSamples,
    videoSizes,
    videoDurations,
    videoSyncs,
    audioBlocks,
    audioSizes,
    audioDurations,
    audioBlockSamples,
  };
}

/** The counts that the sizes of the boxes tell, when those agree with one another and lie within the bytes. */
function readCounts(
  view: DataView,
  hasAudio: boolean,
): { moofBytes: number; videoSamples: number; audioBlocks: number } | undefined {
  if (view.byteLength < blockSamplesAt || view.getUint32(4) !== moofType) return undefined;
  const moofBytes = view.getUint32(0);
  if (moofBytes > moofBytesMax || moofBytes + boxHeaderBytes > view.byteLength) return undefined;
  if (view.getUint32(boxHeaderBytes) !== mfhdBytes || view.getUint32(boxHeaderBytes + 4) !== mfhdType)
    return undefined;
  if (!isOwnBox(view, checkAt, 'chck')) return undefined;

  const videoAt = checkAt + view.getUint32(checkAt);
  const videoSamples = countOf(view, videoAt, moofBytes, videoEntryBytes);
  if (videoSamples === undefined || videoSamples === 0) return undefined;
  const audioAt = videoAt + view.getUint32(videoAt);
  const audioBlocks = hasAudio ? countOf(view, audioAt, moofBytes, audioEntryBytes) : 0;
  if (audioBlocks === undefined) return undefined;
  // With these counts there is but one form, and the boxes have to be just where it has them.
  if (videoAt !== trafsAt(audioBlocks)) return undefined;
  if (moofBytes !== moofBytesOf(hasAudio, videoSamples, audioBlocks)) return undefined;
  return { moofBytes, videoSamples, audioBlocks };
}

/** The entries of the trun of a traf at `at`, by the size of the traf. */
function countOf(view: DataView, at: number, end: number, entryBytes: number): number | undefined {
  if (at + trafBytes > end) return undefined;
  const count = (view.getUint32(at) - trafBytes) / entryBytes;
  return Number.isInteger(count) && count >= 0 && count <= fragmentSamplesMax ? count : undefined;
}

/** The decode time of a traf whose size is known to be right, or undefined when it is not in our form. */
function readTraf(
  view: DataView,
  start: number,
  trackId: number,
  trunFlags: number,
  count: number,
  dataOffset: number,
): number | undefined {
  const tfhd = start + boxHeaderBytes;
  const tfdt = tfhd + tfhdBytes;
  const trun = tfdt + tfdtBytes;
  const isOurs =
    view.getUint32(start + 4) === trafType &&
    view.getUint32(tfhd) === tfhdBytes &&
    view.getUint32(tfhd + 4) === tfhdType &&
    view.getUint32(tfhd + 8) === tfhdFlags &&
    view.getUint32(tfhd + 12) === trackId &&
    view.getUint32(tfdt) === tfdtBytes &&
    view.getUint32(tfdt + 4) === tfdtType &&
    view.getUint32(tfdt + 8) === tfdtVersion &&
    view.getUint32(trun) === view.getUint32(start) - (trafBytes - trunBytes) &&
    view.getUint32(trun + 4) === trunType &&
    view.getUint32(trun + 8) === trunFlags &&
    view.getUint32(trun + 12) === count &&
    view.getUint32(trun + 16) === dataOffset;
  if (!isOurs) return undefined;
  const decodeTime = view.getUint32(tfdt + 12) * 2 ** 32 + view.getUint32(tfdt + 16);
  return Number.isSafeInteger(decodeTime) ? decodeTime : undefined;
}
