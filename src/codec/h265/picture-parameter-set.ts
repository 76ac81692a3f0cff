/**
 * The first fields of H.265's picture parameter set (ITU-T H.265 §7.3.2.3.1): which sequence parameter set it refers
 * to and what it adds to slice headers. What follows them is for decoders. Pure, any thread.
 */
import { BitReader } from '../../base/bit-reader.ts';
import { payloadOf } from '../emulation-prevention.ts';
import { nalHeaderBytes } from './nal-unit.ts';

/** pps_pic_parameter_set_id is below this. */
export const pictureParameterSetCount = 64;

/** The fields that are kept, under the standard's names. */
export interface PictureParameterSet {
  readonly id: number;
  readonly sequenceParameterSetId: number;
  readonly dependentSliceSegmentsEnabled: boolean;
  readonly outputFlagPresent: boolean;
  readonly extraSliceHeaderBits: number;
}

/** Parses a whole NAL unit of type 34. Throws CameraError 'stream-invalid'. */
export function parsePictureParameterSet(nalUnit: Uint8Array): PictureParameterSet {
  const reader = new BitReader(payloadOf(nalUnit, nalHeaderBytes));
  return {
    id: reader.readUnsignedUpTo(pictureParameterSetCount - 1, 'pps_pic_parameter_set_id'),
    sequenceParameterSetId: reader.readUnsignedUpTo(15, 'pps_seq_parameter_set_id'),
    dependentSliceSegmentsEnabled: reader.readFlag(),
    outputFlagPresent: reader.readFlag(),
    extraSliceHeaderBits: reader.readBits(3),
  };
}
