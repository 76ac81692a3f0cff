/**
 * One RTP stream to one viewer: its indexes, timestamps and counts, and its way through the data plane.
 *
 * Live thread. The 48-bit packet index starts low in its first cycle (RFC 3711 §3.3.1: the receiver takes the roll-over
 * counter to be 0) and only grows; an index that was taken is never given to another packet, also when nothing was
 * sent. What was sent can be sent again, the same to the bit, for as long as its frame is in the ring.
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
  /** The newest frame: its record, timestamp (not wrapped; -1: none yet) and capture time. */
  private newestRecord = -1;
  private newestTimestamp = -1;
  private newestCaptureMonoUs = 0;
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

  /** Whether a frame was sent: only then a sender report has something to say. */
  get hasStarted(): boolean {
    return this.newestTimestamp >= 0;
  }

  /**
   * Sends `packetCount` packets of a record from `firstPacket` on. Returns false when the record was overwritten
   * meanwhile; nothing of this call was sent then.
   */
  send(record: RingRecord, table: PacketTable, firstPacket: number, packetCount: number): boolean {
    const rtpTimestamp = this.timestampOf(record) % 2 ** 32;
    const firstIndex = this.nextIndex;
    this.nextIndex += packetCount;
    if (!this.transmit(record, table, firstPacket, packetCount, firstIndex, rtpTimestamp)) return false;
    this.history.remember(firstIndex, packetCount, record.sequence, firstPacket, rtpTimestamp);
    if (firstPacket + packetCount === table.count) this.framesSent++;
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
    const ahead = Math.round(((monoUs - this.newestCaptureMonoUs) * this.clockRate) / 1e6);
    const timestamp = (this.newestTimestamp + ahead) % 2 ** 32;
    return timestamp < 0 ? timestamp + 2 ** 32 : timestamp;
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

  /** Not wrapped; the same for all pieces of a record that is sent in several. */
  private timestampOf(record: RingRecord): number {
    if (record.sequence !== this.newestRecord) {
      this.newestTimestamp = this.timestamps.stamp(record.captureMonoUs, record.bytes.length);
      this.newestRecord = record.sequence;
      this.newestCaptureMonoUs = record.captureMonoUs;
    }
    return this.newestTimestamp;
  }
}
