/**
 * The RTP header of one outgoing stream, kept ready: of a packet only sequence number and marker are new, of a frame
 * the timestamp and the capture time.
 *
 * Every packet of a stream carries the same extension elements (RFC 8285 would allow less), so that all headers have
 * one length: packets with equal payloads are then equal datagrams, as UDP segmentation offload wants them, and the
 * payload limit of a stream is a constant. The price is 8 to 20 bytes a packet. One object a viewer and stream; not
 * shared between threads; nothing is allocated after construction.
 */
import { CameraError } from '../base/errors.ts';
import {
  absCaptureTimeBytes,
  extensionBlockBytes,
  extensionBlockHeaderBytes,
  playoutDelayBytes,
  playoutDelayMsMax,
  rtpFixedHeaderBytes,
  writeAbsCaptureTime,
  writeExtensionBlockHeader,
  writePlayoutDelay,
  writeRtpFixedHeader,
} from './rtp-header.ts';

/** What was negotiated for a stream. Extension IDs are those of `a=extmap`, 1–14 (RFC 8285 §4.2). */
export interface RtpStreamHeaderOptions {
  readonly ssrc: number;
  /** 0–127. */
  readonly payloadType: number;
  /** Where the peer offered playout-delay. Delays in ms, 0–40950. */
  readonly playoutDelay?: { readonly id: number; readonly minMs: number; readonly maxMs: number } | undefined;
  /** Where the peer offered abs-capture-time. */
  readonly absCaptureTimeId?: number | undefined;
}

export class RtpStreamHeader {
  /** Bytes of every header of this stream; a multiple of 4. */
  readonly lengthBytes: number;
  private readonly template: Uint8Array;
  private readonly payloadType: number;
  /** Offset of the abs-capture-time element in the template, or 0. */
  private readonly captureTimeAt: number;
  private readonly captureTimeId: number;

  /** Throws CameraError `internal` for numbers out of their fields' range. */
  constructor(options: RtpStreamHeaderOptions) {
    const { ssrc, payloadType, playoutDelay, absCaptureTimeId } = options;
    checkOptions(options);
    const elementBytes =
      (playoutDelay ? playoutDelayBytes : 0) + (absCaptureTimeId === undefined ? 0 : absCaptureTimeBytes);
    this.lengthBytes = rtpFixedHeaderBytes + extensionBlockBytes(elementBytes);
    this.template = new Uint8Array(this.lengthBytes);
    this.payloadType = payloadType;
    let at = writeRtpFixedHeader(this.template, 0, elementBytes > 0, false, payloadType, 0, 0, ssrc);
    if (elementBytes > 0) writeExtensionBlockHeader(this.template, at, elementBytes);
    at += extensionBlockHeaderBytes;
    if (playoutDelay)
      at += writePlayoutDelay(this.template, at, playoutDelay.id, playoutDelay.minMs, playoutDelay.maxMs);
    this.captureTimeAt = absCaptureTimeId === undefined ? 0 : at;
    this.captureTimeId = absCaptureTimeId ?? 0;
  }

  /** Sets what the packets of one frame share: RTP timestamp, and capture time as NTP seconds and fraction. */
  setFrame(rtpTimestamp: number, ntpSeconds: number, ntpFraction: number): void {
    const { template, captureTimeAt } = this;
    template[4] = rtpTimestamp >>> 24;
    template[5] = rtpTimestamp >>> 16;
    template[6] = rtpTimestamp >>> 8;
    template[7] = rtpTimestamp;
    if (captureTimeAt > 0)
      writeAbsCaptureTime(template, captureTimeAt, this.captureTimeId, ntpSeconds, ntpFraction);
  }

  /** Writes the header of one packet of the current frame at `offset` of `target`; returns {@link lengthBytes}. */
  write(target: Uint8Array, offset: number, sequenceNumber: number, marker: boolean): number {
    const { template, lengthBytes } = this;
    for (let k = 0; k < lengthBytes; k++) target[offset + k] = template[k]!;
    target[offset + 1] = (marker ? 0x80 : 0) | this.payloadType;
    target[offset + 2] = sequenceNumber >>> 8;
    target[offset + 3] = sequenceNumber;
    return lengthBytes;
  }
}

function checkOptions({ payloadType, playoutDelay, absCaptureTimeId }: RtpStreamHeaderOptions): void {
  const wrong =
    !isWithin(payloadType, 0, 127) ||
    (absCaptureTimeId !== undefined && !isWithin(absCaptureTimeId, 1, 14)) ||
    (playoutDelay !== undefined &&
      !(
        isWithin(playoutDelay.id, 1, 14) &&
        playoutDelay.id !== absCaptureTimeId &&
        playoutDelay.minMs >= 0 &&
        playoutDelay.minMs <= playoutDelay.maxMs &&
        playoutDelay.maxMs <= playoutDelayMsMax
      ));
  if (wrong)
    throw new CameraError('internal', 'the RTP header cannot hold these values', {
      payloadType,
      absCaptureTimeId: absCaptureTimeId ?? null,
      playoutDelayId: playoutDelay?.id ?? null,
    });
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
