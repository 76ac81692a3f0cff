/**
 * A viewer that verifies what it gets: sequence gaps, whole pictures, authentic packets; and times the first picture.
 *
 * The camera's own ICE and DTLS as the other side (test/support/light-viewer.ts), SRTP opened by a receiver of its own. RTP
 * headers are not encrypted, so every packet is counted and put in order; opened are all until the first whole random access
 * point, and from then on one in `openEvery`, because opening 16 viewers' packets would take more than sending them.
 */

import { LightViewer, type ViewedCamera } from '../../test/support/light-viewer.ts';
import { SrtpReceiver } from '../../test/support/srtp-receiver.ts';

/** Of every so many packets one is authenticated and decrypted. */
const openEvery = 16;
const videoPayloadType = 102;
/** Packets of the first picture; one that is longer is not from a camera. */
const firstPicturePacketsMax = 4096;

const nalIdr = 5;
const nalStapA = 24;
const nalFuA = 28;

/** What came since the counts were set to 0. */
export interface ReceiverCounts {
  /** RTP packets, video and audio. */
  packets: number;
  /** Pictures whose packets all came, and those that miss some. */
  pictures: number;
  incomplete: number;
  /** Video packets that never came, or came too late. */
  missing: number;
  /** Packets that were opened, and those of them whose tag is wrong. */
  opened: number;
  forged: number;
}

const noCounts: ReceiverCounts = {
  ...{ packets: 0, pictures: 0, incomplete: 0, missing: 0, opened: 0, forged: 0 },
};

export class Receiver {
  readonly counts: ReceiverCounts = { ...noCounts };
  /** Resolves to the ms from the offer to the last packet of the first whole, authentic random access point. */
  readonly firstPicture: Promise<number>;
  private readonly viewer: LightViewer;
  private readonly startedMs: number;
  private readonly openers = new Map<number, SrtpReceiver>();
  private readonly early: Buffer[] = [];
  private makeOpener: (() => SrtpReceiver) | undefined;
  private tellFirstPicture: ((ms: number) => void) | undefined;
  /** Payloads of the first picture so far. */
  private head: Buffer[] | undefined = [];
  private sequence = -1;
  private isPictureWhole = false;

  private constructor(viewer: LightViewer, startedMs: number) {
    this.viewer = viewer;
    this.startedMs = startedMs;
    let fail: (error: Error) => void;
    this.firstPicture = new Promise((resolve, reject) => {
      this.tellFirstPicture = resolve;
      fail = reject;
    });
    this.firstPicture.catch(() => {});
    void viewer.closed.then(reason => fail(new Error(`a viewer was closed: ${reason}`)));
    viewer.onDatagram = bytes => this.take(bytes);
    viewer.connected.then(
      ({ profile, receiveKeys }) => {
        this.makeOpener = () => new SrtpReceiver(profile, receiveKeys);
        for (const bytes of this.early.splice(0)) this.take(bytes);
      },
      () => {},
    );
  }

  /** Offers and connects; resolves when the offer is answered. Close it in the end. */
  static async open(camera: ViewedCamera): Promise<Receiver> {
    const startedMs = performance.now();
    return new Receiver(await LightViewer.open(camera), startedMs);
  }

  /** Sets the counts to 0. */
  reset(): void {
    Object.assign(this.counts, noCounts);
  }

  async close(): Promise<void> {
    await this.viewer.close();
  }

  private take(bytes: Buffer): void {
    const payloadType = bytes[1]! & 0x7f;
    // RTCP has packet types of 192 to 223 there (RFC 5761 §4).
    if (payloadType >= 64 && payloadType <= 95) return;
    if (!this.makeOpener) {
      if (this.early.length < firstPicturePacketsMax) this.early.push(Buffer.from(bytes));
      return;
    }
    const { counts } = this;
    counts.packets++;
    const isVideo = payloadType === videoPayloadType;
    if (isVideo) this.takeVideo(bytes);
    else if (counts.packets % openEvery === 0) this.unprotect(bytes);
  }

  private takeVideo(bytes: Buffer): void {
    const { counts } = this;
    const sequence = bytes.readUInt16BE(2);
    const step = this.sequence < 0 ? 1 : (sequence - this.sequence) & 0xffff;
    // What comes late, by less than half of the numbers, was counted as missing when it was passed.
    if (step === 0 || step >= 0x8000) return;
    if (step > 1) {
      counts.missing += step - 1;
      this.isPictureWhole = false;
    } else if (this.sequence < 0) this.isPictureWhole = true;
    this.sequence = sequence;
    const isMarked = (bytes[1]! & 0x80) !== 0;
    if (this.head) this.takeHead(bytes, isMarked);
    else if (counts.packets % openEvery === 0) this.unprotect(bytes);
    if (!isMarked) return;
    if (this.isPictureWhole) counts.pictures++;
    else counts.incomplete++;
    this.isPictureWhole = true;
  }

  /** Collects the first picture; it has to be a random access point. */
  private takeHead(bytes: Buffer, isMarked: boolean): void {
    const head = this.head!;
    const payload = this.unprotect(bytes);
    if (payload) head.push(payload);
    if (head.length > firstPicturePacketsMax) this.head = [];
    if (!isMarked) return;
    const isKey = this.isPictureWhole && payload !== undefined && holdsIdr(head);
    this.head = isKey ? undefined : [];
    if (isKey) this.tellFirstPicture?.(performance.now() - this.startedMs);
  }

  /** The payload; undefined for a packet that is not authentic. */
  private unprotect(bytes: Buffer): Buffer | undefined {
    const { counts } = this;
    const ssrc = bytes.readUInt32BE(8);
    let opener = this.openers.get(ssrc);
    if (!opener) {
      // Two streams; more would be a fault of the sender, and are not kept.
      if (this.openers.size >= 2) return undefined;
      opener = this.makeOpener!();
      this.openers.set(ssrc, opener);
    }
    counts.opened++;
    const packet = opener.unprotect(bytes)?.packet;
    if (!packet) {
      counts.forged++;
      return undefined;
    }
    const fixed = 12 + 4 * (packet[0]! & 0x0f);
    const header = packet[0]! & 0x10 ? fixed + 4 + 4 * packet.readUInt16BE(fixed + 2) : fixed;
    return packet.subarray(header);
  }
}

/** Whether the payloads of a picture hold a whole IDR slice, alone, in an aggregation packet or in fragments (RFC 6184). */
function holdsIdr(payloads: readonly Buffer[]): boolean {
  let isStarted = false;
  for (const payload of payloads) {
    const type = payload[0]! & 0x1f;
    if (type === nalIdr) return true;
    if (type === nalStapA)
      for (let at = 1; at + 3 <= payload.length; at += 2 + payload.readUInt16BE(at))
        if ((payload[at + 2]! & 0x1f) === nalIdr) return true;
    if (type !== nalFuA || (payload[1]! & 0x1f) !== nalIdr) continue;
    if (payload[1]! & 0x80) isStarted = true;
    if (payload[1]! & 0x40 && isStarted) return true;
  }
  return false;
}
