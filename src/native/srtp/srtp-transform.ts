/**
 * What the two SRTP profiles have in common: the contract, and the check of a packet's arguments. A wrong index would
 * encrypt two packets with one key stream, or one that the receiver cannot open, so it is an error and not a lost
 * packet.
 *
 * The checks are cheap and allocate nothing. Objects are not shared between threads; the live worker is the caller.
 */
import { CameraError } from '../../base/errors.ts';

/** Packet indexes end here (RFC 3711 §3.3.1): 32 bits of roll-over counter and 16 of sequence number. */
export const packetIndexLimit = 2 ** 48;

/** Bytes of the largest SRTP packet: what a UDP datagram over IPv4 can hold. */
export const srtpPacketBytesMax = 65_507;

/** SRTP of one outgoing stream under one profile, with session keys. */
export interface SrtpTransform {
  /** What SRTP adds to a packet: the tag, 16 bytes for GCM and 10 for CM. */
  readonly overheadBytes: number;

  /**
   * Protects one RTP packet: the header (first `headerLength` bytes of `header`, a multiple of 4, extensions included,
   * not encrypted), and the payload, which is `prefixLength` bytes of `prefix` followed by `bodyLength` bytes of `body`
   * (which may be a view over a SharedArrayBuffer). All three are borrowed for the call.
   *
   * `index` = roll-over counter · 2^16 + sequence number, below 2^48; its lower 16 bits are the header's sequence
   * number. See the nonce safety in srtp-sender.ts. Returns the whole SRTP packet, owned by the caller. Throws
   * CameraError `internal` for arguments that break these rules.
   */
  protect(
    header: Uint8Array,
    headerLength: number,
    prefix: Uint8Array,
    prefixStart: number,
    prefixLength: number,
    body: Uint8Array,
    bodyStart: number,
    bodyLength: number,
    index: number,
  ): Uint8Array;
}

/** Throws CameraError `internal` for an index, a header or a length that {@link SrtpTransform} does not take. */
export function checkSrtpPacket(
  header: Uint8Array,
  headerLength: number,
  packetBytes: number,
  index: number,
): void {
  if (
    index >= 0 &&
    index < packetIndexLimit &&
    // Also false for fractions and NaN.
    ((header[2]! << 8) | header[3]!) === index % 65536 &&
    headerLength >= 12 &&
    headerLength % 4 === 0 &&
    headerLength <= header.length &&
    packetBytes <= srtpPacketBytesMax
  )
    return;
  throw new CameraError('internal', 'the packet cannot be protected by SRTP', {
    index,
    headerLength,
    packetBytes,
  });
}
