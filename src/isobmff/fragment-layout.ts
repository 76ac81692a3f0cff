/**
 * Where everything lies in the head of a fragment: constants and a diagram, no behaviour. A moof of ISO/IEC 14496-12
 * §8.8.4 to §8.8.12 in the one form that the recorder writes, and the header of the mdat behind it.
 *
 * ```text
 * moof | mfhd | uuid "chck" | traf video: tfhd tfdt trun | traf sound, where the segment has any: tfhd tfdt trun |
 *   8     16     36 + 2 a block, to a multiple of 4     64 + 12 a picture     64 + 8 a block
 * mdat | all pictures | all FLAC frames
 *   8
 *
 * uuid "chck": size, 'uuid', type 16, tag u32 of the segment (segment-head.ts),
 *   crc u32 of the moof with this field 0, crc u32 of the payload of the mdat, samples u16 of each block of sound
 * ```
 *
 * The size of a moof is told by its counts alone.
 */
import { boxHeaderBytes } from './box-writer.ts';
import { ownBoxHeaderBytes } from './own-boxes.ts';

/** Pictures, and blocks of sound, of one fragment at most. */
export const fragmentSamplesMax = 65_535;

// Types of boxes as numbers.
export const moofType = 0x6d6f6f66;
export const mfhdType = 0x6d666864;
export const trafType = 0x74726166;
export const tfhdType = 0x74666864;
export const tfdtType = 0x74666474;
export const trunType = 0x7472756e;
export const mdatType = 0x6d646174;

export const mfhdBytes = 16;
export const tfhdBytes = 16;
export const tfdtBytes = 20;
/** A trun without its entries. */
export const trunBytes = 20;
/** A traf without the entries of its trun. */
export const trafBytes = boxHeaderBytes + tfhdBytes + tfdtBytes + trunBytes;
/** An entry of a trun: duration and size, and flags in video. */
export const videoEntryBytes = 12;
export const audioEntryBytes = 8;

// Offsets from the beginning of the moof.
export const sequenceNumberAt = boxHeaderBytes + 12;
export const checkAt = boxHeaderBytes + mfhdBytes;
export const tagAt = checkAt + ownBoxHeaderBytes;
export const moofCrcAt = tagAt + 4;
export const payloadCrcAt = moofCrcAt + 4;
export const blockSamplesAt = payloadCrcAt + 4;

/** default-base-is-moof: data offsets count from the moof. */
export const tfhdFlags = 0x020000;
/** Version 1: 64 bits. */
export const tfdtVersion = 0x0100_0000;
/** Version 0; data offset; duration and size of each sample, and its flags. */
export const videoTrunFlags = 0x000701;
/** The same without flags: trex says that every sample is a sync sample. */
export const audioTrunFlags = 0x000301;

/** Offset of the first traf. */
export function trafsAt(audioBlocks: number): number {
  return blockSamplesAt + 4 * ((audioBlocks + 1) >> 1);
}

/** Bytes of the moof of a fragment with these counts; `hasAudio`: whether the segment has a track of sound. */
export function moofBytesOf(hasAudio: boolean, videoSamples: number, audioBlocks: number): number {
  const video = trafBytes + videoEntryBytes * videoSamples;
  return trafsAt(audioBlocks) + video + (hasAudio ? trafBytes + audioEntryBytes * audioBlocks : 0);
}

/** The largest moof there can be. */
export const moofBytesMax = moofBytesOf(true, fragmentSamplesMax, fragmentSamplesMax);
