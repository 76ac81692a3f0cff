/**
 * Writes the head of a fragment (fragment-layout.ts): a moof and the header of its mdat, in one buffer that is used
 * again. A box of ours in the moof carries checksums, by which a reader knows the fragment to be whole, and the samples
 * of each block of sound, which a trun has no room for. Pure; one thread, one writer a segment.
 */
import { CameraError } from '../base/errors.ts';
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
import { ownType, uuidType } from './own-boxes.ts';
import { audioTrackId, videoTrackId } from './segment-head.ts';

/** What a fragment is made of. The arrays are read up to their counts only, and not kept. */
export interface FragmentHeadInput extends FragmentContents {
  /** Number of the fragment + 1. */
  readonly sequenceNumber: number;
  /** Of all pictures and FLAC frames together. */
  readonly payloadBytes: number;
  /** Over the same bytes in the same order. */
  readonly payloadCrc32: number;
}

const checkType = ownType('chck');

/** Writes heads; see the file's comment. */
export class FragmentHeadWriter {
  private readonly hasAudio: boolean;
  private readonly tag: number;
  private readonly checksum: Checksum;
  private buffer = new Uint8Array(0);
  private view = new DataView(this.buffer.buffer);

  /** `hasAudio`: whether the segment has a track of sound. `tag`: of the segment, see segment-head.ts. */
  constructor(hasAudio: boolean, tag: number, checksum: Checksum) {
    this.hasAudio = hasAudio;
    this.tag = tag;
    this.checksum = checksum;
    this.grow(2048);
  }

  /** Bytes of the moof that `write` makes of these counts; 8 bytes of mdat header follow it. */
  moofBytes(videoSamples: number, audioBlocks: number): number {
    return moofBytesOf(this.hasAudio, videoSamples, audioBlocks);
  }

  /**
   * The moof and the header of the mdat, borrowed until the next call. Throws CameraError 'internal' for counts out of
   * bounds, and when the sizes do not add up to `payloadBytes`.
   */
  write(f: FragmentHeadInput): Uint8Array {
    const { videoSamples, audioBlocks } = f;
    const blocksMax = this.hasAudio ? fragmentSamplesMax : 0;
    if (!(videoSamples >= 1 && videoSamples <= fragmentSamplesMax && audioBlocks <= blocksMax))
      throw new CameraError('internal', 'A fragment has too many samples or none.', {
        videoSamples,
        audioBlocks,
      });
    const moofBytes = this.moofBytes(videoSamples, audioBlocks);
    const totalBytes = moofBytes + boxHeaderBytes;
    if (this.buffer.length < totalBytes) this.grow(2 * totalBytes);
    const { view } = this;

    view.setUint32(0, moofBytes);
    view.setUint32(sequenceNumberAt, f.sequenceNumber);
    let at = this.writeCheck(f);
    const videoBytes = this.writeVideo(f, at, totalBytes);
    at += trafBytes + videoEntryBytes * videoSamples;
    let payloadBytes = videoBytes;
    if (this.hasAudio) payloadBytes += this.writeAudio(f, at, totalBytes + videoBytes);
    if (payloadBytes !== f.payloadBytes || payloadBytes + boxHeaderBytes > 0xffff_ffff)
      throw new CameraError('internal', 'The samples of a fragment do not add up to its payload.', {
        payloadBytes: f.payloadBytes,
        sum: payloadBytes,
      });
    view.setUint32(moofBytes, boxHeaderBytes + payloadBytes);
    view.setUint32(moofBytes + 4, mdatType);
    view.setUint32(moofCrcAt, this.checksum(this.buffer.subarray(0, moofBytes)));
    return this.buffer.subarray(0, totalBytes);
  }

  /** Returns the offset behind the box. */
  private writeCheck(f: FragmentHeadInput): number {
    const { view } = this;
    const end = trafsAt(f.audioBlocks);
    view.setUint32(checkAt, end - checkAt);
    view.setUint32(moofCrcAt, 0);
    view.setUint32(payloadCrcAt, f.payloadCrc32);
    if (f.audioBlocks & 1) view.setUint16(end - 2, 0);
    for (let i = 0, at = blockSamplesAt; i < f.audioBlocks; i++, at += 2)
      view.setUint16(at, f.audioBlockSamples[i]!);
    return end;
  }

  /** Returns the bytes of all pictures. */
  private writeVideo(f: FragmentHeadInput, start: number, dataOffset: number): number {
    const { view } = this;
    const count = f.videoSamples;
    let at = this.writeTraf(
      start,
      videoTrackId,
      f.videoStart90k,
      videoTrunFlags,
      count,
      videoEntryBytes,
      dataOffset,
    );
    let bytes = 0;
    for (let i = 0; i < count; i++, at += videoEntryBytes) {
      const size = f.videoSizes[i]!;
      bytes += size;
      view.setUint32(at, f.videoDurations[i]!);
      view.setUint32(at + 4, size);
      view.setUint32(at + 8, f.videoSyncs[i] === 1 ? syncSampleFlags : otherSampleFlags);
    }
    return bytes;
  }

  /** Returns the bytes of all FLAC frames. */
  private writeAudio(f: FragmentHeadInput, start: number, dataOffset: number): number {
    const { view } = this;
    const count = f.audioBlocks;
    let at = this.writeTraf(
      start,
      audioTrackId,
      f.audioStart8k,
      audioTrunFlags,
      count,
      audioEntryBytes,
      dataOffset,
    );
    let bytes = 0;
    for (let i = 0; i < count; i++, at += audioEntryBytes) {
      const size = f.audioSizes[i]!;
      bytes += size;
      view.setUint32(at, f.audioDurations[i]!);
      view.setUint32(at + 4, size);
    }
    return bytes;
  }

  /** A traf without the entries of its trun; returns their offset. */
  private writeTraf(
    start: number,
    trackId: number,
    decodeTime: number,
    trunFlags: number,
    count: number,
    entryBytes: number,
    dataOffset: number,
  ): number {
    const { view } = this;
    let at = start;
    view.setUint32(at, trafBytes + entryBytes * count);
    view.setUint32(at + 4, trafType);
    at += boxHeaderBytes;
    view.setUint32(at, tfhdBytes);
    view.setUint32(at + 4, tfhdType);
    view.setUint32(at + 8, tfhdFlags);
    view.setUint32(at + 12, trackId);
    at += tfhdBytes;
    view.setUint32(at, tfdtBytes);
    view.setUint32(at + 4, tfdtType);
    view.setUint32(at + 8, tfdtVersion);
    view.setUint32(at + 12, Math.floor(decodeTime / 2 ** 32));
    view.setUint32(at + 16, decodeTime);
    at += tfdtBytes;
    view.setUint32(at, trunBytes + entryBytes * count);
    view.setUint32(at + 4, trunType);
    view.setUint32(at + 8, trunFlags);
    view.setUint32(at + 12, count);
    view.setUint32(at + 16, dataOffset);
    return at + trunBytes;
  }

  /** A larger buffer, with what is the same in every head. */
  private grow(bytes: number): void {
    this.buffer = new Uint8Array(bytes);
    this.view = new DataView(this.buffer.buffer);
    this.view.setUint32(4, moofType);
    this.view.setUint32(boxHeaderBytes, mfhdBytes);
    this.view.setUint32(boxHeaderBytes + 4, mfhdType);
    this.view.setUint32(checkAt + 4, uuidType);
    this.buffer.set(checkType, checkAt + boxHeaderBytes);
    this.view.setUint32(tagAt, this.tag);
  }
}
