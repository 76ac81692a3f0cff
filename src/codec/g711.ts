/**
 * G.711: the constants of the camera's sound and the companding laws (ITU-T G.711 tables 1 and 2).
 *
 * Sound passes through the camera as it is; only tests and tools turn it into linear samples and back. Samples are
 * 16-bit linear: the 14-bit µ-law value times 4, the 13-bit A-law value times 8, as is the custom. Any thread.
 */

/** The byte that is silence in µ-law: the code of +0. */
export const pcmuSilence = 0xff;

/** The byte that is silence in A-law: the code of the smallest positive value. */
export const pcmaSilence = 0xd5;

/** Linear samples of all 256 µ-law bytes. */
export const pcmuToLinear: Int16Array = Int16Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 1) + 33) << ((bits >> 4) & 7)) - 33;
  return 4 * (bits & 0x80 ? -magnitude : magnitude);
});

/** Linear samples of all 256 A-law bytes. */
export const pcmaToLinear: Int16Array = Int16Array.from({ length: 256 }, (_, code) => {
  const bits = code ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = ((bits & 0x0f) << 1) + 1;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 32) << (exponent - 1);
  // In A-law the sign bit is set for positive values.
  return 8 * (bits & 0x80 ? magnitude : -magnitude);
});

/** The µ-law byte of a 16-bit linear sample; values beyond the law's range are clipped. */
export function linearToPcmu(sample: number): number {
  const negative = sample < 0;
  const magnitude = Math.min(Math.abs(sample) >> 2, 8158) + 33;
  const exponent = 31 - Math.clz32(magnitude) - 5;
  const mantissa = (magnitude >> (exponent + 1)) & 0x0f;
  return ~((negative ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff;
}

/** The A-law byte of a 16-bit linear sample; values beyond the law's range are clipped. */
export function linearToPcma(sample: number): number {
  const negative = sample < 0;
  // Of a negative sample the one's complement: the intervals of A-law meet at zero, between −1 and 0.
  const magnitude = Math.min(negative ? ~sample >> 3 : sample >> 3, 4095);
  const exponent = magnitude < 32 ? 0 : 31 - Math.clz32(magnitude) - 4;
  const mantissa = (magnitude >> Math.max(1, exponent)) & 0x0f;
  return ((negative ? 0 : 0x80) | (exponent << 4) | mantissa) ^ 0x55;
}
