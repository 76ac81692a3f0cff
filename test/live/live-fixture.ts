/**
 * What the tests of the live worker's senders share: a camera that publishes into a real ring, and the far end of a
 * viewer, which opens SRTP with its own keys and puts the NAL units together again, independently of src.
 */
import { randomBytes } from 'node:crypto';
import { Codec, Track } from '../../src/base/tracks.ts';
import type { DataPlane, DataPlaneStream, PacketRun, StreamOptions } from '../../src/native/data-plane.ts';
import { JavaScriptDataPlane } from '../../src/native/javascript-data-plane.ts';
import { createFrameRing } from '../../src/ring/frame-ring.ts';
import { RingProducer } from '../../src/ring/ring-producer.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import { depayloadH264 } from '../support/h264-depayloader.ts';
import { depayloadH265 } from '../support/h265-depayloader.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SrtpReceiver } from '../support/srtp-receiver.ts';

export const profiles = ['AEAD_AES_128_GCM', 'AES128_CM_HMAC_SHA1_80'] as const;
export type Profile = (typeof profiles)[number];

export const videoSsrc = 0x11111111;
export const audioSsrc = 0x22222222;

/** Random keys of one direction. */
export function makeKeys(profile: Profile): { masterKey: Uint8Array; masterSalt: Uint8Array } {
  return { masterKey: randomBytes(16), masterSalt: randomBytes(profile === 'AEAD_AES_128_GCM' ? 12 : 14) };
}

/** A NAL unit of `lengthBytes` with this header; the rest tells `seed` in every byte that a tear could mix. */
export function nalUnit(header: readonly number[], lengthBytes: number, seed: number): Uint8Array {
  const unit = new Uint8Array(Math.max(lengthBytes, header.length + 1));
  for (let i = 0; i < unit.length; i++) unit[i] = (seed * 37 + i * (1 + (seed % 7))) & 0xff;
  unit.set(header);
  return unit;
}

/** The NAL units of a picture: parameter sets and an IDR slice, or one slice. */
export function pictureUnits(
  codec: Codec,
  isKey: boolean,
  lengthBytes: number,
  seed: number,
): readonly Uint8Array[] {
  if (codec === Codec.h265)
    return isKey
      ? [
          nalUnit([0x40, 1], 24, seed),
          nalUnit([0x42, 1], 40, seed),
          nalUnit([0x44, 1], 8, seed),
          nalUnit([0x26, 1], lengthBytes, seed),
        ]
      : [nalUnit([0x02, 1], lengthBytes, seed)];
  return isKey
    ? [nalUnit([0x67], 26, seed), nalUnit([0x68], 5, seed), nalUnit([0x65], lengthBytes, seed)]
    : [nalUnit([0x41], lengthBytes, seed)];
}

export interface PublishOptions {
  readonly track?: Track;
  readonly codec?: Codec;
  readonly flags?: number;
  readonly captureMonoUs?: number;
  readonly wallUnixMs?: number;
}

/** A producer on a ring of its own, with a clock that only the test moves. */
export class Camera {
  readonly ring: SharedArrayBuffer;
  readonly clock = new ManualClock();
  readonly producer: RingProducer;
  private pictures = 0;

  constructor(dataBytes = 1024 * 1024, slotCount = 256) {
    this.ring = createFrameRing({ dataBytes, slotCount });
    this.producer = new RingProducer(this.ring, this.clock);
  }

  /** Publishes NAL units as one record; returns its sequence. */
  publish(units: readonly Uint8Array[], options: PublishOptions = {}): number {
    const lengthBytes = units.reduce((sum, unit) => sum + 4 + unit.length, 0);
    const claim = this.producer.claim(lengthBytes);
    const view = new DataView(claim.bytes.buffer, claim.bytes.byteOffset);
    const nalTable = new Int32Array(2 * units.length);
    let at = 0;
    for (const [i, unit] of units.entries()) {
      view.setUint32(at, unit.length);
      claim.bytes.set(unit, at + 4);
      nalTable.set([at + 4, at + 4 + unit.length], 2 * i);
      at += 4 + unit.length;
    }
    return claim.commit({
      track: options.track ?? Track.main,
      codec: options.codec ?? Codec.h264,
      flags: options.flags ?? 0,
      captureMonoUs: options.captureMonoUs ?? this.clock.nowMonoUs,
      wallUnixMs: options.wallUnixMs ?? this.clock.nowWallUnixMs,
      lengthBytes,
      nalCount: units.length,
      nalTable,
    });
  }

  /** Publishes a random access point with a slice of `lengthBytes`. */
  keyPicture(lengthBytes: number, options: PublishOptions = {}): number {
    const units = pictureUnits(options.codec ?? Codec.h264, true, lengthBytes, this.pictures++);
    return this.publish(units, { ...options, flags: (options.flags ?? 0) | RecordFlag.randomAccess });
  }

  /** Publishes a picture that refers to others. */
  picture(lengthBytes: number, options: PublishOptions = {}): number {
    return this.publish(
      pictureUnits(options.codec ?? Codec.h264, false, lengthBytes, this.pictures++),
      options,
    );
  }

  /** Publishes a G.711 frame. */
  sound(samples: Uint8Array, options: PublishOptions = {}): number {
    const claim = this.producer.claim(samples.length);
    claim.bytes.set(samples);
    return claim.commit({
      track: Track.audio,
      codec: options.codec ?? Codec.pcmu,
      flags: options.flags ?? 0,
      captureMonoUs: options.captureMonoUs ?? this.clock.nowMonoUs,
      wallUnixMs: options.wallUnixMs ?? this.clock.nowWallUnixMs,
      lengthBytes: samples.length,
      nalCount: 1,
    });
  }

  /** Publishes `bytes` that nobody wants: what lies in the way is overwritten. */
  overwrite(bytes: number): void {
    for (let left = bytes; left > 0; ) {
      const lengthBytes = Math.min(left, this.producer.recordBytesMax);
      this.picture(lengthBytes - 4, { track: Track.sub });
      left -= lengthBytes;
    }
  }
}

/** A packet as the viewer has it after SRTP. */
export interface RtpPacket {
  /** As it was on the wire. */
  readonly srtp: Uint8Array;
  readonly ssrc: number;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequenceNumber: number;
  /** By the receiver's own roll-over counter. */
  readonly index: number;
  readonly rtpTimestamp: number;
  readonly headerBytes: number;
  readonly payload: Uint8Array;
}

/** The viewer's end of the wire. Throws when a packet does not open. */
export class FarEnd {
  readonly packets: RtpPacket[] = [];
  readonly rtcp: Uint8Array[] = [];
  private readonly receivers = new Map<number, SrtpReceiver>();
  private readonly profile: Profile;
  private readonly keys: { masterKey: Uint8Array; masterSalt: Uint8Array };

  constructor(profile: Profile, keys: { masterKey: Uint8Array; masterSalt: Uint8Array }) {
    this.profile = profile;
    this.keys = keys;
  }

  readonly take = (datagram: Uint8Array): void => {
    const bytes = Buffer.from(datagram);
    // RFC 5761 §4.
    if (bytes[1]! >= 192 && bytes[1]! <= 223) {
      this.rtcp.push(bytes);
      return;
    }
    const ssrc = bytes.readUInt32BE(8);
    let receiver = this.receivers.get(ssrc);
    if (!receiver) {
      receiver = new SrtpReceiver(this.profile, this.keys);
      this.receivers.set(ssrc, receiver);
    }
    const opened = receiver.unprotect(bytes);
    if (!opened) throw new Error('a packet does not authenticate');
    const { packet, index } = opened;
    const headerBytes = packet[0]! & 0x10 ? 16 + 4 * packet.readUInt16BE(14) : 12;
    this.packets.push({
      srtp: bytes,
      ssrc,
      payloadType: packet[1]! & 0x7f,
      marker: packet[1]! >= 128,
      sequenceNumber: packet.readUInt16BE(2),
      index,
      rtpTimestamp: packet.readUInt32BE(4),
      headerBytes,
      payload: packet.subarray(headerBytes),
    });
  };

  of(ssrc: number): RtpPacket[] {
    return this.packets.filter(packet => packet.ssrc === ssrc);
  }

  /** The packets of a video stream by pictures: those that end with the marker bit. */
  pictures(ssrc = videoSsrc): RtpPacket[][] {
    const pictures: RtpPacket[][] = [];
    let open: RtpPacket[] = [];
    for (const packet of this.of(ssrc)) {
      open.push(packet);
      if (!packet.marker) continue;
      pictures.push(open);
      open = [];
    }
    return pictures;
  }

  /** Forgets what came so far; the roll-over counters stay. */
  clear(): void {
    this.packets.length = 0;
    this.rtcp.length = 0;
  }
}

/** The NAL units of one picture's packets. */
export function unitsOf(codec: Codec, packets: readonly RtpPacket[]): Uint8Array[] {
  const payloads = packets.map(({ payload }) => payload);
  return codec === Codec.h265 ? depayloadH265(payloads) : depayloadH264(payloads);
}

/** A data plane that lets a test act between encryption and the check of the ring. */
export class InterruptedDataPlane implements DataPlane {
  readonly name = 'javascript';
  /** Called after a run was encrypted, before the ring is asked. */
  beforeCheck: (() => void) | undefined;
  /** First index and packets of all runs, sent or not. */
  readonly runs: { ssrc: number; firstIndex: number; packetCount: number; isSent: boolean }[] = [];
  private readonly plane = new JavaScriptDataPlane();

  openStream(options: StreamOptions): DataPlaneStream {
    return this.plane.openStream(options);
  }

  send(stream: DataPlaneStream, run: PacketRun): boolean {
    const { firstIndex, packetCount } = run;
    const isSent = this.plane.send(stream, {
      ...run,
      isIntact: () => {
        this.beforeCheck?.();
        return run.isIntact();
      },
    });
    this.runs.push({ ssrc: stream.ssrc, firstIndex, packetCount, isSent });
    return isSent;
  }
}
