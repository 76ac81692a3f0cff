/**
 * The head of a fragment of a fragmented clip: constants and a diagram, and its size, which counts alone decide. A moof
 * of ISO/IEC 14496-12 §8.8.4 to §8.8.12 and the header of the mdat behind it.
 *
 * ```text
 * moof | mfhd | traf video: tfhd tfdt trun | traf of FLAC: tfhd tfdt trun    | mdat | range of the segment's file
 *   8     16     68 + 12 a picture            68 + 8 a block                   8
 *                                          | traf of G.711: tfhd tfdt trun trun |    | range, then G.711
 *                                             8      28   20   20   28
 * ```
 *
 * G.711 goes in samples of 20 ms, for a sample of each byte would be thousands of packets; the second trun has the rest.
 */
import type { SampleCounts } from '../isobmff/recorded-segment.ts';
import type { ClipOptions } from './clip-types.ts';

export const moofHeaderBytes = 8;
export const mdatHeaderBytes = 8;
export const mfhdBytes = 16;
export const trafHeaderBytes = 8;
/** With the index of the sample entry. */
export const tfhdBytes = 20;
/** With that, and duration and size of every sample. */
export const rawTfhdBytes = 28;
export const tfdtBytes = 20;
/** Without entries. */
export const trunBytes = 20;
/** Duration, size, flags. */
export const videoEntryBytes = 12;
/** Duration, size. */
export const audioEntryBytes = 8;
/** Of G.711: bytes, and ticks, of a sample. */
export const rawSampleBytes = 160;

const videoTrafBytes = trafHeaderBytes + tfhdBytes + tfdtBytes + trunBytes;
const blockTrafBytes = videoTrafBytes;
const rawTrafBytes = trafHeaderBytes + rawTfhdBytes + tfdtBytes + trunBytes + trunBytes + audioEntryBytes;

/** Bytes of the heads of so many fragments together. `hasSound`: whether these fragments have a traf of sound. */
export function fragmentHeadsBytes(
  { fragments, videoSamples, audioBlocks }: Pick<SampleCounts, 'fragments' | 'videoSamples' | 'audioBlocks'>,
  { audio }: ClipOptions,
  hasSound: boolean,
): number {
  let fixed = moofHeaderBytes + mfhdBytes + videoTrafBytes + mdatHeaderBytes;
  if (hasSound) fixed += audio === 'raw' ? rawTrafBytes : blockTrafBytes;
  const blocks = hasSound && audio === 'flac' ? audioBlocks : 0;
  return fixed * fragments + videoEntryBytes * videoSamples + audioEntryBytes * blocks;
}
