/**
 * G.711 into RTP payloads (RFC 3551 §4.5.14): the payload is the samples, one byte each, with no header of its own.
 *
 * A record is one packet (20 ms: 160 bytes). A longer one than the limit becomes several packets, evenly sized; each
 * but the first then has its own RTP timestamp, later by the samples before it, which is `bodyStart` of its row minus
 * that of row 0, because a sample is a byte. The marker bit of audio names the first packet after a silence (RFC 3551
 * §4.1) and therefore is the sender's business, unlike video's. Any thread.
 */
import { checkPayloadLimit } from './fragment-rows.ts';
import type { PacketTable } from './packet-table.ts';
import type { Payloader, PayloadSource } from './payloader.ts';

/** Payloader of a PCMU or PCMA track; has no state. */
export class G711Payloader implements Payloader {
  split(source: PayloadSource, maxPayloadBytes: number, table: PacketTable): number {
    checkPayloadLimit(maxPayloadBytes);
    table.reset();
    for (let i = 0; i < source.nalCount; i++) {
      const end = source.nalEnd(i);
      let at = source.nalStart(i);
      const packets = Math.ceil((end - at) / maxPayloadBytes);
      const packetBytes = Math.ceil((end - at) / packets);
      for (; at < end; at += packetBytes) table.add(0, 0, at, Math.min(packetBytes, end - at));
    }
    return table.count;
  }
}
