/**
 * Writes boxes (ISO/IEC 14496-12 §4.2) into a buffer that grows: a box is begun, filled and ended, and its size is put
 * in when it ends. Fields are big-endian, in wire order. One thread, one object a file; for headers of some kilobytes,
 * not for a hot path.
 *
 * A hole stands for bytes that somebody else makes later, a table of samples for instance: it counts in the sizes of
 * the boxes around it and in every offset, but takes no memory. Left out: boxes of 4 GiB and more, which only mdat is.
 */
import { CameraError } from '../base/errors.ts';

/** Bytes of a box's size and type. */
export const boxHeaderBytes = 8;

/** A run of bytes that was written, between holes. */
export interface WrittenPiece {
  /** Where it lies, holes counted. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface OpenBox {
  /** Of the size field in the buffer. */
  readonly at: number;
  /** Where the box begins, holes counted. */
  readonly offset: number;
}

interface Hole {
  /** Where in the buffer it lies: between two bytes. */
  readonly at: number;
  readonly lengthBytes: number;
}

/** The writer; see the file's comment. Every method returns the writer, so that the fields of a box read as a row. */
export class BoxWriter {
  private buffer: Uint8Array;
  private view: DataView;
  private end = 0;
  private readonly open: OpenBox[] = [];
  private readonly holes: Hole[] = [];
  private holeBytes = 0;

  /** `bytes`: what the buffer holds before it grows. */
  constructor(bytes = 2048) {
    this.buffer = new Uint8Array(bytes);
    this.view = new DataView(this.buffer.buffer);
  }

  /** Bytes so far, holes counted: the offset of what is written next. */
  get offset(): number {
    return this.end + this.holeBytes;
  }

  /** Begins a box; every one is ended with `finish`. `type`: four ASCII characters. */
  begin(type: string): this {
    this.open.push({ at: this.end, offset: this.offset });
    return this.u32(0).fourcc(type);
  }

  /** Begins a box with version and flags (§4.2.2). */
  beginFull(type: string, version: number, flags: number): this {
    return this.begin(type).u8(version).u24(flags);
  }

  /** Ends the box that was begun last. Throws CameraError 'internal' when there is none, or it has 4 GiB or more. */
  finish(): this {
    const box = this.open.pop();
    if (!box) throw new CameraError('internal', 'A box is ended that was not begun.');
    const lengthBytes = this.offset - box.offset;
    if (lengthBytes > 0xffff_ffff)
      throw new CameraError('internal', 'A box is larger than its size field.', { lengthBytes });
    this.view.setUint32(box.at, lengthBytes);
    return this;
  }

  u8(value: number): this {
    const at = this.take(1);
    this.view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.take(2);
    this.view.setUint16(at, value);
    return this;
  }

  u24(value: number): this {
    return this.u8(value >>> 16).u16(value & 0xffff);
  }

  u32(value: number): this {
    const at = this.take(4);
    this.view.setUint32(at, value);
    return this;
  }

  /** 64 bits, signed or not; a whole number of at most 53 bits. */
  u64(value: number): this {
    return this.u32(Math.floor(value / 2 ** 32)).u32(value);
  }

  /** 16.16 fixed point. */
  fixed16(value: number): this {
    return this.u32(Math.round(value * 65_536));
  }

  /** 8.8 fixed point. */
  fixed8(value: number): this {
    return this.u16(Math.round(value * 256));
  }

  /** A double of IEEE 754. */
  f64(value: number): this {
    const at = this.take(8);
    this.view.setFloat64(at, value);
    return this;
  }

  /** Four ASCII characters. */
  fourcc(type: string): this {
    const at = this.take(4);
    for (let i = 0; i < 4; i++) this.buffer[at + i] = type.charCodeAt(i);
    return this;
  }

  /** A null-terminated string of ASCII characters. */
  text(value: string): this {
    for (let i = 0; i < value.length; i++) this.u8(value.charCodeAt(i) & 0x7f);
    return this.u8(0);
  }

  /** Copies bytes. */
  bytes(value: Uint8Array): this {
    const at = this.take(value.length);
    this.buffer.set(value, at);
    return this;
  }

  zeros(count: number): this {
    // The buffer is new memory, so nothing else can be there.
    this.take(count);
    return this;
  }

  /** Leaves out bytes that are made elsewhere. */
  hole(lengthBytes: number): this {
    this.holes.push({ at: this.end, lengthBytes });
    this.holeBytes += lengthBytes;
    return this;
  }

  /** All that was written, without holes. Owned by the writer: it is done then. Throws when a box is open. */
  result(): Uint8Array {
    this.requireEnded();
    return this.buffer.subarray(0, this.end);
  }

  /** What was written, cut at the holes, by offset; empty pieces are left out. Throws when a box is open. */
  pieces(): WrittenPiece[] {
    this.requireEnded();
    const pieces: WrittenPiece[] = [];
    let at = 0;
    let offset = 0;
    for (const hole of [...this.holes, { at: this.end, lengthBytes: 0 }]) {
      if (hole.at > at) pieces.push({ offset, bytes: this.buffer.subarray(at, hole.at) });
      offset += hole.at - at + hole.lengthBytes;
      at = hole.at;
    }
    return pieces;
  }

  private requireEnded(): void {
    if (this.open.length > 0) throw new CameraError('internal', 'A box was not ended.');
  }

  /** Room for `count` bytes; their offset in the buffer. The buffer may be another one afterwards. */
  private take(count: number): number {
    const at = this.end;
    this.end += count;
    if (this.end > this.buffer.length) {
      const larger = new Uint8Array(2 * this.end);
      larger.set(this.buffer.subarray(0, at));
      this.buffer = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }
}
