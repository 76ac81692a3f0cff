/**
 * Splits ring records into RTP payloads, once per record however many viewers send it.
 *
 * Live thread. The last split is remembered by the record's sequence, so the viewers of one frame, and the pieces of a
 * paced one, share it. Pure in effect: the same record always gives the same split, as retransmission needs. How long
 * pictures take to split is counted, each once.
 */
import { Codec, type VideoCodec } from '../base/tracks.ts';
import type { RingRecord } from '../ring/ring-record.ts';
import { G711Payloader } from '../rtp/g711-payloader.ts';
import { H264Payloader } from '../rtp/h264-payloader.ts';
import { H265Payloader } from '../rtp/h265-payloader.ts';
import { PacketTable } from '../rtp/packet-table.ts';
import type { Payloader } from '../rtp/payloader.ts';
import { Histogram, shortBoundsUs } from '../telemetry/histogram.ts';

export class FrameSplitter {
  /** Durations of the splits that were made, µs. */
  readonly splitUs = new Histogram(shortBoundsUs);
  private readonly table = new PacketTable();
  private readonly maxPayloadBytes: number;
  private readonly payloaders: ReadonlyMap<number, Payloader>;
  private sequence = -1;

  /** @param maxPayloadBytes largest RTP payload in bytes. */
  constructor(maxPayloadBytes: number) {
    this.maxPayloadBytes = maxPayloadBytes;
    const g711 = new G711Payloader();
    this.payloaders = new Map<VideoCodec | Codec, Payloader>([
      [Codec.h264, new H264Payloader()],
      [Codec.h265, new H265Payloader()],
      [Codec.pcmu, g711],
      [Codec.pcma, g711],
    ]);
  }

  /**
   * The packets of a record; owned by this object, valid until the next call with another record. A record that is
   * torn gives a worthless but bounded split: validate it before anything made from it leaves.
   */
  split(record: RingRecord): PacketTable {
    if (record.sequence === this.sequence) return this.table;
    const startedMs = performance.now();
    const payloader = this.payloaders.get(record.codec);
    if (payloader) payloader.split(record, this.maxPayloadBytes, this.table);
    else this.table.reset();
    this.splitUs.record((performance.now() - startedMs) * 1000);
    this.sequence = record.sequence;
    return this.table;
  }

  /** Forgets the last split, because its record turned out to be torn. */
  forget(): void {
    this.sequence = -1;
  }
}
