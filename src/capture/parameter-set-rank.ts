/**
 * The order in which parameter sets stand at the beginning of a random access record: VPS, SPS, PPS, then the rest.
 *
 * NAL unit types of ITU-T H.264 table 7-1 and H.265 table 7-1. A set may refer only to what stands before it. Any
 * thread; pure.
 */
import { Codec, type VideoCodec } from '../base/tracks.ts';

/** Rank of everything that is no parameter set. */
export const otherRank = 3;

/** Rank of the NAL unit that begins with `headerByte`: 0 VPS, 1 SPS (and its extensions), 2 PPS, 3 the rest. */
export function parameterSetRank(codec: VideoCodec, headerByte: number): number {
  if (codec === Codec.h265) {
    const type = (headerByte >> 1) & 0x3f;
    return type >= 32 && type <= 34 ? type - 32 : otherRank;
  }
  const type = headerByte & 0x1f;
  if (type === 7 || type === 13 || type === 15) return 1;
  return type === 8 ? 2 : otherRank;
}
