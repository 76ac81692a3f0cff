/**
 * One coded picture as it travels from a source to the ring: a run of NAL units in bytes that somebody else owns.
 *
 * Shared by H.264 and H.265. What lies in the table is the NAL unit itself: header and payload with its emulation
 * prevention bytes, without start code or length prefix, without trailing zeros. Access unit delimiters, filler data
 * and end-of-stream units are left out by the cutter: nobody downstream wants them.
 */

/** A coded picture. Everything is borrowed: valid until the next call of what gave it. */
export interface AccessUnit {
  /** The bytes that the table points into. */
  readonly bytes: Uint8Array;
  /** Start and end offset (exclusive) of NAL unit i in `bytes` at [2 i] and [2 i + 1]. */
  readonly nalTable: Int32Array;
  /** NAL units in the table; at least 1. */
  readonly nalCount: number;
  /** Whether decoding can start here: IDR (H.264), IRAP (H.265). */
  readonly randomAccess: boolean;
  /** Whether no other picture refers to this one (nal_ref_idc 0; H.265 non-reference in the highest sub-layer). */
  readonly nonReference: boolean;
  /**
   * Whether the picture holds B slices and its stream may be shown in another order than it is coded. B slices of a
   * stream whose sequence parameter set rules that out (cameras' generalised P pictures) are none.
   */
  readonly bidirectional: boolean;
}

/** What a parameter set says of the pictures that follow; see VideoTrackInfo for the fields' units. */
export interface VideoFormat {
  readonly width: number;
  readonly height: number;
  /** Frames a second by the VUI's timing information, or 0 when there is none. */
  readonly framesPerSecond: number;
  readonly profileIdc: number;
  readonly profileCompatibility: number;
  readonly levelIdc: number;
}
