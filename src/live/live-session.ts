/**
 * One live session: from an offer that was answered to its end, whatever ends it.
 *
 * Live thread. Owns the peer (sockets, ICE, DTLS) and, once that is connected, the viewer. It ends exactly once: by the
 * API, at its time limit, because the viewer left or never came, or because the camera stops; after that nothing of
 * it is left but the report to the stage.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { Codec, Track, type TrackInfo } from '../base/tracks.ts';
import type { SessionDescription, SessionEndReason } from '../ipc/messages.ts';
import type { DataPlane } from '../native/data-plane.ts';
import type { RingConsumer } from '../ring/ring-consumer.ts';
import type { RingRecord } from '../ring/ring-record.ts';
import type { FrameSplitter } from './frame-splitter.ts';
import { writeAnswer } from './offer/answer.ts';
import type { MediaChoice } from './offer/codec-choice.ts';
import type { Offer } from './offer/offer.ts';
import type { Peer, PeerCloseReason, PeerConnection } from './peer/peer.ts';
import { randomCname, randomSsrcs, Viewer } from './viewer.ts';

export interface LiveSessionOptions {
  readonly offer: Offer;
  readonly choice: MediaChoice;
  readonly peer: Peer;
  readonly clock: Clock;
  readonly plane: DataPlane;
  readonly consumer: RingConsumer;
  readonly splitter: FrameSplitter;
  /** When the session ends at the latest, Unix ms; becomes a duration at once, so that clock steps do not matter. */
  readonly validUntilUnixMs: number;
  readonly onFrameSent: (record: RingRecord) => void;
  readonly onConnected: (session: LiveSession) => void;
  /** Told once; `last` is what the session had done in all. */
  readonly onEnded: (session: LiveSession, reason: SessionEndReason, last: SessionDescription) => void;
}

const reasons: Readonly<Record<PeerCloseReason, SessionEndReason>> = {
  closed: 'closed-by-api',
  'connect-timeout': 'never-connected',
  'consent-expired': 'viewer-vanished',
  'closed-by-viewer': 'viewer-closed',
  'dtls-failed': 'failed',
};

export class LiveSession {
  readonly id = randomUUID();
  readonly answerSdp: string;
  /** Undefined until the viewer is connected. */
  viewer: Viewer | undefined;
  private readonly options: LiveSessionOptions;
  private readonly deadlineMonoUs: number;
  private readonly startedUnixMs: number;
  private readonly cname = randomCname();
  private readonly ssrc = randomSsrcs();
  private remoteAddress: string | undefined;
  private isEnded = false;

  constructor(options: LiveSessionOptions) {
    const { offer, choice, peer, clock, validUntilUnixMs } = options;
    this.options = options;
    this.startedUnixMs = clock.wallUnixMs();
    this.deadlineMonoUs = clock.monoUs() + (validUntilUnixMs - this.startedUnixMs) * 1000;
    this.answerSdp = writeAnswer({
      offer,
      choice,
      local: peer.local,
      sessionNumber: BigInt(Math.floor(this.startedUnixMs)),
      cname: this.cname,
      streamId: 'opencamera',
      ssrc: this.ssrc,
    });
    peer.onConnected(connected => this.connect(connected));
    peer.onDatagram(packet => this.viewer?.feedback.receive(packet));
    peer.onClosed(reason => this.end(reasons[reason]));
  }

  /** Runs ICE and DTLS; to be called when the answer is on its way. */
  start(): void {
    this.options.peer.start();
  }

  /** To be called each second. */
  tick(nowMonoUs: number): void {
    if (nowMonoUs >= this.deadlineMonoUs) this.end('valid-until-reached');
    else this.viewer?.tick();
  }

  /** Ends the session; the first reason counts. */
  end(reason: SessionEndReason): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.viewer?.end();
    const last = this.describe();
    this.viewer = undefined;
    // Closing cannot fail, and nobody needs its end: the sockets are of this session alone.
    void this.options.peer.close();
    this.options.onEnded(this, reason, last);
  }

  /** Ends the session when a track it sends has another codec now: the viewer must negotiate again. */
  endIfChanged(tracks: readonly TrackInfo[]): void {
    const { video, audio } = this.options.choice;
    for (const chosen of [video, audio]) {
      const now = tracks.find(({ track }) => track === chosen?.track.track);
      if (chosen && now && now.codec !== chosen.track.codec) this.end('source-changed');
    }
  }

  /** State and statistics for the API. */
  describe(): SessionDescription {
    const { video, audio } = this.options.choice;
    const { viewer } = this;
    const feedback = viewer?.feedback;
    const sum = (pick: 'packetsSent' | 'bytesSent' | 'packetsResent'): number =>
      (viewer?.video?.[pick] ?? 0) + (viewer?.audio?.[pick] ?? 0);
    return {
      session_id: this.id,
      state: viewer ? 'connected' : 'connecting',
      started_unix_ms: this.startedUnixMs,
      valid_until_unix_ms: this.options.validUntilUnixMs,
      remote_address: this.remoteAddress ?? null,
      video_codec: video ? (video.track.codec === Codec.h265 ? 'H.265' : 'H.264') : null,
      audio_codec: audio ? (audio.track.codec === Codec.pcma ? 'PCMA' : 'PCMU') : null,
      track: video ? (video.track.track === Track.main ? 'main' : 'sub') : null,
      packets_sent: sum('packetsSent'),
      bytes_sent: sum('bytesSent'),
      packets_resent: sum('packetsResent'),
      frames_sent: viewer?.video?.framesSent ?? 0,
      frames_skipped: viewer?.sender?.framesSkipped ?? 0,
      forward_jumps: viewer?.sender?.forwardJumps ?? 0,
      nacks_received: feedback?.nacksReceived ?? 0,
      plis_received: feedback?.plisReceived ?? 0,
      packets_lost_reported: feedback?.packetsLostReported ?? 0,
      round_trip_ms: feedback?.roundTripMs ?? null,
      jitter_ms: feedback?.jitterMs ?? null,
    };
  }

  private connect({ profile, sendKeys, receiveKeys, remoteAddress }: PeerConnection): void {
    const { choice, peer, clock, plane, consumer, splitter, onFrameSent } = this.options;
    const { video, audio } = choice;
    this.remoteAddress = remoteAddress;
    this.viewer = new Viewer({
      video: video && {
        track: video.track.track,
        codec: video.track.codec,
        ssrc: this.ssrc.video,
        payloadType: video.payloadType,
        playoutDelayId: video.playoutDelayId,
        captureTimeId: video.absCaptureTimeId,
      },
      audio: audio && {
        track: audio.track.track,
        codec: audio.track.codec,
        ssrc: this.ssrc.audio,
        payloadType: audio.payloadType,
        playoutDelayId: undefined,
        captureTimeId: audio.absCaptureTimeId,
      },
      cname: this.cname,
      profile,
      sendKeys,
      receiveKeys,
      clock,
      plane,
      consumer,
      splitter,
      send: packet => peer.send(packet),
      target: () => peer.datagramTarget,
      socketBacklogBytes: () => peer.sendQueueBytes,
      onFrameSent,
      onGoodbye: () => this.end('viewer-closed'),
    });
    this.viewer.start();
    this.options.onConnected(this);
  }
}
