/**
 * The sequence parameter set of H.264 (ITU-T H.264 §7.3.2.1.1, §7.4.2.1.1): size, profile, level, frame rate, and the
 * fields that a slice header needs. Pure, any thread. Every loop is bounded by the standard's own limit; what breaks
 * one throws CameraError 'stream-invalid'. Subset sets (SVC, MVC) are left out.
 */
import { BitReader } from '../../base/bit-reader.ts';
import { CameraError } from '../../base/errors.ts';
import type { VideoFormat } from '../access-unit.ts';
import { payloadOf } from '../emulation-prevention.ts';
import { pictureSideMax } from '../limits.ts';
import { nalHeaderBytes } from './nal-unit.ts';
import { skipScalingLists } from './scaling-list.ts';
import { parseVideoUsability, type VideoUsability } from './video-usability.ts';

/** The fields that are kept, under the standard's names. */
export interface SequenceParameterSet {
  readonly id: number;
  readonly profileIdc: number;
  /** constraint_set0_flag (most significant bit) to constraint_set5_flag and two reserved bits. */
  readonly constraintFlags: number;
  readonly levelIdc: number;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormatIdc: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  readonly separateColourPlane: boolean;
  readonly frameNumBits: number;
  readonly pictureOrderCountType: number;
  readonly pictureOrderCountLsbBits: number;
  readonly deltaPictureOrderAlwaysZero: boolean;
  readonly frameMacroblocksOnly: boolean;
  /** Cropped size in luma samples. */
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** Whether pictures may be shown in another order than they are coded. */
  readonly reorders: boolean;
}

/** profile_idc values whose set carries chroma format, bit depths and scaling lists (§7.3.2.1.1). */
const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** Parses a whole NAL unit of type 7. Throws CameraError 'stream-invalid'. */
export function parseSequenceParameterSet(nalUnit: Uint8Array): SequenceParameterSet {
  const reader = new BitReader(payloadOf(nalUnit, nalHeaderBytes));
  const profileIdc = reader.readBits(8);
  const constraintFlags = reader.readBits(8);
  const levelIdc = reader.readBits(8);
  const id = reader.readUnsignedUpTo(31, 'seq_parameter_set_id');

  let chromaFormatIdc = 1;
  let separateColourPlane = false;
  let bitDepthLuma = 8;
  let bitDepthChroma = 8;
  if (highProfiles.has(profileIdc)) {
    chromaFormatIdc = reader.readUnsignedUpTo(3, 'chroma_format_idc');
    if (chromaFormatIdc === 3) separateColourPlane = reader.readFlag();
    bitDepthLuma += reader.readUnsignedUpTo(6, 'bit_depth_luma_minus8');
    bitDepthChroma += reader.readUnsignedUpTo(6, 'bit_depth_chroma_minus8');
    reader.skipBits(1); // qpprime_y_zero_transform_bypass_flag
    if (reader.readFlag()) skipScalingLists(reader, chromaFormatIdc);
  }

  const frameNumBits = 4 + reader.readUnsignedUpTo(12, 'log2_max_frame_num_minus4');
  const pictureOrderCountType = reader.readUnsignedUpTo(2, 'pic_order_cnt_type');
  let pictureOrderCountLsbBits = 0;
  let deltaPictureOrderAlwaysZero = false;
  if (pictureOrderCountType === 0) {
    pictureOrderCountLsbBits = 4 + reader.readUnsignedUpTo(12, 'log2_max_pic_order_cnt_lsb_minus4');
  } else if (pictureOrderCountType === 1) {
    deltaPictureOrderAlwaysZero = reader.readFlag();
    reader.readSigned(); // offset_for_non_ref_pic
    reader.readSigned(); // offset_for_top_to_bottom_field
    const cycle = reader.readUnsignedUpTo(255, 'num_ref_frames_in_pic_order_cnt_cycle');
    for (let i = 0; i < cycle; i++) reader.readSigned();
  }

  reader.readUnsignedUpTo(16, 'max_num_ref_frames');
  reader.skipBits(1); // gaps_in_frame_num_value_allowed_flag
  const sideMax = pictureSideMax / 16 - 1;
  const widthMacroblocks = 1 + reader.readUnsignedUpTo(sideMax, 'pic_width_in_mbs_minus1');
  const heightMapUnits = 1 + reader.readUnsignedUpTo(sideMax, 'pic_height_in_map_units_minus1');
  const frameMacroblocksOnly = reader.readFlag();
  if (!frameMacroblocksOnly) reader.skipBits(1); // mb_adaptive_frame_field_flag
  reader.skipBits(1); // direct_8x8_inference_flag

  // With fields a map unit is a pair of macroblocks, and cropping counts in pairs of lines (§7.4.2.1.1).
  const linesFactor = frameMacroblocksOnly ? 1 : 2;
  const chromaArrayType = separateColourPlane ? 0 : chromaFormatIdc;
  const cropUnitX = chromaArrayType === 1 || chromaArrayType === 2 ? 2 : 1;
  const cropUnitY = (chromaArrayType === 1 ? 2 : 1) * linesFactor;
  let width = 16 * widthMacroblocks;
  let height = 16 * heightMapUnits * linesFactor;
  if (reader.readFlag()) {
    width -= cropUnitX * (reader.readUnsigned() + reader.readUnsigned());
    height -= cropUnitY * (reader.readUnsigned() + reader.readUnsigned());
  }
  if (width <= 0 || height <= 0 || height > pictureSideMax)
    throw new CameraError('stream-invalid', `A picture of ${width}x${height} cannot be.`, { width, height });

  const usability: VideoUsability = reader.readFlag()
    ? parseVideoUsability(reader)
    : { framesPerSecond: 0, maxReorderFrames: undefined };
  return {
    id,
    profileIdc,
    constraintFlags,
    levelIdc,
    chromaFormatIdc,
    bitDepthLuma,
    bitDepthChroma,
    separateColourPlane,
    frameNumBits,
    pictureOrderCountType,
    pictureOrderCountLsbBits,
    deltaPictureOrderAlwaysZero,
    frameMacroblocksOnly,
    width,
    height,
    framesPerSecond: usability.framesPerSecond,
    // Order count type 2 makes output order the coding order (§8.2.1.3); else silence means that it may differ.
    reorders: pictureOrderCountType !== 2 && usability.maxReorderFrames !== 0,
  };
}

/** The set in the form that both codecs share. Throws CameraError 'stream-invalid'. */
export function parseFormat(nalUnit: Uint8Array): VideoFormat {
  const { width, height, framesPerSecond, profileIdc, constraintFlags, levelIdc } =
    parseSequenceParameterSet(nalUnit);
  return { width, height, framesPerSecond, profileIdc, profileCompatibility: constraintFlags, levelIdc };
}
