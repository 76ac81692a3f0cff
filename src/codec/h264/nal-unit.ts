/**
 * The NAL unit header and types of H.264 (ITU-T H.264 §7.3.1, §7.4.1, table 7-1).
 *
 * ```text
 *  0 1 2 3 4 5 6 7
 * |F|NRI|  type   |   F forbidden_zero_bit, NRI nal_ref_idc
 * ```
 *
 * Types 13 to 15 and 19 to 21 belong to auxiliary pictures and to SVC and MVC; a base decoder passes them over.
 */

/** Bytes of the header. */
export const nalHeaderBytes = 1;

/** nal_unit_type values that the daemon names. */
export const NalUnitType = {
  slice: 1,
  slicePartitionA: 2,
  slicePartitionC: 4,
  idrSlice: 5,
  supplementalEnhancementInformation: 6,
  sequenceParameterSet: 7,
  pictureParameterSet: 8,
  accessUnitDelimiter: 9,
  subsetSequenceParameterSet: 15,
  reserved18: 18,
} as const;

/** nal_unit_type of a NAL unit with this first byte. */
export function nalUnitType(firstByte: number): number {
  return firstByte & 0x1f;
}

/** nal_ref_idc of a NAL unit with this first byte: 0 when no picture refers to it. */
export function nalReferenceIdc(firstByte: number): number {
  return (firstByte >> 5) & 3;
}

/** Whether the NAL unit begins with a slice header: a slice, or partition A of one. */
export function isSlice(type: number): boolean {
  return type === NalUnitType.slice || type === NalUnitType.idrSlice || type === NalUnitType.slicePartitionA;
}
