/**
 * Tells H.264 from H.265 in an Annex-B byte stream, by the header of its first sequence parameter set.
 *
 * A VPS or SPS of H.265 begins with 0x40 or 0x42 and a second byte with layer 0 and temporal id 0 (ITU-T H.265
 * §7.3.1.2, §7.4.2.2); in H.264 those bytes would be a slice data partition or a reserved type. An SPS of H.264 has type
 * 7 and a nal_ref_idc above 0 (H.264 §7.4.1), which as an H.265 header is odd: a layer that begins no stream. A PPS is
 * not looked at: that of H.264 (0x28) is the IDR picture of H.265. Pure.
 */
import { Codec, type VideoCodec } from '../base/tracks.ts';

/** The codec of the first sequence (or video) parameter set in `bytes`; undefined when there is none yet. */
export function detectVideoCodec(bytes: Uint8Array): VideoCodec | undefined {
  for (let at = 0; at + 4 < bytes.length; at++) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue;
    const codec = codecOfHeader(bytes[at + 3]!, bytes[at + 4]!);
    if (codec !== undefined) return codec;
  }
  return undefined;
}

function codecOfHeader(first: number, second: number): VideoCodec | undefined {
  if ((first === 0x40 || first === 0x42) && second === 0x01) return Codec.h265;
  return (first & 0x1f) === 7 && first >= 0x20 && first < 0x80 ? Codec.h264 : undefined;
}
