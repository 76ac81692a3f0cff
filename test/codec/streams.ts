// What the codec tests share: fixtures, a bit writer, synthetic NAL units, and a cutter run to its end. Written from
// the standards, without the code under test: only the cutter itself is called here.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Codec, type VideoCodec } from '../../src/base/tracks.ts';
import type { AccessUnit } from '../../src/codec/access-unit.ts';
import { AccessUnitCutter } from '../../src/codec/access-unit-cutter.ts';

/** A coded stream of test/fixtures. */
export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
}

/** An access unit, copied. */
export interface Picture {
  nalUnits: Uint8Array[];
  randomAccess: boolean;
  nonReference: boolean;
  bidirectional: boolean;
}

export function pictureOf(unit: AccessUnit): Picture {
  const { randomAccess, nonReference, bidirectional } = unit;
  const nalUnits = Array.from({ length: unit.nalCount }, (_, i) =>
    unit.bytes.slice(unit.nalTable[2 * i], unit.nalTable[2 * i + 1]),
  );
  return { nalUnits, randomAccess, nonReference, bidirectional };
}

/** Gives bytes to a cutter and takes the pictures that are then certain. */
export function feed(cutter: AccessUnitCutter, bytes: Uint8Array): Picture[] {
  cutter.reserve(bytes.length).set(bytes);
  cutter.advance(bytes.length);
  return drain(() => cutter.next());
}

export function drain(take: () => AccessUnit | undefined): Picture[] {
  const pictures: Picture[] = [];
  for (let unit = take(); unit !== undefined; unit = take()) pictures.push(pictureOf(unit));
  return pictures;
}

/** Cuts a whole stream, given in pieces of the given sizes (repeated). */
export function cutAll(codec: VideoCodec, stream: Uint8Array, sizes: readonly number[] = [stream.length]) {
  const cutter = new AccessUnitCutter(codec);
  const pictures: Picture[] = [];
  for (let offset = 0, i = 0; offset < stream.length; i++) {
    const size = sizes[i % sizes.length]!;
    pictures.push(...feed(cutter, stream.subarray(offset, offset + size)));
    offset += size;
  }
  pictures.push(...drain(() => cutter.flush()));
  return { cutter, pictures };
}

/** Puts bytes, strings of hexadecimal digits and arrays together. */
export function bytesOf(...parts: (Uint8Array | readonly number[] | string)[]): Uint8Array {
  const chunks = parts.map(part =>
    typeof part === 'string' ? Buffer.from(part.replaceAll(' ', ''), 'hex') : Uint8Array.from(part),
  );
  return new Uint8Array(Buffer.concat(chunks));
}

/** NAL units with four-byte start codes. */
export function annexB(...nalUnits: (Uint8Array | string)[]): Uint8Array {
  return bytesOf(...nalUnits.flatMap(nalUnit => ['00000001', nalUnit]));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The NAL units of pictures as hexadecimal strings. */
export function hexOf(pictures: readonly Picture[]): string[][] {
  return pictures.map(picture => picture.nalUnits.map(hex));
}

/** Writes bits, most significant first. */
export class BitWriter {
  private bits = '';

  u(count: number, value: number): this {
    this.bits += value.toString(2).padStart(count, '0');
    return this;
  }

  ue(value: number): this {
    const digits = (value + 1).toString(2);
    this.bits += '0'.repeat(digits.length - 1) + digits;
    return this;
  }

  se(value: number): this {
    return this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  /** The bytes, with rbsp_trailing_bits. */
  end(): Uint8Array {
    const bits = `${this.bits}1`;
    const padded = bits.padEnd(8 * Math.ceil(bits.length / 8), '0');
    return Uint8Array.from(padded.match(/.{8}/g)!, byte => Number.parseInt(byte, 2));
  }
}

/** A slice of H.264 whose header goes up to pic_parameter_set_id and is followed by `data`. Not escaped. */
export function h264Slice(
  header: number,
  firstMacroblock: number,
  data: Uint8Array,
  sliceType = 5,
): Uint8Array {
  return bytesOf([header], new BitWriter().ue(firstMacroblock).ue(sliceType).ue(0).end(), data);
}

/** A slice segment of H.265 up to slice_pic_parameter_set_id, followed by `data`. Not escaped. */
export function h265Slice(type: number, first: boolean, data: Uint8Array): Uint8Array {
  const writer = new BitWriter().u(1, first ? 1 : 0);
  if (type >= 16 && type <= 23) writer.u(1, 0);
  return bytesOf([2 * type, 1], writer.ue(0).end(), data);
}

/** Random bytes in which start codes and escapes are likely. */
export const payload: fc.Arbitrary<Uint8Array> = fc
  .array(fc.oneof(fc.constant(0), fc.constant(1), fc.constant(3), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 120,
  })
  .map(values => Uint8Array.from(values));

/** Both codecs, for suites that hold for each. */
export const videoCodecs: { name: string; codec: VideoCodec }[] = [
  { name: 'H.264', codec: Codec.h264 },
  { name: 'H.265', codec: Codec.h265 },
];
