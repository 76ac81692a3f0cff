/**
 * Where each sent packet came from: a ring of descriptors, so that a lost one can be made again from the frame ring.
 *
 * One per stream, live thread. No packet bytes are kept: a descriptor names the record and the packet within it, and
 * the index and timestamp that the packet had, so that the resent packet is the same to the bit (nonce safety,
 * native/data-plane.ts). The size bounds how far back a NACK (RFC 4585 §6.2.1) can be answered: 2048 packets are two
 * seconds of 8 Mbit/s, more than a jitter buffer waits, and a key frame of 2 MB. Every field holds whatever the ring can
 * hold: a number cut short here would send another packet under a used index.
 */

/** Descriptors kept per stream; a power of two. */
export const historyLength = 2048;

/** A packet that was sent. */
export interface SentPacket {
  recordSequence: number;
  packet: number;
  index: number;
  rtpTimestamp: number;
}

export class PacketHistory {
  private readonly indexes = new Float64Array(historyLength).fill(-1);
  private readonly recordSequences = new Uint32Array(historyLength);
  private readonly packets = new Uint32Array(historyLength);
  private readonly rtpTimestamps = new Uint32Array(historyLength);
  private readonly found: SentPacket = { recordSequence: 0, packet: 0, index: 0, rtpTimestamp: 0 };

  /** Remembers `count` packets from `firstPacket` of a record, sent with the indexes from `firstIndex`. */
  remember(
    firstIndex: number,
    count: number,
    recordSequence: number,
    firstPacket: number,
    rtpTimestamp: number,
  ): void {
    for (let i = 0; i < count; i++) {
      const at = (firstIndex + i) % historyLength;
      this.indexes[at] = firstIndex + i;
      this.recordSequences[at] = recordSequence;
      this.packets[at] = firstPacket + i;
      this.rtpTimestamps[at] = rtpTimestamp;
    }
  }

  /** The packet last sent with this 16-bit sequence number, if it is still remembered. A reused object. */
  find(sequenceNumber: number): SentPacket | undefined {
    const at = sequenceNumber % historyLength;
    const index = this.indexes[at]!;
    if (index < 0 || index % 65536 !== sequenceNumber) return undefined;
    this.found.index = index;
    this.found.recordSequence = this.recordSequences[at]!;
    this.found.packet = this.packets[at]!;
    this.found.rtpTimestamp = this.rtpTimestamps[at]!;
    return this.found;
  }
}
