/**
 * The sound of the test clips, decoded, to find again in what a camera recorded of it.
 *
 * A recording is lossless, so a piece of it is looked for bit by bit. The decoder is written from ITU-T G.711 (table 2a),
 * apart from the one under test.
 */
import { readFileSync } from 'node:fs';

/** Samples that are looked for at once. */
const needleSamples = 400;

/** One value of µ-law. */
function linearOf(value: number): number {
  const code = ~value & 0xff;
  const magnitude = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132;
  return code & 0x80 ? -magnitude : magnitude;
}

/** A sound that is played round and round. */
export class OriginalSound {
  /** Samples of a round. */
  readonly length: number;
  private readonly haystack: Buffer;

  /** @param file raw µ-law, 8000 samples a second. */
  constructor(file: string) {
    const bytes = readFileSync(file);
    this.length = bytes.length;
    this.haystack = Buffer.alloc(2 * (bytes.length + needleSamples));
    for (let i = 0; i < bytes.length + needleSamples; i++)
      this.haystack.writeInt16LE(linearOf(bytes[i % bytes.length]!), 2 * i);
  }

  /** Where in the round a piece of 400 samples lies: all the places. */
  placesOf(samples: Int16Array, from: number): number[] {
    const needle = Buffer.alloc(2 * needleSamples);
    for (let i = 0; i < needleSamples; i++) needle.writeInt16LE(samples[from + i]!, 2 * i);
    const places: number[] = [];
    for (let at = this.haystack.indexOf(needle); at >= 0; at = this.haystack.indexOf(needle, at + 1))
      if (at % 2 === 0) places.push(at / 2);
    return places;
  }
}

/** The first piece of 400 samples that is no silence, from a sample on; undefined when there is none. */
export function audiblePiece(samples: Int16Array, start: number): number | undefined {
  for (let from = start; from + needleSamples <= samples.length; from += needleSamples) {
    const values = new Set<number>();
    let peak = 0;
    for (let i = from; i < from + needleSamples; i++) {
      values.add(samples[i]!);
      peak = Math.max(peak, Math.abs(samples[i]!));
    }
    if (peak > 1000 && values.size > 60) return from;
  }
  return undefined;
}
