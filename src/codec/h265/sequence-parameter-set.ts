/**
 * The sequence parameter set of H.265 (ITU-T H.265 §7.3.2.2.1, §7.3.3, §7.3.7, §7.4.3.2.1): size, profile, level,
 * frame rate, and the fields that a slice header needs. Pure, any thread. Every loop is bounded by the standard's own
 * limit; what breaks one throws CameraError 'stream-invalid'. Left out: the extensions after the VUI, sets of layers
 * above the base, and a frame rate that only the video parameter set tells.
 */
import { BitReader } from '../../base/bit-reader.ts';
import { CameraError } from '../../base/errors.ts';
import type { VideoFormat } from '../access-unit.ts';
import { payloadOf } from '../emulation-prevention.ts';
import { pictureSideMax } from '../limits.ts';
import { nalHeaderBytes } from './nal-unit.ts';
import { skipScalingLists } from './scaling-list.ts';
import { parseVideoUsability } from './video-usability.ts';

/** The fields that are kept, under the standard's names. */
export interface SequenceParameterSet {
  readonly id: number;
  /** general_profile_idc, general_tier_flag (0 Main, 1 High), general_level_idc. */
  readonly profileIdc: number;
  readonly tierFlag: number;
  readonly levelIdc: number;
  /** sps_max_sub_layers_minus1: the highest TemporalId that may occur. */
  readonly highestTemporalId: number;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormatIdc: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  readonly separateColourPlane: boolean;
  readonly pictureOrderCountLsbBits: number;
  /** Bits of slice_segment_address. */
  readonly sliceSegmentAddressBits: number;
  /** Cropped size in luma samples. */
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** Whether pictures may be shown in another order than they are coded. */
  readonly reorders: boolean;
}

/** Parses a whole NAL unit of type 33 of the base layer. Throws CameraError 'stream-invalid'. */
export function parseSequenceParameterSet(nalUnit: Uint8Array): SequenceParameterSet {
  const reader = new BitReader(payloadOf(nalUnit, nalHeaderBytes));
  reader.skipBits(4); // sps_video_parameter_set_id
  const highestTemporalId = reader.readBits(3);
  if (highestTemporalId > 6) throw new CameraError('stream-invalid', 'sps_max_sub_layers_minus1 is 7.');
  reader.skipBits(1); // sps_temporal_id_nesting_flag
  const { profileIdc, tierFlag, levelIdc } = parseProfileTierLevel(reader, highestTemporalId);
  const id = reader.readUnsignedUpTo(15, 'sps_seq_parameter_set_id');

  const chromaFormatIdc = reader.readUnsignedUpTo(3, 'chroma_format_idc');
  const separateColourPlane = chromaFormatIdc === 3 && reader.readFlag();
  const codedWidth = reader.readUnsignedUpTo(pictureSideMax, 'pic_width_in_luma_samples');
  const codedHeight = reader.readUnsignedUpTo(pictureSideMax, 'pic_height_in_luma_samples');
  const chromaArrayType = separateColourPlane ? 0 : chromaFormatIdc;
  let width = codedWidth;
  let height = codedHeight;
  if (reader.readFlag()) {
    width -=
      (chromaArrayType === 1 || chromaArrayType === 2 ? 2 : 1) *
      (reader.readUnsigned() + reader.readUnsigned());
    height -= (chromaArrayType === 1 ? 2 : 1) * (reader.readUnsigned() + reader.readUnsigned());
  }
  if (width <= 0 || height <= 0)
    throw new CameraError('stream-invalid', `A picture of ${width}x${height} cannot be.`, { width, height });

  const bitDepthLuma = 8 + reader.readUnsignedUpTo(8, 'bit_depth_luma_minus8');
  const bitDepthChroma = 8 + reader.readUnsignedUpTo(8, 'bit_depth_chroma_minus8');
  const pictureOrderCountLsbBits = 4 + reader.readUnsignedUpTo(12, 'log2_max_pic_order_cnt_lsb_minus4');
  let maxReorderPictures = 0;
  // Without sps_sub_layer_ordering_info_present_flag only the highest sub-layer's values are there.
  for (let i = reader.readFlag() ? 0 : highestTemporalId; i <= highestTemporalId; i++) {
    reader.readUnsigned(); // sps_max_dec_pic_buffering_minus1
    maxReorderPictures = reader.readUnsigned();
    reader.readUnsigned(); // sps_max_latency_increase_plus1
  }

  const minCodingBlockLog2 = 3 + reader.readUnsignedUpTo(3, 'log2_min_luma_coding_block_size_minus3');
  const codingTreeBlockLog2 =
    minCodingBlockLog2 + reader.readUnsignedUpTo(3, 'log2_diff_max_min_luma_coding_block_size');
  const codingTreeBlock = 2 ** codingTreeBlockLog2;
  const codingTreeBlocks = Math.ceil(codedWidth / codingTreeBlock) * Math.ceil(codedHeight / codingTreeBlock);
  // log2_min_luma_transform_block_size_minus2, log2_diff_max_min_luma_transform_block_size, and both
  // max_transform_hierarchy_depth_inter and _intra
  for (let i = 0; i < 4; i++) reader.readUnsigned();
  if (reader.readFlag() && reader.readFlag()) skipScalingLists(reader);
  reader.skipBits(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (reader.readFlag()) {
    reader.skipBits(8); // pcm_sample_bit_depth_luma_minus1 and _chroma_minus1
    reader.readUnsigned();
    reader.readUnsigned();
    reader.skipBits(1); // pcm_loop_filter_disabled_flag
  }
  skipShortTermReferencePictureSets(reader);
  if (reader.readFlag()) {
    const longTerm = reader.readUnsignedUpTo(32, 'num_long_term_ref_pics_sps');
    reader.skipBits(longTerm * (pictureOrderCountLsbBits + 1));
  }
  reader.skipBits(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
  const framesPerSecond = reader.readFlag() ? parseVideoUsability(reader).framesPerSecond : 0;
  return {
    id,
    profileIdc,
    tierFlag,
    levelIdc,
    highestTemporalId,
    chromaFormatIdc,
    bitDepthLuma,
    bitDepthChroma,
    separateColourPlane,
    pictureOrderCountLsbBits,
    sliceSegmentAddressBits: Math.ceil(Math.log2(codingTreeBlocks)),
    width,
    height,
    framesPerSecond,
    reorders: maxReorderPictures !== 0,
  };
}

/** profile_tier_level() (§7.3.3): the general values; those of the sub-layers are passed over. */
function parseProfileTierLevel(
  reader: BitReader,
  highestTemporalId: number,
): { profileIdc: number; tierFlag: number; levelIdc: number } {
  reader.skipBits(2); // general_profile_space
  const tierFlag = reader.readBits(1);
  const profileIdc = reader.readBits(5);
  reader.skipBits(32 + 48); // compatibility flags; source and constraint flags
  const levelIdc = reader.readBits(8);
  if (highestTemporalId > 0) {
    // A pair of flags for each sub-layer below the highest; 8 pairs are written in any case.
    const present = reader.readBits(16);
    for (let i = 0; i < highestTemporalId; i++) {
      if (present & (0x8000 >> (2 * i))) reader.skipBits(88); // sub_layer profile
      if (present & (0x4000 >> (2 * i))) reader.skipBits(8); // sub_layer_level_idc
    }
  }
  return { profileIdc, tierFlag, levelIdc };
}

/** num_short_term_ref_pic_sets and the sets (§7.3.7): how long each is depends on the one before. */
function skipShortTermReferencePictureSets(reader: BitReader): void {
  const sets = reader.readUnsignedUpTo(64, 'num_short_term_ref_pic_sets');
  let pictures = 0;
  for (let i = 0; i < sets; i++) {
    if (i > 0 && reader.readFlag()) {
      // Predicted from the set before: of each of its pictures, and of the set's own, whether it stays.
      reader.skipBits(1); // delta_rps_sign
      reader.readUnsigned(); // abs_delta_rps_minus1
      let kept = 0;
      // used_by_curr_pic_flag, and use_delta_flag where that is 0
      for (let j = 0; j <= pictures; j++) if (reader.readFlag() || reader.readFlag()) kept++;
      pictures = kept;
    } else {
      pictures = reader.readUnsignedUpTo(16, 'num_negative_pics');
      pictures += reader.readUnsignedUpTo(16, 'num_positive_pics');
      for (let j = 0; j < pictures; j++) {
        reader.readUnsigned(); // delta_poc_minus1
        reader.skipBits(1); // used_by_curr_pic_flag
      }
    }
  }
}

/** The set in the form that both codecs share. Throws CameraError 'stream-invalid'. */
export function parseFormat(nalUnit: Uint8Array): VideoFormat {
  const { width, height, framesPerSecond, profileIdc, tierFlag, levelIdc } =
    parseSequenceParameterSet(nalUnit);
  return { width, height, framesPerSecond, profileIdc, profileCompatibility: tierFlag, levelIdc };
}
