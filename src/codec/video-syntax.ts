/**
 * What the rest of the daemon has to know of a video codec's syntax: one contract for H.264 and H.265.
 *
 * Implementations: h264/syntax.ts (ITU-T H.264 §7.3.1, §7.4.1) and h265/syntax.ts (ITU-T H.265 §7.3.1.2, §7.4.2),
 * found by syntax-of.ts. All methods are pure and may be called from any thread; only AccessUnitRules has a state.
 * A NAL unit is named by its bytes and offsets, without start code or length prefix. Layered extensions (SVC, MVC,
 * SHVC, MV-HEVC) are left out: their NAL units are passed over, so that the base layer remains.
 */
import type { VideoFormat } from './access-unit.ts';

/** The kinds of parameter sets; H.264 has no video parameter set. */
export type ParameterSetKind = 'vps' | 'sps' | 'pps';

/** How a codec's NAL units are told apart. */
export interface VideoSyntax {
  /** Bytes of the NAL unit header. */
  readonly headerBytes: number;
  /** The kinds of parameter sets in the order in which they precede a random access point. */
  readonly parameterSetKinds: readonly ParameterSetKind[];
  /** nal_unit_type by the NAL unit's first byte. */
  nalUnitType(firstByte: number): number;
  /** Whether the header is all there, forbidden_zero_bit is clear and, for H.265, nuh_temporal_id_plus1 is not 0. */
  isWellFormed(bytes: Uint8Array, start: number, end: number): boolean;
  /** Whether the type is a slice of the (base layer's) picture that begins with a slice header. */
  isSlice(type: number): boolean;
  /** Whether a slice of this type belongs to a picture at which decoding can start. */
  isRandomAccess(type: number): boolean;
  /** Which parameter set the type is, if it is one. */
  parameterSetKind(type: number): ParameterSetKind | undefined;
  /**
   * Whether a decoder of the base layer has no use for the NAL unit: access unit delimiter, filler data, end of
   * sequence or stream, another layer, reserved and unspecified types.
   */
  isIgnorable(bytes: Uint8Array, start: number): boolean;
  /** The identifier of a parameter set. Throws CameraError 'stream-invalid'. */
  parameterSetId(kind: ParameterSetKind, nalUnit: Uint8Array): number;
  /** The sequence parameter set that a picture parameter set refers to. Throws CameraError 'stream-invalid'. */
  sequenceParameterSetIdOf(pictureParameterSet: Uint8Array): number;
  /** The picture parameter set that a slice refers to. Throws CameraError 'stream-invalid'. */
  pictureParameterSetIdOf(bytes: Uint8Array, start: number, end: number): number;
  /** What a sequence parameter set says. Throws CameraError 'stream-invalid'. */
  parseFormat(sequenceParameterSet: Uint8Array): VideoFormat;
  /** The rules by which the stream's NAL units become access units; one object for each stream. */
  createAccessUnitRules(): AccessUnitRules;
}

/**
 * Decides where an access unit begins, and gathers what its slices say of it. It remembers the parameter sets that
 * slice headers need, and the last slice. Nothing here throws: what cannot be parsed is judged by what is known.
 */
export interface AccessUnitRules {
  /**
   * Whether a well-formed NAL unit begins an access unit, given that slices have been admitted before it. The NAL
   * unit may be cut off at `end`, behind the header at the earliest: true is certain even then, false is so when
   * `sliceHeaderBytesMax` bytes of it are there.
   */
  beginsAccessUnit(bytes: Uint8Array, start: number, end: number): boolean;
  /** Takes a slice into the access unit at hand; it may be cut off as above. */
  admitSlice(bytes: Uint8Array, start: number, end: number): void;
  /** Remembers a whole sequence or picture parameter set; one that cannot be parsed changes nothing. */
  learn(kind: ParameterSetKind, nalUnit: Uint8Array): void;
  /** The next slice belongs to a new access unit: forgets the three answers below, keeps the rest. */
  startAccessUnit(): void;
  /** The fields of AccessUnit, by the slices admitted so far. */
  readonly randomAccess: boolean;
  readonly nonReference: boolean;
  readonly bidirectional: boolean;
}
