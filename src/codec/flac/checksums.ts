/**
 * The two checksums of a FLAC frame: CRC-8 of its header (polynomial x⁸ + x² + x + 1) and CRC-16 of the whole frame
 * (x¹⁶ + x¹⁵ + x² + 1), both from 0, most significant bit first (RFC 9639 §9.1.8, §9.3). Pure; any thread.
 */

const table8 = Uint8Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? (crc << 1) ^ 0x07 : crc << 1;
  return crc;
});

const table16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x8005 : crc << 1;
  return crc;
});

/** CRC-8 of bytes[0, end). */
export function crc8(bytes: Uint8Array, end: number): number {
  let crc = 0;
  for (let i = 0; i < end; i++) crc = table8[crc ^ bytes[i]!]!;
  return crc;
}

/** CRC-16 of bytes[0, end); 0 over a frame with its own CRC-16 at the end. */
export function crc16(bytes: Uint8Array, end: number): number {
  let crc = 0;
  for (let i = 0; i < end; i++) crc = ((crc << 8) & 0xff00) ^ table16[(crc >> 8) ^ bytes[i]!]!;
  return crc;
}
