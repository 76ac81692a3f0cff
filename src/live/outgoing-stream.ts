/**
 * One RTP stream to one viewer: its indexes, timestamps and counts, and its way through the data plane.
 *
 * Live thread. The 48-bit packet index starts low in its first cycle (RFC 3711 §3.3.1: the receiver takes the roll-over
 * counter to be 0) and only grows; an index that was taken is never given to another packet, also when nothing was
 * sent. What was sent can be sent again, the same to the bit, for as long as its frame is in the ring.
 *
 * All packets of a picture share its timestamp; sound that needs several packets gives each its own, a tick a byte.
 */
import { randomInt } from 'node:crypto';
import type { DataPlane, DataPlaneStream, PacketRun, StreamOptions } from '../native/data-plane.ts';
import type { RingConsumer } from '../ring/ring-consumer.ts';
import type { RingRecord } from '../ring/ring-record.ts';
import { PacketTable } from '../rtp/packet-table.ts';
import { PacketHistory } from './packet-history.ts';
import type { RtpTimestamps } from './rtp-timestamps.ts';

export interface OutgoingStreamOptions extends StreamOptions {
  readonly plane: DataPlane;
  readonly consumer: RingConsumer;
  /** Ticks a second of the timestamps. */
  readonly clockRate: number;
  readonly timestamps: RtpTimestamps;
}

export class OutgoingStream {
  readonly ssrc: number;
  /** RTP packets and payload bytes sent, resent ones included, for sender reports (RFC 3550 §6.4.1). */
  packetsSent = 0;
  bytesSent = 0;
  packetsResent = 0;
  framesSent = 0;
  private readonly plane: DataPlane;
  private readonly consumer: RingConsumer;
  readonly clockRate: number;
  private readonly timestamps: RtpTimestamps;
  private readonly stream: DataPlaneStream;
  private readonly history = new PacketHistory();
  private nextIndex = randomInt(2 ** 14);
  /** Timestamp of the picture whose packets are being sent, unsigned 32-bit. */
  private pictureTimestamp = 0;
  private readonly run: { -readonly [K in keyof PacketRun]: PacketRun[K] };
  private sending: RingRecord | undefined;

  constructor(options: OutgoingStreamOptions) {
    this.ssrc = options.header.ssrc;
    this.plane = options.plane;
    this.consumer = options.consumer;
    this.clockRate = options.clockRate;
    this.timestamps = options.timestamps;
    this.stream = options.plane.openStream(options);
    this.run = {
      bytes: new Uint8Array(0),
      table: new PacketTable(),
      firstPacket: 0,
      packetCount: 0,
      firstIndex: 0,
      rtpTimestamp: 0,
      captureWallUnixMs: 0,
      isIntact: () => this.consumer.validate(this.sending!),
    };
  }

  /** Whether a packet was sent: only then a sender report has something to say. */
  get hasStarted(): boolean {
    return this.packetsSent > 0;
  }

  /**
   * Sends `packetCount` packets of a picture from `firstPacket` on; the pieces of one picture in order, from packet 0
   * on. A picture that is begun again is a new one to the receiver: it gets a later timestamp, or the packets of both
   * would be taken for one picture. Returns false when the record was overwritten meanwhile; nothing of this call was
   * sent then.
   */
  send(record: RingRecord, table: PacketTable, firstPacket: number, packetCount: number): boolean {
    if (firstPacket === 0) this.pictureTimestamp = this.stamp(record);
    if (!this.sendRun(record, table, firstPacket, packetCount, this.pictureTimestamp)) return false;
    if (firstPacket + packetCount === table.count) this.framesSent++;
    return true;
  }

  /** Sends a whole record of sound. Returns false when it was overwritten meanwhile; a part of it may have left. */
  sendSamples(record: RingRecord, table: PacketTable): boolean {
    const first = this.stamp(record);
    const { rows } = table;
    for (let packet = 0; packet < table.count; packet++) {
      const rtpTimestamp = (first + rows[4 * packet + 2]! - rows[2]!) % 2 ** 32;
      if (!this.sendRun(record, table, packet, 1, rtpTimestamp)) return false;
    }
    this.framesSent++;
    return true;
  }

  /**
   * Sends the packet with this 16-bit sequence number again if its frame is still in the ring; `split` must give the
   * same split as the first time. Returns whether it was sent.
   */
  resend(sequenceNumber: number, split: (record: RingRecord) => PacketTable): boolean {
    const sent = this.history.find(sequenceNumber);
    if (!sent) return false;
    const record = this.consumer.read(sent.recordSequence);
    if (!record) return false;
    const table = split(record);
    if (sent.packet >= table.count) return false;
    if (!this.transmit(record, table, sent.packet, 1, sent.index, sent.rtpTimestamp)) return false;
    this.packetsResent++;
    return true;
  }

  /** The RTP timestamp (unsigned 32-bit) that a moment on the capture clock has in this stream, for sender reports. */
  timestampAt(monoUs: number): number {
    return this.timestamps.at(monoUs) % 2 ** 32;
  }

  private stamp(record: RingRecord): number {
    return this.timestamps.stamp(record.captureMonoUs, record.bytes.length) % 2 ** 32;
  }

  /** Takes indexes that nobody had, and remembers what they went to once it has left. */
  private sendRun(
    record: RingRecord,
    table: PacketTable,
    firstPacket: number,
    packetCount: number,
    rtpTimestamp: number,
  ): boolean {
    const firstIndex = this.nextIndex;
    this.nextIndex += packetCount;
    if (!this.transmit(record, table, firstPacket, packetCount, firstIndex, rtpTimestamp)) return false;
    this.history.remember(firstIndex, packetCount, record.sequence, firstPacket, rtpTimestamp);
    return true;
  }

  private transmit(
    record: RingRecord,
    table: PacketTable,
    firstPacket: number,
    packetCount: number,
    firstIndex: number,
    rtpTimestamp: number,
  ): boolean {
    const { run } = this;
    this.sending = record;
    run.bytes = record.bytes;
    run.table = table;
    run.firstPacket = firstPacket;
    run.packetCount = packetCount;
    run.firstIndex = firstIndex;
    run.rtpTimestamp = rtpTimestamp;
    run.captureWallUnixMs = record.wallUnixMs;
    if (!this.plane.send(this.stream, run)) return false;
    this.packetsSent += packetCount;
    for (let i = 0; i < packetCount; i++) this.bytesSent += table.payloadLength(firstPacket + i);
    return true;
  }
}
