/**
 * Reads compound RTCP packets of a receiver (RFC 3550 §6, RFC 4585 §6, reduced-size ones by RFC 5506 too) and tells a
 * visitor what a sender wants to know: report blocks, generic NACK, PLI, FIR, BYE. Everything else is skipped by its
 * own length: REMB and transport-wide feedback, SDES, XR, APP.
 *
 * All framing of the compound packet is checked before the first event is given, so a packet is taken whole or not at
 * all; no sub-packet is ever read past its own end (a NACK followed by REMB must not become losses). Under a flood
 * nothing is allocated: the report block and the list of sequence numbers are reused. Any thread; one parser a thread.
 * Input is untrusted even after decryption: nothing here throws or loops beyond the packet.
 */

import {
  PayloadFeedback,
  RtcpType,
  reportBlockBytes,
  rtcpHeaderBytes,
  TransportFeedback,
} from './rtcp-types.ts';
import { nackedPacketsMax, rtcpBytesMax } from './rtp-limits.ts';

/** One report block (RFC 3550 §6.4.1). Reused: valid during the visitor's call only. */
export class ReportBlock {
  /** Who reports. */
  reporterSsrc = 0;
  /** The stream that is reported on: one of ours, if it is for us. */
  ssrc = 0;
  /** Loss since the last report in 1/256, 0–255. */
  fractionLost = 0;
  /** Packets lost since the start, signed 24 bits; negative when duplicates came. */
  cumulativeLost = 0;
  /** Sequence number cycles in the upper 16 bits, highest sequence number received in the lower. */
  extendedHighestSequence = 0;
  /** Interarrival jitter in units of the RTP clock. */
  jitter = 0;
  /** Middle 32 bits of the NTP time of our last sender report that arrived; 0: none. */
  lastSenderReport = 0;
  /** Since that arrived, in 1/65536 s. */
  delaySinceLastSenderReport = 0;
}

/** What a parser reports. SSRCs are unsigned 32 bits and unchecked: the visitor decides whether they are its own. */
export interface RtcpVisitor {
  onReportBlock(block: Readonly<ReportBlock>): void;
  /** `count` sequence numbers in `sequenceNumbers`, reused: valid during the call. May name one twice. */
  onNack(mediaSsrc: number, sequenceNumbers: Uint16Array, count: number): void;
  onPictureLoss(mediaSsrc: number): void;
  /** `commandNumber` (8 bits) stays the same while the receiver repeats one request (RFC 5104 §4.3.1.1). */
  onFullIntraRequest(mediaSsrc: number, commandNumber: number): void;
  /** The source leaves: the peer's own SSRC. */
  onGoodbye(ssrc: number): void;
}

export class RtcpParser {
  private readonly block = new ReportBlock();
  private readonly sequenceNumbers = new Uint16Array(nackedPacketsMax);
  /** How many sequence numbers the current compound packet may still name. */
  private nackBudget = 0;

  /**
   * Parses one compound packet and calls `visitor` for what is in it, in order. Returns false, without a call, for
   * bytes that are no well-formed RTCP or more than `rtcpBytesMax`. `bytes` is borrowed for the call.
   */
  parse(bytes: Uint8Array, visitor: RtcpVisitor): boolean {
    if (!isWellFormed(bytes)) return false;
    this.nackBudget = nackedPacketsMax;
    for (let at = 0; at < bytes.length; ) {
      const next = at + packetBytes(bytes, at);
      this.visit(bytes, at, contentEnd(bytes, at, next), visitor);
      at = next;
    }
    return true;
  }

  /** One sub-packet at [at, end); its fixed part is known to be there. */
  private visit(bytes: Uint8Array, at: number, end: number, visitor: RtcpVisitor): void {
    const count = bytes[at]! & 0x1f;
    switch (bytes[at + 1]) {
      case RtcpType.senderReport:
        this.visitReports(bytes, at, at + 28, count, visitor);
        break;
      case RtcpType.receiverReport:
        this.visitReports(bytes, at, at + 8, count, visitor);
        break;
      case RtcpType.goodbye:
        for (let k = 0; k < count; k++) visitor.onGoodbye(uint32(bytes, at + 4 + 4 * k));
        break;
      case RtcpType.transportFeedback:
        if (count === TransportFeedback.genericNack) this.visitNack(bytes, at, end, visitor);
        break;
      case RtcpType.payloadFeedback:
        if (count === PayloadFeedback.pictureLossIndication) visitor.onPictureLoss(uint32(bytes, at + 8));
        // RFC 5104 §4.3.1: the streams are named in the entries, the header's media SSRC is unused.
        else if (count === PayloadFeedback.fullIntraRequest)
          for (let k = at + 12; k + 8 <= end; k += 8)
            visitor.onFullIntraRequest(uint32(bytes, k), bytes[k + 4]!);
        break;
    }
  }

  private visitReports(
    bytes: Uint8Array,
    packet: number,
    first: number,
    count: number,
    visitor: RtcpVisitor,
  ): void {
    const { block } = this;
    block.reporterSsrc = uint32(bytes, packet + 4);
    for (let k = 0; k < count; k++) {
      const at = first + reportBlockBytes * k;
      block.ssrc = uint32(bytes, at);
      block.fractionLost = bytes[at + 4]!;
      // The shift to the left and back extends the sign of the 24 bits.
      block.cumulativeLost = (uint32(bytes, at + 4) << 8) >> 8;
      block.extendedHighestSequence = uint32(bytes, at + 8);
      block.jitter = uint32(bytes, at + 12);
      block.lastSenderReport = uint32(bytes, at + 16);
      block.delaySinceLastSenderReport = uint32(bytes, at + 20);
      visitor.onReportBlock(block);
    }
  }

  /** RFC 4585 §6.2.1: entries of a packet ID and a bit mask of the 16 packets behind it. */
  private visitNack(bytes: Uint8Array, packet: number, end: number, visitor: RtcpVisitor): void {
    const { sequenceNumbers } = this;
    let count = 0;
    for (let at = packet + 12; at + 4 <= end; at += 4) {
      const packetId = (bytes[at]! << 8) | bytes[at + 1]!;
      const mask = (bytes[at + 2]! << 8) | bytes[at + 3]!;
      if (count < this.nackBudget) sequenceNumbers[count++] = packetId;
      for (let bit = 0; bit < 16; bit++)
        if ((mask >> bit) & 1 && count < this.nackBudget) sequenceNumbers[count++] = packetId + 1 + bit;
    }
    this.nackBudget -= count;
    if (count > 0) visitor.onNack(uint32(bytes, packet + 8), sequenceNumbers, count);
  }
}

/** Whether `bytes` are whole sub-packets one behind the other, each large enough for its type and count. */
function isWellFormed(bytes: Uint8Array): boolean {
  const { length } = bytes;
  if (length < rtcpHeaderBytes || length > rtcpBytesMax || length % 4 !== 0) return false;
  for (let at = 0; at < length; ) {
    const first = bytes[at]!;
    const type = bytes[at + 1]!;
    const next = at + packetBytes(bytes, at);
    // RFC 5761 §4: RTCP packet types on a shared port are 192–223.
    if (first >> 6 !== 2 || type < 192 || type > 223 || next > length) return false;
    if (first & 0x20) {
      // RFC 3550 §6.4.1: padding is on the last packet only, and counts itself, in words.
      const padding = bytes[next - 1]!;
      if (next !== length || padding === 0 || padding % 4 !== 0) return false;
    }
    if (contentEnd(bytes, at, next) - at < contentBytesMin(type, first & 0x1f)) return false;
    at = next;
  }
  return true;
}

/** Bytes of the sub-packet at `at` by its length field: at least the 4 of the header, so that a walk always ends. */
function packetBytes(bytes: Uint8Array, at: number): number {
  return 4 * (((bytes[at + 2]! << 8) | bytes[at + 3]!) + 1);
}

/** Where the sub-packet [at, next) ends without its padding. */
function contentEnd(bytes: Uint8Array, at: number, next: number): number {
  return bytes[at]! & 0x20 ? next - bytes[next - 1]! : next;
}

/** The least a sub-packet must hold for its type and its count (or FMT). */
function contentBytesMin(type: number, count: number): number {
  switch (type) {
    case RtcpType.senderReport:
      return 28 + reportBlockBytes * count;
    case RtcpType.receiverReport:
      return 8 + reportBlockBytes * count;
    case RtcpType.goodbye:
      return 4 + 4 * count;
    case RtcpType.transportFeedback:
    case RtcpType.payloadFeedback:
      return 12;
    default:
      return rtcpHeaderBytes;
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
