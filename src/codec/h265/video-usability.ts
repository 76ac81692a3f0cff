/**
 * Video usability information of H.265 (ITU-T H.265 §E.2.1): the frame rate. What follows the timing fields is left
 * unread; the order of output is told by the sequence parameter set itself in H.265. Pure, any thread.
 */
import type { BitReader } from '../../base/bit-reader.ts';
import { framesPerSecondMax } from '../limits.ts';

/** What is kept of the VUI. */
export interface VideoUsability {
  /** Frames a second, or 0 when the stream does not say. */
  readonly framesPerSecond: number;
}

const extendedSampleAspectRatio = 255;

/** Parses the front of vui_parameters(). Throws CameraError 'stream-invalid'. */
export function parseVideoUsability(reader: BitReader): VideoUsability {
  // aspect_ratio_idc, sar_width, sar_height
  if (reader.readFlag() && reader.readBits(8) === extendedSampleAspectRatio) reader.skipBits(32);
  // overscan_appropriate_flag
  if (reader.readFlag()) reader.skipBits(1);
  // video_format, video_full_range_flag; colour_primaries, transfer_characteristics, matrix_coeffs
  if (reader.readFlag()) {
    reader.skipBits(4);
    if (reader.readFlag()) reader.skipBits(24);
  }
  // chroma_sample_loc_type_top_field and _bottom_field
  if (reader.readFlag()) {
    reader.readUnsigned();
    reader.readUnsigned();
  }
  reader.skipBits(3); // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
  // default display window: four offsets
  if (reader.readFlag()) for (let i = 0; i < 4; i++) reader.readUnsigned();
  if (!reader.readFlag()) return { framesPerSecond: 0 };
  const unitsInTick = reader.readBits(32);
  const timeScale = reader.readBits(32);
  // A tick is a picture (§E.3.1), not a field as in H.264.
  const rate = unitsInTick === 0 ? 0 : timeScale / unitsInTick;
  return { framesPerSecond: rate <= framesPerSecondMax ? rate : 0 };
}
