/**
 * The fragmentation of one NAL unit (FU-A, RFC 6184 §5.8; FU, RFC 7798 §4.4.3) and the check of the payload limit:
 * what both video payloaders share besides aggregation.
 *
 * Fragments are of *even* size rather than filled to the limit: the smallest number of packets first, then the same
 * length for all of them, the last one shorter by a few bytes at most. UDP generic segmentation offload (UDP_SEGMENT)
 * sends a run of equally long datagrams whose last may be shorter as one call, so a slice is one such run; and no
 * packet of a slice is a tiny one. The first packet of a key frame (parameter sets) is a run of its own: padding it to
 * the length of the others would cost bandwidth for one system call a second.
 */
import { CameraError } from '../base/errors.ts';
import type { PacketTable } from './packet-table.ts';
import { payloadBytesMax, payloadBytesMin } from './rtp-limits.ts';

/** Throws CameraError `internal` unless `maxPayloadBytes` is an integer that the payloaders can keep to. */
export function checkPayloadLimit(maxPayloadBytes: number): void {
  if (
    !Number.isInteger(maxPayloadBytes) ||
    maxPayloadBytes < payloadBytesMin ||
    maxPayloadBytes > payloadBytesMax
  )
    throw new CameraError('internal', 'the RTP payload limit is out of range', { maxPayloadBytes });
}

/**
 * Adds rows for the bytes [start, end) of the record, `roomBytes` at most in each and evenly sized. The prefix of the
 * first, of the middle and of the last fragment lie one behind the other at `prefixStart`, `prefixLength` bytes each.
 * `end - start` must be greater than `roomBytes`: a single fragment is forbidden by both RFCs.
 */
export function addFragmentRows(
  table: PacketTable,
  prefixStart: number,
  prefixLength: number,
  start: number,
  end: number,
  roomBytes: number,
): void {
  const fragments = Math.ceil((end - start) / roomBytes);
  const fragmentBytes = Math.ceil((end - start) / fragments);
  let at = start + fragmentBytes;
  table.add(prefixStart, prefixLength, start, fragmentBytes);
  for (; end - at > fragmentBytes; at += fragmentBytes)
    table.add(prefixStart + prefixLength, prefixLength, at, fragmentBytes);
  table.add(prefixStart + 2 * prefixLength, prefixLength, at, end - at);
}
