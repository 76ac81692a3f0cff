/**
 * Video usability information of H.264 (ITU-T H.264 §E.1.1): the frame rate, and whether pictures may leave a decoder
 * in another order than they entered it. Pure, any thread.
 */
import type { BitReader } from '../../base/bit-reader.ts';
import { CameraError } from '../../base/errors.ts';
import { framesPerSecondMax } from '../limits.ts';

/** What is kept of the VUI. */
export interface VideoUsability {
  /** Frames a second, or 0 when the stream does not say. */
  readonly framesPerSecond: number;
  /** max_num_reorder_frames, or undefined when the stream does not say. */
  readonly maxReorderFrames: number | undefined;
}

const extendedSampleAspectRatio = 255;

/** Parses vui_parameters(). Throws CameraError 'stream-invalid'. */
export function parseVideoUsability(reader: BitReader): VideoUsability {
  // aspect_ratio_idc, sar_width, sar_height
  if (reader.readFlag() && reader.readBits(8) === extendedSampleAspectRatio) reader.skipBits(32);
  // overscan_appropriate_flag
  if (reader.readFlag()) reader.skipBits(1);
  // video_format, video_full_range_flag; colour_primaries, transfer_characteristics, matrix_coefficients
  if (reader.readFlag()) {
    reader.skipBits(4);
    if (reader.readFlag()) reader.skipBits(24);
  }
  // chroma_sample_loc_type_top_field and _bottom_field
  if (reader.readFlag()) {
    reader.readUnsigned();
    reader.readUnsigned();
  }
  let framesPerSecond = 0;
  if (reader.readFlag()) {
    const unitsInTick = reader.readBits(32);
    const timeScale = reader.readBits(32);
    reader.skipBits(1); // fixed_frame_rate_flag
    // A tick is a field, two of them a frame, in progressive video too (§E.2.1, table E-6).
    const rate = unitsInTick === 0 ? 0 : timeScale / (2 * unitsInTick);
    if (rate <= framesPerSecondMax) framesPerSecond = rate;
  }
  const nalHrd = reader.readFlag();
  if (nalHrd) skipHypotheticalDecoder(reader);
  const vclHrd = reader.readFlag();
  if (vclHrd) skipHypotheticalDecoder(reader);
  if (nalHrd || vclHrd) reader.skipBits(1); // low_delay_hrd_flag
  reader.skipBits(1); // pic_struct_present_flag
  if (!reader.readFlag()) return { framesPerSecond, maxReorderFrames: undefined };
  reader.skipBits(1); // motion_vectors_over_pic_boundaries_flag
  // max_bytes_per_pic_denom, max_bits_per_mb_denom, log2_max_mv_length_horizontal, log2_max_mv_length_vertical
  for (let i = 0; i < 4; i++) reader.readUnsigned();
  return { framesPerSecond, maxReorderFrames: reader.readUnsigned() };
}

/** hrd_parameters() (§E.1.2). */
function skipHypotheticalDecoder(reader: BitReader): void {
  const last = reader.readUnsigned();
  if (last > 31) throw new CameraError('stream-invalid', 'cpb_cnt_minus1 is more than 31.', { value: last });
  reader.skipBits(8); // bit_rate_scale, cpb_size_scale
  for (let i = 0; i <= last; i++) {
    reader.readUnsigned();
    reader.readUnsigned();
    reader.skipBits(1);
  }
  reader.skipBits(20); // four lengths of five bits
}
