/**
 * The bounds of the codec layer, each with its reason. What is larger is refused or dropped and counted, never kept.
 */

/** Bytes of one access unit: a 4K intra picture at the lowest quantiser measured has about 4 MB; twice that. */
export const accessUnitBytesMaxDefault = 8 * 1024 * 1024;

/** NAL units of one access unit: H.264 level 6.2 and H.265 level 6.2 allow 600 slices; the rest is room for SEI. */
export const nalUnitsMax = 4096;

/** Bytes of one parameter set: a set with all scaling lists written out has about 2 KB; four times that. */
export const parameterSetBytesMax = 8192;

/** Luma samples on either side of a picture: level 6.2 of both standards ends at 16,888; a round number below. */
export const pictureSideMax = 16384;

/** Frames a second that timing information may claim; above it is a time base (90,000, say) and not a rate. */
export const framesPerSecondMax = 1000;

/** Bytes at the front of a slice that hold all the fields that the cutter reads, emulation prevention included. */
export const sliceHeaderBytesMax = 64;

/** Staging bytes a cutter starts with: the pictures of a 4 Mbit/s stream fit, larger ones double it once or twice. */
export const stagingBytesInitial = 256 * 1024;
