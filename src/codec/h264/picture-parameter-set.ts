/**
 * The first fields of H.264's picture parameter set (ITU-T H.264 §7.3.2.2): which sequence parameter set it refers to
 * and what it adds to slice headers. What follows them is for decoders. Pure, any thread.
 */
import { BitReader } from '../../base/bit-reader.ts';
import { payloadOf } from '../emulation-prevention.ts';
import { nalHeaderBytes } from './nal-unit.ts';

/** pic_parameter_set_id is below this. */
export const pictureParameterSetCount = 256;

/** The fields that are kept, under the standard's names. */
export interface PictureParameterSet {
  readonly id: number;
  readonly sequenceParameterSetId: number;
  /** Whether slice headers carry delta_pic_order_cnt_bottom or delta_pic_order_cnt[1]. */
  readonly bottomFieldPictureOrderInFrame: boolean;
}

/** Parses a whole NAL unit of type 8. Throws CameraError 'stream-invalid'. */
export function parsePictureParameterSet(nalUnit: Uint8Array): PictureParameterSet {
  const reader = new BitReader(payloadOf(nalUnit, nalHeaderBytes));
  const id = reader.readUnsignedUpTo(pictureParameterSetCount - 1, 'pic_parameter_set_id');
  const sequenceParameterSetId = reader.readUnsignedUpTo(31, 'seq_parameter_set_id');
  reader.skipBits(1); // entropy_coding_mode_flag
  return { id, sequenceParameterSetId, bottomFieldPictureOrderInFrame: reader.readFlag() };
}
