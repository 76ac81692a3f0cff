/**
 * Writes what a sender tells its receiver over RTCP: a compound packet of sender report (RFC 3550 §6.4.1), source
 * description with the CNAME (§6.5.1) and, when the stream ends, BYE (§6.6).
 *
 * The functions write into a caller's buffer and return the bytes written; nothing is allocated. Report blocks are left
 * out because the camera receives no media; XR and feedback because it asks for nothing. Pure; any thread.
 */
import { RtcpType, rtcpHeaderBytes } from './rtcp-types.ts';

/** The sender information of one stream. All numbers are unsigned 32 bits and wrap. */
export interface SenderReport {
  readonly ssrc: number;
  /** NTP time (ntp.ts) of the moment that `rtpTimestamp` names; lip sync rests on this pair. */
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly rtpTimestamp: number;
  /** RTP packets sent since the start of the stream. */
  readonly packetCount: number;
  /** Payload bytes sent, without headers and padding. */
  readonly octetCount: number;
}

/** Bytes of a sender report without report blocks. */
export const senderReportBytes = 28;
/** Bytes of a BYE for one source and without a reason. */
export const goodbyeBytes = 8;

const version = 2 << 6;
const itemCname = 1;

/** Bytes of a source description with one CNAME of `cnameBytes`: the item list ends with at least one zero byte. */
export function sourceDescriptionBytes(cnameBytes: number): number {
  return rtcpHeaderBytes + ((4 + 2 + cnameBytes + 1 + 3) & ~3);
}

/** Writes a sender report without report blocks. */
export function writeSenderReport(target: Uint8Array, offset: number, report: SenderReport): number {
  writeHeader(target, offset, 0, RtcpType.senderReport, senderReportBytes);
  writeUint32(target, offset + 4, report.ssrc);
  writeUint32(target, offset + 8, report.ntpSeconds);
  writeUint32(target, offset + 12, report.ntpFraction);
  writeUint32(target, offset + 16, report.rtpTimestamp);
  writeUint32(target, offset + 20, report.packetCount);
  writeUint32(target, offset + 24, report.octetCount);
  return senderReportBytes;
}

/** Writes a source description with one chunk and in it one item, `cname` in UTF-8 (at most 255: §6.5, the length field has 8 bits). */
export function writeSourceDescription(
  target: Uint8Array,
  offset: number,
  ssrc: number,
  cname: Uint8Array,
): number {
  const bytes = sourceDescriptionBytes(cname.length);
  writeHeader(target, offset, 1, RtcpType.sourceDescription, bytes);
  writeUint32(target, offset + 4, ssrc);
  target[offset + 8] = itemCname;
  target[offset + 9] = cname.length;
  target.set(cname, offset + 10);
  target.fill(0, offset + 10 + cname.length, offset + bytes);
  return bytes;
}

/** Writes a BYE for one source. */
export function writeGoodbye(target: Uint8Array, offset: number, ssrc: number): number {
  writeHeader(target, offset, 1, RtcpType.goodbye, goodbyeBytes);
  writeUint32(target, offset + 4, ssrc);
  return goodbyeBytes;
}

/** Writes the compound packet of one stream: SR, SDES and, if `goodbye`, BYE. Returns its bytes. */
export function writeSenderCompound(
  target: Uint8Array,
  offset: number,
  report: SenderReport,
  cname: Uint8Array,
  goodbye: boolean,
): number {
  let at = offset + writeSenderReport(target, offset, report);
  at += writeSourceDescription(target, at, report.ssrc, cname);
  if (goodbye) at += writeGoodbye(target, at, report.ssrc);
  return at - offset;
}

function writeHeader(target: Uint8Array, offset: number, count: number, type: number, bytes: number): void {
  const words = bytes / 4 - 1;
  target[offset] = version | count;
  target[offset + 1] = type;
  target[offset + 2] = words >> 8;
  target[offset + 3] = words;
}

function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
}
