/**
 * The NAL unit header and types of H.265 (ITU-T H.265 §7.3.1.2, §7.4.2.2, table 7-1).
 *
 * ```text
 *  0               1
 *  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
 * |F|   type    |  layer id | TID |   F forbidden_zero_bit, TID nuh_temporal_id_plus1
 * ```
 */

/** Bytes of the header. */
export const nalHeaderBytes = 2;

/** nal_unit_type values that the daemon names. */
export const NalUnitType = {
  /** Highest of the types that come in pairs, sub-layer non-reference (even) and reference (odd). */
  reservedNonIrap15: 15,
  /** RASL_R, the highest type of a picture that is not a random access point. */
  raslReference: 9,
  blaWithLeadingPictures: 16,
  idrWithLeadingPictures: 19,
  idrWithoutLeadingPictures: 20,
  cleanRandomAccess: 21,
  reservedIrap23: 23,
  videoParameterSet: 32,
  sequenceParameterSet: 33,
  pictureParameterSet: 34,
  accessUnitDelimiter: 35,
  prefixSei: 39,
  suffixSei: 40,
  reserved41: 41,
  reserved44: 44,
  unspecified48: 48,
  unspecified55: 55,
} as const;

/** nal_unit_type of a NAL unit with this first byte. */
export function nalUnitType(firstByte: number): number {
  return (firstByte >> 1) & 0x3f;
}

/** nuh_layer_id: 0 for the base layer. */
export function nalLayerId(firstByte: number, secondByte: number): number {
  return ((firstByte & 1) << 5) | (secondByte >> 3);
}

/** TemporalId, 0 to 6. */
export function temporalId(secondByte: number): number {
  return (secondByte & 7) - 1;
}

/** Whether the type is a coded slice segment that today's decoders know; reserved VCL types are not. */
export function isSlice(type: number): boolean {
  return type <= NalUnitType.raslReference || isRandomAccess(type);
}

/** Whether the type is of an intra random access point (IRAP) picture: BLA, IDR or CRA. */
export function isRandomAccess(type: number): boolean {
  return type >= NalUnitType.blaWithLeadingPictures && type <= NalUnitType.cleanRandomAccess;
}

/** Whether no picture of the same temporal sub-layer refers to one of this type. */
export function isSubLayerNonReference(type: number): boolean {
  return type < NalUnitType.reservedNonIrap15 && type % 2 === 0;
}
