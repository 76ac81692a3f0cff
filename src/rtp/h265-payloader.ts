/**
 * H.265 into RTP payloads (RFC 7798, single RTP stream, no decoding order numbers): single NAL unit packets (§4.4.1),
 * aggregation packets (AP, §4.4.2), fragmentation units (FU, §4.4.3).
 *
 * An aggregation packet is made only where it saves a packet, that is from two units on. Fragments are evenly sized
 * (see fragment-rows.ts). Units of the types 48–63 are not sent: ITU-T H.265 leaves them unspecified and RFC 7798
 * gives 48–50 a meaning of its own, so that a receiver would take them for packets. Nothing is allocated once the
 * table has grown. Any thread. DONL/DOND are left out because sprop-max-don-diff is 0: the camera has no reason to
 * send out of decoding order; PACI (§4.4.4) because nothing needs its extension.
 */
import { addFragmentRows, checkPayloadLimit } from './fragment-rows.ts';
import { NalRun } from './nal-run.ts';
import type { PacketTable } from './packet-table.ts';
import type { Payloader, PayloadSource } from './payloader.ts';

const headerBytes = 2;
const typeAp = 48;
const typeFu = 49;
const maskF = 0x80;
/** In the header's 16 bits: F (1), Type (6), LayerId (6), TID (3). */
const maskLayerId = 0x01f8;
const maskTid = 0x0007;
/** Payload header and FU header. */
const fuPrefixBytes = 3;
const fuStart = 0x80;
const fuEnd = 0x40;

/** By the first byte of a NAL unit: 1 for the types 0–47. */
const sendable = Uint8Array.from({ length: 256 }, (_, byte) => (((byte >> 1) & 0x3f) < typeAp ? 1 : 0));

/** Payloader of one H.265 track; keeps scratch memory only, so the same input always gives the same table. */
export class H265Payloader implements Payloader {
  private readonly run = new NalRun();

  split(source: PayloadSource, maxPayloadBytes: number, table: PacketTable): number {
    checkPayloadLimit(maxPayloadBytes);
    table.reset();
    const { bytes, nalCount } = source;
    for (let i = 0; i < nalCount; ) {
      const start = source.nalStart(i);
      const end = source.nalEnd(i);
      if (end - start > maxPayloadBytes) {
        if (sendable[bytes[start]!] === 1) addFragments(bytes, start, end, maxPayloadBytes, table);
        i++;
      } else {
        i = this.addUnits(source, i, maxPayloadBytes, table);
      }
    }
    return table.count;
  }

  /** Adds one packet with unit i and as many behind it as fit; returns the index of the next unit. */
  private addUnits(source: PayloadSource, i: number, maxPayloadBytes: number, table: PacketTable): number {
    const { run } = this;
    run.collect(source, i, maxPayloadBytes, headerBytes, sendable);
    if (run.count === 1) {
      table.add(0, 0, run.offsets[0]!, run.offsets[1]! - run.offsets[0]!);
    } else if (run.count > 1) {
      const at = run.addAggregate(source.bytes, headerBytes, table);
      const header = apHeader(source.bytes, run);
      table.prefixes[at] = header >> 8;
      table.prefixes[at + 1] = header;
    }
    // Always forwards, even if the bytes changed under our hands.
    return Math.max(run.next, i + 1);
  }
}

/** §4.4.2: F is set when it is set in any unit; LayerId and TID are the lowest of all units. */
function apHeader(bytes: Uint8Array, run: NalRun): number {
  let f = 0;
  let layerId = maskLayerId;
  let tid = maskTid;
  for (let k = 0; k < run.count; k++) {
    const start = run.offsets[2 * k]!;
    const header = (bytes[start]! << 8) | bytes[start + 1]!;
    f |= header & (maskF << 8);
    layerId = Math.min(layerId, header & maskLayerId);
    tid = Math.min(tid, header & maskTid);
  }
  return f | (typeAp << 9) | layerId | tid;
}

function addFragments(
  bytes: Uint8Array,
  start: number,
  end: number,
  limit: number,
  table: PacketTable,
): void {
  const first = bytes[start]!;
  const second = bytes[start + 1]!;
  const at = table.reservePrefix(3 * fuPrefixBytes);
  const { prefixes } = table;
  const type = (first >> 1) & 0x3f;
  // F and the highest bit of LayerId stay; only the type becomes 49.
  const payloadHeader = (first & 0x81) | (typeFu << 1);
  for (let k = 0; k < 3; k++) {
    prefixes[at + 3 * k] = payloadHeader;
    prefixes[at + 3 * k + 1] = second;
    prefixes[at + 3 * k + 2] = type;
  }
  prefixes[at + 2]! |= fuStart;
  prefixes[at + 8]! |= fuEnd;
  // The NAL unit header itself is not sent: the receiver rebuilds it from payload header and type.
  addFragmentRows(table, at, fuPrefixBytes, start + headerBytes, end, limit - fuPrefixBytes);
}
