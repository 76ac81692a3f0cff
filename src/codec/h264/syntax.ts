/**
 * H.264 behind the contract that both codecs share (ITU-T H.264 §7.3.1, §7.4.1, table 7-1). No state, any thread.
 */
import { BitReader } from '../../base/bit-reader.ts';
import { payloadOf } from '../emulation-prevention.ts';
import { sliceHeaderBytesMax } from '../limits.ts';
import type { ParameterSetKind, VideoSyntax } from '../video-syntax.ts';
import { H264AccessUnitRules } from './access-unit-rules.ts';
import { isSlice, NalUnitType, nalHeaderBytes, nalUnitType } from './nal-unit.ts';
import { parsePictureParameterSet, pictureParameterSetCount } from './picture-parameter-set.ts';
import { parseFormat, parseSequenceParameterSet } from './sequence-parameter-set.ts';

/** The syntax of H.264. */
export const h264Syntax: VideoSyntax = {
  headerBytes: nalHeaderBytes,
  parameterSetKinds: ['sps', 'pps'],
  nalUnitType,
  isWellFormed: (bytes, start, end) => end > start && bytes[start]! < 0x80,
  isSlice,
  isRandomAccess: type => type === NalUnitType.idrSlice,
  parameterSetKind(type): ParameterSetKind | undefined {
    if (type === NalUnitType.sequenceParameterSet) return 'sps';
    return type === NalUnitType.pictureParameterSet ? 'pps' : undefined;
  },
  isIgnorable(bytes, start) {
    // Slices, partitions, SEI and parameter sets are 1 to 8; nothing else is for a base decoder.
    const type = nalUnitType(bytes[start]!);
    return type < NalUnitType.slice || type > NalUnitType.pictureParameterSet;
  },
  parameterSetId: (kind, nalUnit) =>
    kind === 'sps' ? parseSequenceParameterSet(nalUnit).id : parsePictureParameterSet(nalUnit).id,
  sequenceParameterSetIdOf: nalUnit => parsePictureParameterSet(nalUnit).sequenceParameterSetId,
  pictureParameterSetIdOf(bytes, start, end) {
    const front = bytes.subarray(start, Math.min(end, start + sliceHeaderBytesMax));
    const reader = new BitReader(payloadOf(front, nalHeaderBytes));
    reader.readUnsigned(); // first_mb_in_slice
    reader.readUnsignedUpTo(9, 'slice_type');
    return reader.readUnsignedUpTo(pictureParameterSetCount - 1, 'pic_parameter_set_id');
  },
  parseFormat,
  createAccessUnitRules: () => new H264AccessUnitRules(),
};
