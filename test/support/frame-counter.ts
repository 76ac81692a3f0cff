/**
 * Reads the frame numbers of the test clips back from decoded pictures: 24 cells along the top edge
 * (shared/media/README.md): white, black, 16 bits, the xor of its four nibbles, black, white.
 */
/** One decoded picture. */
export interface CountedFrame {
  /** The number in the picture; -1 when it cannot be read. */
  readonly number: number;
  /** Seconds on the file's time line, edit lists applied. */
  readonly seconds: number;
}

const cells = 24;

/** The number in one line of grey pixels, one byte each; -1 when it cannot be read. */
export function numberOf(line: Uint8Array): number {
  const bit = (cell: number): number =>
    line[Math.floor(((cell + 0.5) * line.length) / cells)]! > 128 ? 1 : 0;
  const bits = (from: number, to: number): number => {
    let value = 0;
    for (let cell = from; cell < to; cell++) value = (value << 1) | bit(cell);
    return value;
  };
  const number = bits(2, 18);
  const check = ((number >> 12) ^ (number >> 8) ^ (number >> 4) ^ number) & 15;
  const isWhole = bit(0) === 1 && bit(1) === 0 && bit(22) === 0 && bit(23) === 1 && bits(18, 22) === check;
  return isWhole ? number : -1;
}
