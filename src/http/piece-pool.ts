/**
 * A few buffers of equal size that are lent one at a time, to whoever has waited longest. Main thread.
 */

/** The pool; buffers are made when they are first needed, and kept. */
export class PiecePool {
  private readonly bytes: number;
  private readonly free: Uint8Array[] = [];
  private readonly waiting: ((buffer: Uint8Array) => void)[] = [];
  private leftToMake: number;

  /** @param count buffers at most, of so many bytes. */
  constructor(count: number, bytes: number) {
    this.leftToMake = count;
    this.bytes = bytes;
  }

  /** Borrows a buffer with any content; {@link give} it back. */
  take(): Promise<Uint8Array> {
    const buffer = this.free.pop() ?? this.make();
    return buffer ? Promise.resolve(buffer) : new Promise(resolve => this.waiting.push(resolve));
  }

  /** Gives a buffer back. */
  give(buffer: Uint8Array): void {
    const next = this.waiting.shift();
    if (next) next(buffer);
    else this.free.push(buffer);
  }

  private make(): Uint8Array | undefined {
    if (this.leftToMake === 0) return undefined;
    this.leftToMake -= 1;
    return new Uint8Array(this.bytes);
  }
}
