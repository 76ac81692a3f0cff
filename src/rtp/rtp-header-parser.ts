/**
 * Reads the header of an RTP packet (RFC 3550 §5.1; extensions by RFC 8285 §4.2 and §4.3): for tests and tools.
 *
 * The camera itself receives no RTP, so this allocates and takes its time; it is strict all the same: whatever does not
 * fit its own length fields is `undefined`, and it never throws. Pure; any thread.
 */

/** One RTP packet; the views point into the packet's bytes. */
export interface ParsedRtpPacket {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly rtpTimestamp: number;
  readonly ssrc: number;
  /** Bytes before the payload: fixed header, CSRCs, extension block. */
  readonly headerBytes: number;
  /** The data of the extension elements by ID, without their ID and length. */
  readonly extensions: ReadonlyMap<number, Uint8Array>;
  /** Without RTP padding. */
  readonly payload: Uint8Array;
}

/** Parses one packet, or returns `undefined` for what is no RTP packet of version 2. `bytes` is borrowed. */
export function parseRtpPacket(bytes: Uint8Array): ParsedRtpPacket | undefined {
  if (bytes.length < 12 || bytes[0]! >> 6 !== 2) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 12 + 4 * (bytes[0]! & 0x0f);
  const extensions = new Map<number, Uint8Array>();
  if (bytes[0]! & 0x10) {
    if (at + 4 > bytes.length) return undefined;
    const profile = view.getUint16(at);
    const end = at + 4 + 4 * view.getUint16(at + 2);
    if (end > bytes.length) return undefined;
    if (!readElements(bytes, profile, at + 4, end, extensions)) return undefined;
    at = end;
  }
  const paddingBytes = bytes[0]! & 0x20 ? bytes[bytes.length - 1]! : 0;
  const payloadEnd = bytes.length - paddingBytes;
  if (at > payloadEnd || (bytes[0]! & 0x20 && paddingBytes === 0)) return undefined;
  return {
    marker: (bytes[1]! & 0x80) !== 0,
    payloadType: bytes[1]! & 0x7f,
    sequenceNumber: view.getUint16(2),
    rtpTimestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    headerBytes: at,
    extensions,
    payload: bytes.subarray(at, payloadEnd),
  };
}

/** Reads one-byte (0xBEDE) or two-byte (0x100x) elements; other profiles are skipped. False: an element overruns. */
function readElements(
  bytes: Uint8Array,
  profile: number,
  start: number,
  end: number,
  extensions: Map<number, Uint8Array>,
): boolean {
  const oneByte = profile === 0xbede;
  if (!oneByte && profile >> 4 !== 0x100) return true;
  for (let at = start; at < end; ) {
    const first = bytes[at]!;
    if (first === 0) {
      at++; // Padding.
      continue;
    }
    if (!oneByte && at + 2 > end) return false;
    const id = oneByte ? first >> 4 : first;
    const length = oneByte ? (first & 0x0f) + 1 : bytes[at + 1]!;
    // RFC 8285 §4.2: ID 15 ends the processing of the block.
    if (oneByte && id === 15) return true;
    const data = at + (oneByte ? 1 : 2);
    if (data + length > end) return false;
    if (id !== 0) extensions.set(id, bytes.subarray(data, data + length));
    at = data + length;
  }
  return true;
}
