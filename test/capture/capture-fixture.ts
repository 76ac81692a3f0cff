/** What the capture tests share: a ring with a writer, a log that remembers, and small but well-formed pictures. */
import type { Clock } from '../../src/base/clock.ts';
import { Codec, Track, type TrackInfo, type VideoTrackInfo } from '../../src/base/tracks.ts';
import { AudioTrackWriter } from '../../src/capture/audio-track-writer.ts';
import { TrackStatistics } from '../../src/capture/track-statistics.ts';
import { VideoTrackWriter } from '../../src/capture/video-track-writer.ts';
import type { AccessUnit } from '../../src/codec/access-unit.ts';
import { createFrameRing } from '../../src/ring/frame-ring.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { RingProducer } from '../../src/ring/ring-producer.ts';
import type { RingRecord } from '../../src/ring/ring-record.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import { LogThrottle } from '../../src/telemetry/log-throttle.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** 1280x720 at 30 frames a second, constrained baseline, by x264. */
export const sps = bytesOf('67 42c01f da0140 16ec0440 000003 0040 00000f23c60ca8');
export const pps = bytesOf('68 ce3c80');
/** 1920x1080 at 60, by x264. */
export const otherSps = bytesOf('67 42c02a da01e0089f97011000000300100000 0788f1832a');

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

/** Bytes of a slice that hold no start code and end in a stop bit. */
function body(length: number, seed: number): number[] {
  return Array.from({ length }, (_, i) => 1 + ((seed * 31 + i * 7) % 250));
}

/** An IDR slice, first_mb_in_slice 0. */
export function idr(length: number, seed = 1): Uint8Array {
  return Uint8Array.from([0x65, 0x88, 0x84, ...body(length, seed)]);
}

/** A P slice, first_mb_in_slice 0, that others refer to. */
export function inter(length: number, seed = 1): Uint8Array {
  return Uint8Array.from([0x41, 0x9a, 0x20, ...body(length, seed)]);
}

/** The NAL units as an Annex-B stream with 4-byte start codes. */
export function annexB(...units: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(units.flatMap(unit => [0, 0, 0, 1, ...unit]));
}

/** An access unit of these NAL units, not length-prefixed. */
export function accessUnit(units: readonly Uint8Array[], properties: Partial<AccessUnit> = {}): AccessUnit {
  const bytes = new Uint8Array(units.reduce((sum, unit) => sum + unit.length, 0));
  const nalTable = new Int32Array(2 * units.length);
  let at = 0;
  for (const [i, unit] of units.entries()) {
    bytes.set(unit, at);
    nalTable[2 * i] = at;
    at += unit.length;
    nalTable[2 * i + 1] = at;
  }
  return {
    bytes,
    nalTable,
    nalCount: units.length,
    randomAccess: false,
    nonReference: false,
    bidirectional: false,
    ...properties,
  };
}

/** A record of the ring, copied. */
export interface CopiedRecord {
  readonly track: number;
  readonly codec: number;
  readonly randomAccess: boolean;
  readonly discontinuity: boolean;
  readonly flags: number;
  readonly captureMonoUs: number;
  readonly wallUnixMs: number;
  readonly commitMonoUs: number;
  /** NAL units in hexadecimal; of audio the frame. */
  readonly units: readonly string[];
  readonly lengthBytes: number;
}

function copyOf(record: RingRecord): CopiedRecord {
  const units: string[] = [];
  const bytes = Buffer.from(record.bytes);
  const isAudio = record.codec === Codec.pcmu || record.codec === Codec.pcma;
  for (let i = 0; i < record.nalCount; i++)
    units.push((isAudio ? bytes : bytes.subarray(record.nalStart(i), record.nalEnd(i))).toString('hex'));
  return {
    track: record.track,
    codec: record.codec,
    randomAccess: (record.flags & RecordFlag.randomAccess) !== 0,
    discontinuity: (record.flags & RecordFlag.discontinuity) !== 0,
    flags: record.flags,
    captureMonoUs: record.captureMonoUs,
    wallUnixMs: record.wallUnixMs,
    commitMonoUs: record.commitMonoUs,
    units,
    lengthBytes: record.bytes.length,
  };
}

export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Reads what is new in a ring. */
export class RecordReader {
  private readonly consumer: RingConsumer;

  constructor(ring: SharedArrayBuffer) {
    this.consumer = new RingConsumer(ring);
  }

  take(): CopiedRecord[] {
    const records: CopiedRecord[] = [];
    for (let record = this.consumer.next(); record; record = this.consumer.next())
      records.push(copyOf(record));
    return records;
  }
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A logger that remembers its lines. */
export function rememberingLogger(): Logger & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write =
    (level: string) =>
    (message: string, fields: object = {}) =>
      void lines.push({ level, message, fields: { ...fields } });
  return { lines, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** A ring with writers of all kinds. */
export function makeCapture(options: { dataBytes?: number; clock?: Clock } = {}) {
  const ring = createFrameRing({ dataBytes: options.dataBytes ?? 1 << 20, slotCount: 1024 });
  const manualClock = new ManualClock();
  const clock = options.clock ?? manualClock;
  const producer = new RingProducer(ring, clock);
  const logger = rememberingLogger();
  const infos: TrackInfo[] = [];
  const statistics = new TrackStatistics();
  const writer = new VideoTrackWriter({
    track: Track.main,
    name: 'main',
    producer,
    clock,
    throttle: new LogThrottle(logger, clock),
    statistics,
    onInfo: info => infos.push(info),
  });
  const audioWriter = new AudioTrackWriter({
    track: Track.audio,
    producer,
    clock,
    statistics: new TrackStatistics(),
    onInfo: info => infos.push(info),
  });
  return {
    ring,
    manualClock,
    clock,
    producer,
    logger,
    infos: infos as VideoTrackInfo[],
    statistics,
    writer,
    audioWriter,
    reader: new RecordReader(ring),
  };
}
