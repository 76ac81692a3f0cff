/**
 * A run of NAL units that go into one RTP payload together: STAP-A (RFC 6184 §5.7.1) and AP (RFC 7798 §4.4.2) share
 * this shape, a payload header followed by a 16-bit size before each unit.
 *
 * In the record the units lie behind 4-byte lengths, so an aggregation packet is never one range of it. All units but
 * the last are therefore copied into the table's prefix bytes (they are small: together less than one packet) and the
 * last one stays where it is. Units are taken from a ring that may be overwritten meanwhile: every offset and header
 * is read once and kept here, so that a torn record can give wrong bytes but never a wrong size. Any thread; one
 * object a payloader.
 */
import type { PacketTable } from './packet-table.ts';
import type { PayloadSource } from './payloader.ts';
import { aggregatedUnitsMax } from './rtp-limits.ts';

/** Bytes of the size field before each aggregated unit. */
const sizeBytes = 2;

export class NalRun {
  /** Units in the run; 1 means a single NAL unit packet. */
  count = 0;
  /** Index of the first unit of the source that is not part of the run. */
  next = 0;
  /** Start and end offset of unit k at [2 k] and [2 k + 1]. */
  readonly offsets = new Int32Array(2 * aggregatedUnitsMax);
  private totalBytes = 0;

  /**
   * Collects the longest run from unit `first` on that fits into `maxPayloadBytes` behind a payload header of
   * `headerBytes`, which is also the size of a NAL unit header. Units whose first byte has a 0 in `sendable` (256
   * entries) are passed over, and so are those shorter than a header. The run is empty when the first that counts is
   * too large.
   */
  collect(
    source: PayloadSource,
    first: number,
    maxPayloadBytes: number,
    headerBytes: number,
    sendable: Uint8Array,
  ): void {
    const { bytes, nalCount } = source;
    const { offsets } = this;
    let count = 0;
    let total = headerBytes;
    let i = first;
    for (; i < nalCount && count < aggregatedUnitsMax; i++) {
      const start = source.nalStart(i);
      const end = source.nalEnd(i);
      if (end - start < headerBytes || sendable[bytes[start]!] === 0) continue;
      const larger = total + sizeBytes + end - start;
      // The first unit may fit alone and yet not behind an aggregation header.
      if ((count > 0 ? larger : end - start) > maxPayloadBytes) break;
      offsets[2 * count] = start;
      offsets[2 * count + 1] = end;
      count++;
      total = larger;
    }
    this.count = count;
    this.next = i;
    this.totalBytes = total;
  }

  /**
   * Adds the run to `table` as one aggregation packet. Returns the offset in `table.prefixes` at which the caller
   * must write the payload header of `headerBytes`. For runs of two units and more.
   */
  addAggregate(bytes: Uint8Array, headerBytes: number, table: PacketTable): number {
    const { offsets, count } = this;
    const last = count - 1;
    const lastStart = offsets[2 * last]!;
    const lastLength = offsets[2 * last + 1]! - lastStart;
    const prefixLength = this.totalBytes - lastLength;
    const prefixStart = table.reservePrefix(prefixLength);
    const { prefixes } = table;
    let at = prefixStart + headerBytes;
    for (let k = 0; k < count; k++) {
      const start = offsets[2 * k]!;
      const end = offsets[2 * k + 1]!;
      prefixes[at++] = (end - start) >> 8;
      prefixes[at++] = end - start;
      // A loop, not set(): a view for some ten bytes would cost more than they do.
      if (k < last) for (let from = start; from < end; from++) prefixes[at++] = bytes[from]!;
    }
    table.add(prefixStart, prefixLength, lastStart, lastLength);
    return prefixStart;
  }
}
