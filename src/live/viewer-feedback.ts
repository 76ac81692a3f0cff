/**
 * RTCP of one viewer: our sender reports out; receiver reports, NACK, PLI, FIR and BYE in.
 *
 * Live thread. Both streams of a viewer share one SRTCP context (they share the DTLS transport). What comes in was
 * authenticated, which makes it the viewer's and not yet reasonable: a flood of NACK or PLI costs at most what the
 * bounds below allow. Sender reports pair the wall clock with the RTP clocks of both streams at one moment, so that
 * the receiver can play them together (RFC 3550 §6.4.1).
 */
import type { Clock } from '../base/clock.ts';
import type { SrtpKeys, SrtpProfile } from '../native/data-plane.ts';
import { SrtcpSession } from '../native/srtp/srtcp-session.ts';
import { ntpFraction, ntpMiddle, ntpSeconds, roundTripMs } from '../rtp/ntp.ts';
import { type ReportBlock, RtcpParser, type RtcpVisitor } from '../rtp/rtcp-parser.ts';
import { writeSenderCompound } from '../rtp/rtcp-writer.ts';
import type { OutgoingStream } from './outgoing-stream.ts';

/** Packets resent per viewer and second at most: 3.8 Mbit/s; more loss than that needs a new key frame, not resends. */
const resentPacketsPerSecondMax = 400;

export interface ViewerFeedbackOptions {
  readonly profile: SrtpProfile;
  readonly sendKeys: SrtpKeys;
  readonly receiveKeys: SrtpKeys;
  readonly cname: Uint8Array;
  readonly clock: Clock;
  readonly streams: readonly OutgoingStream[];
  /** The stream that pictures are asked for. */
  readonly videoSsrc: number | undefined;
  readonly send: (packet: Uint8Array) => void;
  /** Sends a lost packet again; false when it is gone. */
  readonly resend: (stream: OutgoingStream, sequenceNumber: number) => boolean;
  readonly onPictureWanted: () => void;
  readonly onGoodbye: () => void;
}

export class ViewerFeedback implements RtcpVisitor {
  nacksReceived = 0;
  plisReceived = 0;
  /** Cumulative loss of all streams by the viewer's newest reports, packets. */
  packetsLostReported = 0;
  roundTripMs: number | undefined;
  /** Interarrival jitter of the video stream (of the audio stream where there is no video), ms. */
  jitterMs: number | undefined;
  private readonly options: ViewerFeedbackOptions;
  private readonly srtcp: SrtcpSession;
  private readonly parser = new RtcpParser();
  private readonly lostByStream = new Map<number, number>();
  private readonly clockRates: ReadonlyMap<number, number>;
  private readonly compound = new Uint8Array(512);
  private resendWindowStartMonoUs = 0;
  private resentInWindow = 0;

  constructor(options: ViewerFeedbackOptions) {
    this.options = options;
    this.srtcp = new SrtcpSession(options.profile, options.sendKeys, options.receiveKeys);
    this.clockRates = new Map(options.streams.map(stream => [stream.ssrc, stream.clockRate]));
  }

  /** Sends a report of each stream that has sent something; with BYE when the session ends. */
  sendReports(goodbye: boolean): void {
    const { clock, streams, cname, send } = this.options;
    const monoUs = clock.monoUs();
    const wallUnixMs = clock.wallUnixMs();
    for (const stream of streams) {
      if (!stream.hasStarted) continue;
      const report = {
        ssrc: stream.ssrc,
        ntpSeconds: ntpSeconds(wallUnixMs),
        ntpFraction: ntpFraction(wallUnixMs),
        rtpTimestamp: stream.timestampAt(monoUs),
        packetCount: stream.packetsSent,
        octetCount: stream.bytesSent,
      };
      const length = writeSenderCompound(this.compound, 0, report, cname, goodbye);
      send(this.srtcp.protect(this.compound.subarray(0, length)));
    }
  }

  /**
   * Takes one datagram of the viewer, SRTP or SRTCP. SRTP is ignored by its packet type (RFC 5761 §4): the camera
   * receives no media, and need not pay for its check. So is what does not authenticate or parse.
   */
  receive(packet: Uint8Array): void {
    const type = packet[1];
    if (type === undefined || type < 192 || type > 223) return;
    const compound = this.srtcp.unprotect(packet);
    if (compound) this.parser.parse(compound, this);
  }

  onReportBlock(block: ReportBlock): void {
    const clockRate = this.clockRates.get(block.ssrc);
    if (clockRate === undefined) return;
    this.lostByStream.set(block.ssrc, Math.max(0, block.cumulativeLost));
    this.packetsLostReported = [...this.lostByStream.values()].reduce((sum, lost) => sum + lost, 0);
    const { videoSsrc, clock } = this.options;
    if (videoSsrc === undefined || block.ssrc === videoSsrc)
      this.jitterMs = (block.jitter * 1000) / clockRate;
    const wallUnixMs = clock.wallUnixMs();
    const arrival = ntpMiddle(ntpSeconds(wallUnixMs), ntpFraction(wallUnixMs));
    this.roundTripMs =
      roundTripMs(arrival, block.lastSenderReport, block.delaySinceLastSenderReport) ?? this.roundTripMs;
  }

  onNack(mediaSsrc: number, sequenceNumbers: Uint16Array, count: number): void {
    const stream = this.options.streams.find(({ ssrc }) => ssrc === mediaSsrc);
    if (!stream) return;
    this.nacksReceived++;
    const nowMonoUs = this.options.clock.monoUs();
    if (nowMonoUs - this.resendWindowStartMonoUs >= 1e6) {
      this.resendWindowStartMonoUs = nowMonoUs;
      this.resentInWindow = 0;
    }
    for (let i = 0; i < count && this.resentInWindow < resentPacketsPerSecondMax; i++)
      if (this.options.resend(stream, sequenceNumbers[i]!)) this.resentInWindow++;
  }

  onPictureLoss(mediaSsrc: number): void {
    if (mediaSsrc === this.options.videoSsrc) this.wantPicture();
  }

  onFullIntraRequest(mediaSsrc: number): void {
    if (mediaSsrc === this.options.videoSsrc) this.wantPicture();
  }

  onGoodbye(): void {
    this.options.onGoodbye();
  }

  private wantPicture(): void {
    this.plisReceived++;
    this.options.onPictureWanted();
  }
}
