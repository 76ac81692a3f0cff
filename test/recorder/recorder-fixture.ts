/** A ring that is fed by hand, and a recorder on it that writes real files; for the tests of the recorder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { Codec, Track } from '../../src/base/tracks.ts';
import type { FragmentRecord, SegmentRecord } from '../../src/isobmff/recorded-segment.ts';
import { StreamRecorder } from '../../src/recorder/stream-recorder.ts';
import { createFrameRing } from '../../src/ring/frame-ring.ts';
import { RingProducer } from '../../src/ring/ring-producer.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import { fixtureClip, type Picture } from '../isobmff/segments.ts';
import { ManualClock } from '../support/manual-clock.ts';

export const deviceUuid = '1f3a9c02-77de-4b1a-9f00-0123456789ab';
export const demo = fixtureClip('demo-720p30.h264', 30, true);
/** Another size, so other parameter sets. */
export const other = fixtureClip('scaling-hrd-128x96.h264', 30, true);

const pictureUs = 1e6 / 30;

export class Recording {
  readonly folder: string;
  readonly clock = new ManualClock();
  readonly opened: SegmentRecord[] = [];
  readonly closed: SegmentRecord[] = [];
  readonly abandoned: SegmentRecord[] = [];
  readonly fragments: { segmentNumber: number; fragment: FragmentRecord }[] = [];
  readonly recorder: StreamRecorder;
  /** Added to the wall clock: a step. */
  wallStepMs = 0;
  /** What the next admission throws. */
  refusal: Error | undefined;
  private readonly producer: RingProducer;
  /** Pictures that were put into the ring. */
  published = 0;
  /** What {@link run} met. */
  readonly failures: unknown[] = [];
  private number = 1;
  private ticks = 0;
  private shown = 0;
  private sounds = 0;

  constructor(
    t: Pick<TestContext, 'after'>,
    options: { readonly dataBytes?: number; readonly segmentMs?: number; readonly maxLossUs?: number } = {},
  ) {
    this.folder = mkdtempSync(path.join(tmpdir(), 'recorder-'));
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
    this.clock.advanceUs(5e6);
    const ring = createFrameRing({ dataBytes: options.dataBytes ?? 16 * 1024 * 1024, slotCount: 1024 });
    this.producer = new RingProducer(ring, this.clock);
    this.recorder = new StreamRecorder({
      ring,
      stream: 0,
      folder: this.folder,
      deviceUuid,
      segmentMs: options.segmentMs ?? 300_000,
      maxLossUs: options.maxLossUs ?? 1e6,
      clock: this.clock,
      nextNumber: () => this.number++,
      admit: async () => {
        if (this.refusal) throw this.refusal;
      },
      onOpened: segment => this.opened.push(segment),
      onFragment: (segmentNumber, fragment) => this.fragments.push({ segmentNumber, fragment }),
      onClosed: segment => this.closed.push(segment),
      onAbandoned: segment => this.abandoned.push(segment),
    });
  }

  /** The next picture into the ring, and the time that it takes. */
  publish({ bytes, isSync }: Picture, flags = 0): void {
    this.published++;
    this.put(bytes, {
      track: Track.main,
      codec: Codec.h264,
      flags: flags | (isSync ? RecordFlag.randomAccess : 0),
      nalTable: nalTableOf(bytes),
    });
    this.clock.advanceUs(pictureUs);
  }

  /** 20 ms of sound that began now, or a while ago. */
  publishSound(lateUs = 0): void {
    const bytes = Uint8Array.from({ length: 160 }, (_, i) => (this.sounds * 7 + i) & 0xff);
    this.sounds++;
    this.put(bytes, { track: Track.audio, codec: Codec.pcmu, flags: 0 }, lateUs);
  }

  /**
   * Pictures and sound for some seconds, the recorder awake every 10 ms. What fails is left to it, as the stage does.
   * @param soundLateUs how long after its capture sound comes to the ring.
   */
  async run(pictures: readonly Picture[], seconds: number, soundLateUs = 0): Promise<void> {
    const ticks = Math.round(seconds * 100);
    for (let i = 0; i < ticks; i++, this.ticks++) {
      // Three pictures in 100 ms.
      if ((this.ticks * 3) % 10 < 3) {
        this.publish(pictures[this.shown++ % pictures.length]!);
        this.clock.advanceUs(-pictureUs);
      }
      if (this.ticks % 2 === 0 && this.ticks * 10_000 >= soundLateUs) this.publishSound(soundLateUs);
      await this.recorder.step().catch(async (error: unknown) => {
        this.failures.push(error);
        await this.recorder.afterFailure(error);
      });
      this.clock.advanceUs(10_000);
    }
  }

  /** Pictures of a clip, over and over, each taken by the recorder at once. */
  async play(pictures: readonly Picture[], count: number, from = 0): Promise<void> {
    for (let i = from; i < from + count; i++) {
      this.publish(pictures[i % pictures.length]!);
      await this.recorder.step();
    }
  }

  /** Absolute path of a segment. */
  fileOf(segment: SegmentRecord): string {
    return path.join(this.folder, segment.path);
  }

  private put(
    bytes: Uint8Array,
    what: { track: Track; codec: Codec; flags: number; nalTable?: Int32Array },
    lateUs = 0,
  ): void {
    const claim = this.producer.claim(bytes.length);
    claim.bytes.set(bytes);
    claim.commit({
      ...what,
      captureMonoUs: this.clock.monoUs() - lateUs,
      wallUnixMs: this.clock.wallUnixMs() + this.wallStepMs,
      lengthBytes: bytes.length,
      nalCount: what.nalTable ? what.nalTable.length / 2 : 1,
    });
  }
}

/** Starts and ends of the NAL units of a picture. */
export function nalTableOf(bytes: Uint8Array): Int32Array {
  const nalTable: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
    nalTable.push(at + 4, at + 4 + length);
    at += 4 + length;
  }
  return Int32Array.from(nalTable);
}
