/**
 * The header of an RTP packet, written into a caller's buffer: the fixed part (RFC 3550 §5.1) and header extensions in
 * the one-byte form (RFC 8285 §4.2), of which two matter to a live camera: playout-delay and abs-capture-time.
 *
 * Each function returns the bytes it wrote and checks nothing: rtp-stream-header.ts checks the negotiated values once.
 * Left out: the transport-wide sequence number. It counts all packets of a transport in sending order, so a packet
 * sent again would have to differ from the first time (resending unchanged bytes is our nonce safety), and it only
 * serves a bandwidth estimator, which a camera whose encoder is shared by all viewers has no use for. CSRC lists:
 * nothing is mixed here. Pure; any thread.
 */

/** Bytes of the fixed header without CSRCs. */
export const rtpFixedHeaderBytes = 12;
/** Bytes before the first extension element: "defined by profile" and length. */
export const extensionBlockHeaderBytes = 4;
/** Element with its ID byte: two times 12 bits. */
export const playoutDelayBytes = 4;
/** Element with its ID byte: an NTP timestamp in 64 bits. */
export const absCaptureTimeBytes = 9;

/** URI in `a=extmap` of the element that {@link writePlayoutDelay} writes. */
export const playoutDelayUri = 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay';
/** URI in `a=extmap` of the element that {@link writeAbsCaptureTime} writes. */
export const absCaptureTimeUri = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time';

/** Unit of both delays in the playout-delay element, and their largest value. */
export const playoutDelayUnitMs = 10;
export const playoutDelayMsMax = 4095 * playoutDelayUnitMs;

const versionBits = 2 << 6;
const extensionBit = 0x10;
const markerBit = 0x80;

/** Writes the fixed header. All numbers are taken modulo their field's size. */
export function writeRtpFixedHeader(
  target: Uint8Array,
  offset: number,
  hasExtension: boolean,
  marker: boolean,
  payloadType: number,
  sequenceNumber: number,
  rtpTimestamp: number,
  ssrc: number,
): number {
  target[offset] = versionBits | (hasExtension ? extensionBit : 0);
  target[offset + 1] = (marker ? markerBit : 0) | (payloadType & 0x7f);
  target[offset + 2] = sequenceNumber >>> 8;
  target[offset + 3] = sequenceNumber;
  writeUint32(target, offset + 4, rtpTimestamp);
  writeUint32(target, offset + 8, ssrc);
  return rtpFixedHeaderBytes;
}

/** Bytes of a block with `elementBytes` of elements: 0 without any, else with its header and padded to 32-bit words. */
export function extensionBlockBytes(elementBytes: number): number {
  return elementBytes === 0 ? 0 : extensionBlockHeaderBytes + ((elementBytes + 3) & ~3);
}

/** Writes the block's header for `elementBytes` of elements; the padding behind them must be zero bytes. */
export function writeExtensionBlockHeader(target: Uint8Array, offset: number, elementBytes: number): number {
  const words = (elementBytes + 3) >> 2;
  target[offset] = 0xbe;
  target[offset + 1] = 0xde;
  target[offset + 2] = words >> 8;
  target[offset + 3] = words;
  return extensionBlockHeaderBytes;
}

/** Writes a playout-delay element with ID 1–14; delays in ms from 0 to {@link playoutDelayMsMax}, rounded to 10 ms. */
export function writePlayoutDelay(
  target: Uint8Array,
  offset: number,
  id: number,
  minMs: number,
  maxMs: number,
): number {
  const min = Math.round(minMs / playoutDelayUnitMs);
  const max = Math.round(maxMs / playoutDelayUnitMs);
  writeElementHeader(target, offset, id, playoutDelayBytes);
  target[offset + 1] = min >> 4;
  target[offset + 2] = ((min & 0x0f) << 4) | (max >> 8);
  target[offset + 3] = max;
  return playoutDelayBytes;
}

/**
 * Writes an abs-capture-time element with ID 1–14 in its short form (no clock offset: the capture clock is ours).
 * The time is that of the frame's capture, as NTP seconds and fraction (ntp.ts).
 */
export function writeAbsCaptureTime(
  target: Uint8Array,
  offset: number,
  id: number,
  ntpSeconds: number,
  ntpFraction: number,
): number {
  writeElementHeader(target, offset, id, absCaptureTimeBytes);
  writeUint32(target, offset + 1, ntpSeconds);
  writeUint32(target, offset + 5, ntpFraction);
  return absCaptureTimeBytes;
}

/** ID and length minus one, where the length counts the data behind this byte. */
function writeElementHeader(target: Uint8Array, offset: number, id: number, elementBytes: number): void {
  target[offset] = (id << 4) | (elementBytes - 2);
}

function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
}
