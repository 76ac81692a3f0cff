/**
 * A few buffers of equal size that are lent one at a time, to whoever has waited longest.
 *
 * A borrower that waits for its client may keep its buffer with what is in it; it loses it as soon as another borrower needs
 * one and none is free, the one that has kept its buffer longest first. Main thread.
 */

/** The pool; buffers are made when they are first needed, and kept. */
export class PiecePool {
  private readonly bytes: number;
  private readonly free: Uint8Array[] = [];
  private readonly waiting: ((buffer: Uint8Array) => void)[] = [];
  /** The kept ones, with what their keepers are told; the one that is kept longest comes first. */
  private readonly kept = new Map<Uint8Array, () => void>();
  private leftToMake: number;

  /** @param count buffers at most, of so many bytes. */
  constructor(count: number, bytes: number) {
    this.leftToMake = count;
    this.bytes = bytes;
  }

  /** Borrows a buffer with any content; {@link give} it back. */
  take(): Promise<Uint8Array> {
    const buffer = this.free.pop() ?? this.make() ?? this.callBack();
    return buffer ? Promise.resolve(buffer) : new Promise(resolve => this.waiting.push(resolve));
  }

  /** Gives a buffer back, also one that is kept. */
  give(buffer: Uint8Array): void {
    this.kept.delete(buffer);
    const next = this.waiting.shift();
    if (next) next(buffer);
    else this.free.push(buffer);
  }

  /** Whether somebody waits for a buffer. */
  get isWanted(): boolean {
    return this.waiting.length > 0;
  }

  /**
   * Keeps a borrowed buffer with what is in it; only while nobody waits for one.
   *
   * @param onLost is called when another needs it; after its return the buffer is the other's.
   */
  keep(buffer: Uint8Array, onLost: () => void): void {
    this.kept.set(buffer, onLost);
  }

  private callBack(): Uint8Array | undefined {
    for (const [buffer, onLost] of this.kept) {
      this.kept.delete(buffer);
      onLost();
      return buffer;
    }
    return undefined;
  }

  private make(): Uint8Array | undefined {
    if (this.leftToMake === 0) return undefined;
    this.leftToMake -= 1;
    return new Uint8Array(this.bytes);
  }
}
