/**
 * H.265 behind the contract that both codecs share (ITU-T H.265 §7.3.1.2, §7.4.2, table 7-1). No state, any thread.
 */
import { BitReader } from '../../base/bit-reader.ts';
import { CameraError } from '../../base/errors.ts';
import { payloadOf } from '../emulation-prevention.ts';
import { sliceHeaderBytesMax } from '../limits.ts';
import type { ParameterSetKind, VideoSyntax } from '../video-syntax.ts';
import { H265AccessUnitRules } from './access-unit-rules.ts';
import { isRandomAccess, isSlice, NalUnitType, nalHeaderBytes, nalLayerId, nalUnitType } from './nal-unit.ts';
import { parsePictureParameterSet, pictureParameterSetCount } from './picture-parameter-set.ts';
import { parseFormat, parseSequenceParameterSet } from './sequence-parameter-set.ts';

const parameterSetKinds: readonly ParameterSetKind[] = ['vps', 'sps', 'pps'];

/** The syntax of H.265. */
export const h265Syntax: VideoSyntax = {
  headerBytes: nalHeaderBytes,
  parameterSetKinds,
  nalUnitType,
  isWellFormed: (bytes, start, end) =>
    end >= start + nalHeaderBytes && bytes[start]! < 0x80 && (bytes[start + 1]! & 7) !== 0,
  isSlice,
  isRandomAccess,
  parameterSetKind: type => parameterSetKinds[type - NalUnitType.videoParameterSet],
  isIgnorable(bytes, start) {
    const type = nalUnitType(bytes[start]!);
    if (nalLayerId(bytes[start]!, bytes[start + 1]!) !== 0) return true;
    return !(
      isSlice(type) ||
      parameterSetKinds[type - NalUnitType.videoParameterSet] !== undefined ||
      type === NalUnitType.prefixSei ||
      type === NalUnitType.suffixSei
    );
  },
  parameterSetId(kind, nalUnit) {
    if (kind === 'sps') return parseSequenceParameterSet(nalUnit).id;
    if (kind === 'pps') return parsePictureParameterSet(nalUnit).id;
    // vps_video_parameter_set_id is the four bits after the header (§7.3.2.1).
    if (nalUnit.length <= nalHeaderBytes)
      throw new CameraError('stream-invalid', 'A video parameter set is empty.');
    return nalUnit[nalHeaderBytes]! >> 4;
  },
  sequenceParameterSetIdOf: nalUnit => parsePictureParameterSet(nalUnit).sequenceParameterSetId,
  pictureParameterSetIdOf(bytes, start, end) {
    const front = bytes.subarray(start, Math.min(end, start + sliceHeaderBytesMax));
    const reader = new BitReader(payloadOf(front, nalHeaderBytes));
    const type = nalUnitType(bytes[start]!);
    reader.skipBits(1); // first_slice_segment_in_pic_flag
    // no_output_of_prior_pics_flag
    if (type >= NalUnitType.blaWithLeadingPictures && type <= NalUnitType.reservedIrap23) reader.skipBits(1);
    return reader.readUnsignedUpTo(pictureParameterSetCount - 1, 'slice_pic_parameter_set_id');
  },
  parseFormat,
  createAccessUnitRules: () => new H265AccessUnitRules(),
};
