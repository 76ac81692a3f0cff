/**
 * A data plane that counts how long its two steps take: to encrypt a run, and to hand it to the kernel.
 *
 * Live thread. Between the two every plane asks whether the frame was intact (data-plane.ts, nonce safety), so the moment
 * of that question parts them, in both planes alike and without their help. Three looks at the clock a run, under half a
 * microsecond, and nothing is allocated. A run whose frame was torn was not handed over and counts as encrypted alone.
 */
import { PacketTable } from '../rtp/packet-table.ts';
import { Histogram, shortBoundsUs } from '../telemetry/histogram.ts';
import type { DataPlane, DataPlaneStream, PacketRun, StreamOptions } from './data-plane.ts';

/** Gives microseconds with their fractions; its zero is of no importance. */
export type PreciseClock = () => number;

/** A run as it was given, but for the question, which tells when it was asked. */
class TimedRun implements PacketRun {
  bytes: Uint8Array = new Uint8Array(0);
  table = new PacketTable();
  firstPacket = 0;
  packetCount = 0;
  firstIndex = 0;
  rtpTimestamp = 0;
  captureWallUnixMs = 0;
  /** When the question was asked; 0 before. */
  encryptedAtUs = 0;
  private given: PacketRun | undefined;
  private readonly nowUs: PreciseClock;

  constructor(nowUs: PreciseClock) {
    this.nowUs = nowUs;
  }

  take(run: PacketRun): void {
    this.given = run;
    this.bytes = run.bytes;
    this.table = run.table;
    this.firstPacket = run.firstPacket;
    this.packetCount = run.packetCount;
    this.firstIndex = run.firstIndex;
    this.rtpTimestamp = run.rtpTimestamp;
    this.captureWallUnixMs = run.captureWallUnixMs;
    this.encryptedAtUs = 0;
  }

  isIntact(): boolean {
    this.encryptedAtUs = this.nowUs();
    return this.given?.isIntact() ?? false;
  }
}

export class TimedDataPlane implements DataPlane {
  readonly name: DataPlane['name'];
  /** Durations of a run's encryption, µs. */
  readonly encryptUs = new Histogram(shortBoundsUs);
  /** Durations of a run's way into the kernel, or into the socket's queue, µs. */
  readonly handOverUs = new Histogram(shortBoundsUs);
  private readonly plane: DataPlane;
  private readonly nowUs: PreciseClock;
  private readonly run: TimedRun;

  /** @param plane what does the work; it must ask for the frame once a run. */
  constructor(plane: DataPlane, nowUs: PreciseClock = () => performance.now() * 1000) {
    this.name = plane.name;
    this.plane = plane;
    this.nowUs = nowUs;
    this.run = new TimedRun(nowUs);
  }

  openStream(options: StreamOptions): DataPlaneStream {
    return this.plane.openStream(options);
  }

  send(stream: DataPlaneStream, run: PacketRun): boolean {
    const timed = this.run;
    timed.take(run);
    const startedAtUs = this.nowUs();
    const isSent = this.plane.send(stream, timed);
    if (timed.encryptedAtUs > 0) this.encryptUs.record(timed.encryptedAtUs - startedAtUs);
    if (isSent) this.handOverUs.record(this.nowUs() - timed.encryptedAtUs);
    return isSent;
  }

  /** Forgets what was counted, for what was sent to nobody to warm up. */
  reset(): void {
    this.encryptUs.reset();
    this.handOverUs.reset();
  }
}
