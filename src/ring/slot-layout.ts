/**
 * Where everything lies in a slot, the fixed-size description of one record: constants and a diagram, no behaviour.
 *
 * ```text
 *  byte  0        4      5      6      8               16            24
 *        ├────────┼──────┼──────┼──────┼───────────────┼─────────────┼──────────────┐
 *        │sequence│track │codec │flags │ captureMonoUs │ wallUnixMs  │ commitMonoUs │
 *        │ u32    │ u8   │ u8   │ u16  │ f64           │ f64         │ f64          │
 *  byte  32       36       40         44          48                 64
 *        ├────────┼────────┼──────────┼───────────┼──────────────────┼──────────────────────────────┐
 *        │ offset │ length │ nalCount │ reserved  │ reserved         │ nalStart[0 … 47], u32 each   │
 *        │ u32    │ u32    │ u32      │           │                  │ offsets within the record    │
 *        └────────┴────────┴──────────┴───────────┴──────────────────┴──────────────────────────────┘ 256
 * ```
 *
 * In a video record each NAL unit lies behind its length as 4 bytes, big-endian (ISO/IEC 14496-15 §5.3.3.1 with
 * lengthSizeMinusOne 3), so NAL unit i ends 4 bytes before NAL unit i + 1 starts and the table needs starts alone. A
 * picture with more NAL units than the table holds is walked on by those lengths. Slot fields are plain memory: they
 * are published by HEAD and revoked by TAIL (ring-layout.ts), never read without that check.
 */

/** Bytes of a slot; a power of two and a multiple of the cache line. */
export const slotBytes = 256;

export const slotSequence = 0;
export const slotTrack = 4;
export const slotCodec = 5;
export const slotFlags = 6;
export const slotCaptureMonoUs = 8;
export const slotWallUnixMs = 16;
export const slotCommitMonoUs = 24;
export const slotOffset = 32;
export const slotLength = 36;
export const slotNalCount = 40;
export const slotNalTable = 64;

/** NAL units whose starts the slot holds: parameter sets, SEI and eight slices use 12; 48 fill the slot. */
export const slotNalTableLength = (slotBytes - slotNalTable) / 4;

/** Bytes of the length in front of each NAL unit of a video record. */
export const nalLengthBytes = 4;

/** NAL units a record may have at most; one macroblock row a slice at 8K gives 270. */
export const nalCountMax = 4096;

/** Bits of a record's flags. */
export const RecordFlag = {
  /** Decoding can start here; the record begins with the parameter sets. */
  randomAccess: 1,
  /** What follows is not continuous with what was before: the source restarted, or its format changed. */
  discontinuity: 2,
  /** No other picture refers to this one; it may be dropped alone. */
  nonReference: 4,
  /** The picture holds B slices. */
  bidirectional: 8,
} as const;
