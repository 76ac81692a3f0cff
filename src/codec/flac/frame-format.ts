/**
 * What encoder and decoder agree on: the header of a FLAC frame (RFC 9639 §9.1) as the recorder writes it, and bounds.
 *
 * ```text
 *  1111 1111 1111 1001   sync code, and 1: blocks vary in size, the coded number is that of a sample
 *  bbbb 0100             block size: 6 one byte, 7 two bytes behind the coded number; 4: 8 kHz
 *  0000 100 0            one channel; 16 bits a sample; reserved
 *  1 to 7 bytes          coded number: that of the first sample, in the manner of UTF-8
 *  1 or 2 bytes          block size - 1
 *  1 byte                CRC-8 of all before
 * ```
 */

/** Sync code and blocking strategy: the first 16 bits of each frame. */
export const frameSync = 0xfff9;
/** The 4 bits of the block size that say: one byte behind the coded number. */
export const blockSizeOneByte = 6;
/** The same of two bytes. */
export const blockSizeTwoBytes = 7;
/** The 4 bits of the sample rate: 8 kHz. */
export const sampleRateCode = 4;
/** The byte of channels and sample size: one channel of 16 bits. */
export const channelsAndSampleSize = 0x08;

export const SubframeType = { constant: 0, verbatim: 1, fixed: 8 } as const;

/** Largest order of a fixed predictor. */
export const predictorOrderMax = 4;
/** Largest Rice parameter of 4 bits; 15 is the escape code, which the encoder does not use. */
export const riceParameterMax = 14;

/** Samples of a block at least; only a stream's last block may be smaller (RFC 9639 §8.2). */
export const flacBlockSamplesMin = 16;
/** Samples of a block at most: the streamable subset's bound for rates up to 48 kHz (RFC 9639 §7). */
export const flacBlockSamplesMax = 4608;
/** Bytes of header, subframe header and CRC-16 at most: 4 + 7 + 2 + 1, 1 + 2, 2. */
const frameOverheadBytesMax = 19;
/** Bytes of a frame at most: no block takes more than a verbatim one. */
export const flacFrameBytesMax: number = frameOverheadBytesMax + 2 * flacBlockSamplesMax;
