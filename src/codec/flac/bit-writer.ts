/**
 * Writes numbers of any width up to 25 bits, most significant bit first, into a buffer of the caller.
 *
 * The buffer's owner knows beforehand that all will fit; bytes beyond its end are lost silently, as with any typed
 * array. Pure; nothing is allocated; any thread.
 */

export class BitWriter {
  private readonly target: Uint8Array;
  private at = 0;
  /** Bits that wait, in the low end; what lies above them was written before. */
  private waiting = 0;
  private waitingBits = 0;

  /** @param target written from its beginning; not owned. */
  constructor(target: Uint8Array) {
    this.target = target;
  }

  /** Bytes that are complete. */
  get lengthBytes(): number {
    return this.at;
  }

  /** Begins anew at the beginning of the buffer. */
  reset(): void {
    this.at = 0;
    this.waitingBits = 0;
  }

  /**
   * Appends the low `bits` of `value`, whose other bits must be 0; at most 25, as up to 7 wait for their byte and 32 is
   * the width of a register.
   */
  put(value: number, bits: number): void {
    const waiting = (this.waiting << bits) | value;
    let left = this.waitingBits + bits;
    while (left >= 8) {
      left -= 8;
      this.target[this.at++] = waiting >>> left;
    }
    this.waiting = waiting;
    this.waitingBits = left;
  }

  /** Fills the last byte with zeros. */
  align(): void {
    if (this.waitingBits > 0) this.put(0, 8 - this.waitingBits);
  }
}
