/**
 * The contract of all payloaders: split the bytes of one record into RTP payloads without copying them.
 *
 * The input is a ring record: `bytes` with NAL unit i at [nalStart(i), nalEnd(i)); for audio one "NAL unit" that is
 * the whole frame. Implementations: h264-payloader.ts (RFC 6184 §5.4, §5.6–5.8), h265-payloader.ts (RFC 7798 §4.4),
 * g711-payloader.ts (RFC 3551 §4.5.14). One conformance suite runs against each.
 */
import type { PacketTable } from './packet-table.ts';

/** What a payloader reads: a ring record, or anything shaped like it. Borrowed for the call. */
export interface PayloadSource {
  readonly bytes: Uint8Array;
  readonly nalCount: number;
  /** Offset of NAL unit i's first byte in `bytes` (its header, behind the length prefix). */
  nalStart(i: number): number;
  /** Offset just behind NAL unit i. */
  nalEnd(i: number): number;
}

export interface Payloader {
  /**
   * Splits `source` into payloads of at most `maxPayloadBytes` and writes them to `table` (reset first).
   * Returns the number of packets. Pure: the same input always gives the same table, as retransmission needs.
   */
  split(source: PayloadSource, maxPayloadBytes: number, table: PacketTable): number;
}
