/**
 * Passes over the scaling lists of a sequence parameter set (ITU-T H.264 §7.3.2.1.1.1): their values are of use to a
 * decoder only, but what follows them is wanted. Pure, any thread.
 */
import type { BitReader } from '../../base/bit-reader.ts';

/** Reads seq_scaling_list_present_flag[i] and the lists, six of 4×4 and two (4:4:4: six) of 8×8. */
export function skipScalingLists(reader: BitReader, chromaFormatIdc: number): void {
  const lists = chromaFormatIdc === 3 ? 12 : 8;
  for (let i = 0; i < lists; i++) if (reader.readFlag()) skipScalingList(reader, i < 6 ? 16 : 64);
}

function skipScalingList(reader: BitReader, size: number): void {
  let lastScale = 8;
  for (let j = 0; j < size; j++) {
    const nextScale = (lastScale + reader.readSigned() + 256) % 256;
    // Zero ends the list: all further values repeat the last one.
    if (nextScale === 0) return;
    lastScale = nextScale;
  }
}
