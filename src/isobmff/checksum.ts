/**
 * The checksum of what is written to the card: CRC-32 of ISO 3309 (zlib's), injected, so that this folder stays pure
 * and the native function of the host does the work.
 */

/** CRC-32 of bytes; `seed` is the value of the bytes before them. `crc32` of node:zlib is one. */
export type Checksum = (bytes: Uint8Array, seed?: number) => number;
