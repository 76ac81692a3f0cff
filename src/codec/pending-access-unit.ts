/**
 * An access unit under construction: the NAL table grows by one row for each NAL unit and is used again for the next
 * picture, so that cutting a stream allocates nothing per picture. For AccessUnitCutter and LengthPrefixedReader.
 */
import type { AccessUnit } from './access-unit.ts';
import { nalUnitsMax } from './limits.ts';

/** The reused AccessUnit object. */
export class PendingAccessUnit implements AccessUnit {
  bytes: Uint8Array;
  nalTable: Int32Array = new Int32Array(2 * 16);
  nalCount = 0;
  randomAccess = false;
  nonReference = false;
  bidirectional = false;

  /** `bytes` is what the table's offsets point into; it may be replaced. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Adds NAL unit [start, end); false, and nothing added, when the table holds {@link nalUnitsMax} already. */
  add(start: number, end: number): boolean {
    if (this.nalCount === nalUnitsMax) return false;
    const row = 2 * this.nalCount++;
    if (row === this.nalTable.length) {
      const larger = new Int32Array(2 * this.nalTable.length);
      larger.set(this.nalTable);
      this.nalTable = larger;
    }
    this.nalTable[row] = start;
    this.nalTable[row + 1] = end;
    return true;
  }

  /** The bytes were moved towards the front by `distance`. */
  shift(distance: number): void {
    for (let i = 0; i < 2 * this.nalCount; i++) this.nalTable[i] = this.nalTable[i]! - distance;
  }

  /** Empties the table. */
  clear(): void {
    this.nalCount = 0;
  }
}
