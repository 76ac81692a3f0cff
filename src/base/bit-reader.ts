/**
 * Reads the bit-level descriptors of ITU-T syntax tables: u(n), ue(v) and se(v) (ITU-T H.264 §7.2 and §9.1, the same
 * in H.265 §7.2 and §9.2), most significant bit first. The bytes are a raw byte sequence payload: emulation prevention
 * bytes are removed before, this class knows nothing of them.
 *
 * Any thread, one object each; it can be set to other bytes with `reset`, so that a hot path needs no new reader.
 * Every read checks its bound: what runs over the end throws CameraError 'stream-invalid', it never reads past it.
 */
import { CameraError } from './errors.ts';

/** A cursor over the bits of borrowed bytes. */
export class BitReader {
  private bytes: Uint8Array;
  private bit: number;
  private endBit: number;

  /** Reads `bytes` from offset `start` to offset `end` (exclusive). Borrowed for as long as the reader is used. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.bit = 8 * start;
    this.endBit = 8 * end;
  }

  /** Takes other bytes, as the constructor does. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.bit = 8 * start;
    this.endBit = 8 * end;
  }

  /** Bits that are left. */
  get bitsLeft(): number {
    return this.endBit - this.bit;
  }

  /** u(n): an unsigned number of `count` bits, 0 to 32. */
  readBits(count: number): number {
    if (count > this.endBit - this.bit) throw this.endReached();
    let value = 0;
    let left = count;
    while (left > 0) {
      const offset = this.bit & 7;
      const taken = Math.min(8 - offset, left);
      const part = (this.bytes[this.bit >>> 3]! >> (8 - offset - taken)) & ((1 << taken) - 1);
      // Multiplied, not shifted: a shift would make the 32nd bit a sign.
      value = value * (1 << taken) + part;
      this.bit += taken;
      left -= taken;
    }
    return value;
  }

  /** u(1) as a truth value. */
  readFlag(): boolean {
    return this.readBits(1) === 1;
  }

  /** Passes over `count` bits, however many. */
  skipBits(count: number): void {
    if (count > this.endBit - this.bit) throw this.endReached();
    this.bit += count;
  }

  /** ue(v): an unsigned Exp-Golomb number, 0 to 2^32 − 2. */
  readUnsigned(): number {
    let leadingZeros = 0;
    while (this.readBits(1) === 0) {
      leadingZeros++;
      if (leadingZeros > 31)
        throw new CameraError('stream-invalid', 'An Exp-Golomb number is longer than 32 bits.', {
          bit: this.bit,
        });
    }
    return 2 ** leadingZeros - 1 + this.readBits(leadingZeros);
  }

  /** ue(v) that the standard bounds by `max`; a larger one throws CameraError 'stream-invalid' that tells `name`. */
  readUnsignedUpTo(max: number, name: string): number {
    const value = this.readUnsigned();
    if (value > max)
      throw new CameraError('stream-invalid', `${name} is ${value}, more than ${max}.`, { value, max });
    return value;
  }

  /** se(v): a signed Exp-Golomb number. */
  readSigned(): number {
    const code = this.readUnsigned();
    return code % 2 === 1 ? (code + 1) / 2 : 0 - code / 2;
  }

  private endReached(): CameraError {
    return new CameraError('stream-invalid', 'A syntax structure ends before its last field.', {
      bit: this.bit,
      bits: this.endBit,
    });
  }
}
