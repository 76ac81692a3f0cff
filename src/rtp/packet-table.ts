/**
 * The split of one access unit into RTP payloads, made once for all viewers: offsets, not copies.
 *
 * A payload is a short prefix (FU header, aggregation packet) from the table's own bytes followed by a range of the
 * access unit's bytes. The marker bit belongs to the last packet. One table is reused for every frame of a track.
 *
 * ```text
 * row i (4 × Int32):   prefixStart | prefixLength | bodyStart | bodyLength
 *                      in `prefixes`              | in the access unit's bytes
 * ```
 */
export class PacketTable {
  /** Packets of the last split. */
  count = 0;
  /** Rows as drawn above. */
  rows = new Int32Array(4 * 64);
  /** Prefix bytes of all packets. */
  prefixes = new Uint8Array(1024);
  private prefixEnd = 0;

  /** Forgets the last split. */
  reset(): void {
    this.count = 0;
    this.prefixEnd = 0;
  }

  /** Reserves `length` prefix bytes and returns their offset in `prefixes` (which may be a new array afterwards). */
  reservePrefix(length: number): number {
    const start = this.prefixEnd;
    this.prefixEnd += length;
    if (this.prefixEnd > this.prefixes.length) {
      const larger = new Uint8Array(Math.max(this.prefixEnd, 2 * this.prefixes.length));
      larger.set(this.prefixes);
      this.prefixes = larger;
    }
    return start;
  }

  /** Adds a packet; offsets in bytes. */
  add(prefixStart: number, prefixLength: number, bodyStart: number, bodyLength: number): void {
    const row = 4 * this.count++;
    if (row + 4 > this.rows.length) {
      const larger = new Int32Array(2 * this.rows.length);
      larger.set(this.rows);
      this.rows = larger;
    }
    this.rows[row] = prefixStart;
    this.rows[row + 1] = prefixLength;
    this.rows[row + 2] = bodyStart;
    this.rows[row + 3] = bodyLength;
  }

  /** Bytes of packet i's payload. */
  payloadLength(i: number): number {
    return this.rows[4 * i + 1]! + this.rows[4 * i + 3]!;
  }

  /** Writes packet i's payload at `offset` of `target` and returns the bytes written. */
  copyPayload(i: number, source: Uint8Array, target: Uint8Array, offset: number): number {
    const row = 4 * i;
    const prefixStart = this.rows[row]!;
    const prefixLength = this.rows[row + 1]!;
    const bodyStart = this.rows[row + 2]!;
    const bodyLength = this.rows[row + 3]!;
    for (let k = 0; k < prefixLength; k++) target[offset + k] = this.prefixes[prefixStart + k]!;
    target.set(source.subarray(bodyStart, bodyStart + bodyLength), offset + prefixLength);
    return prefixLength + bodyLength;
  }
}
