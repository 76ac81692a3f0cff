/**
 * What a connected viewer is sent, and what it sends back: its streams, its place in the ring, its RTCP.
 *
 * Live thread. Made when DTLS has given the keys, thrown away when the session ends; holds no timer and no socket.
 * The stage calls it for each frame and each second.
 */
import { randomBytes, randomInt } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Codec, Track } from '../base/tracks.ts';
import type { DataPlane, SrtpKeys, SrtpProfile, StreamOptions } from '../native/data-plane.ts';
import type { RingConsumer } from '../ring/ring-consumer.ts';
import type { RingRecord } from '../ring/ring-record.ts';
import type { PacketTable } from '../rtp/packet-table.ts';
import type { FrameSplitter } from './frame-splitter.ts';
import { OutgoingStream } from './outgoing-stream.ts';
import { PictureRefresh } from './picture-refresh.ts';
import { AudioTimestamps, audioClockRate, VideoTimestamps, videoClockRate } from './rtp-timestamps.ts';
import { type PumpResult, VideoSender } from './video-sender.ts';
import { ViewerFeedback } from './viewer-feedback.ts';

/** One stream of the answer. */
export interface NegotiatedStream {
  readonly track: Track;
  /** What the payload type stands for; records of another codec are not sent. */
  readonly codec: Codec;
  readonly ssrc: number;
  readonly payloadType: number;
  /** Header extension ids that the answer took, 1 to 14. */
  readonly playoutDelayId: number | undefined;
  readonly captureTimeId: number | undefined;
}

export interface ViewerOptions {
  readonly video: NegotiatedStream | undefined;
  readonly audio: NegotiatedStream | undefined;
  readonly cname: string;
  readonly profile: SrtpProfile;
  readonly sendKeys: SrtpKeys;
  readonly receiveKeys: SrtpKeys;
  readonly clock: Clock;
  readonly plane: DataPlane;
  readonly consumer: RingConsumer;
  /** Shared by all viewers: the split of the frame at the live edge. */
  readonly splitter: FrameSplitter;
  readonly send: (packet: Uint8Array) => void;
  /** See StreamOptions; without it every packet goes through `send`. */
  readonly target?: NonNullable<StreamOptions['target']>;
  readonly socketBacklogBytes: () => number;
  readonly onGoodbye: () => void;
  /** Told of each picture whose last packet left; the record is borrowed. */
  readonly onFrameSent: (record: RingRecord) => void;
}

/** Random SSRCs for a session (RFC 3550 §8). They differ: with one key for both streams the SSRC keeps nonces apart. */
export function randomSsrcs(): { video: number; audio: number } {
  const video = randomInt(1, 2 ** 32);
  const audio = randomInt(1, 2 ** 32 - 1);
  return { video, audio: audio >= video ? audio + 1 : audio };
}

/** A random CNAME (RFC 7022) for a session. */
export function randomCname(): string {
  return randomBytes(12).toString('base64');
}

export class Viewer {
  readonly feedback: ViewerFeedback;
  readonly video: OutgoingStream | undefined;
  readonly audio: OutgoingStream | undefined;
  readonly sender: VideoSender | undefined;
  private readonly splitter: FrameSplitter;
  private readonly negotiatedAudio: NegotiatedStream | undefined;
  private readonly refresh: PictureRefresh | undefined;
  private readonly clock: Clock;
  private readonly splitRecord = (record: RingRecord): PacketTable => this.splitter.split(record);

  constructor(options: ViewerOptions) {
    const { video, audio, splitter, consumer, clock } = options;
    this.splitter = splitter;
    this.clock = clock;
    this.negotiatedAudio = audio;
    this.video = video && openStream(options, video, videoClockRate);
    this.audio = audio && openStream(options, audio, audioClockRate);
    if (this.video && video) {
      const { socketBacklogBytes, onFrameSent } = options;
      this.sender = new VideoSender({
        track: video.track,
        codec: video.codec,
        consumer,
        splitter,
        stream: this.video,
        socketBacklogBytes,
        onFrameSent,
      });
      this.refresh = new PictureRefresh({ track: video.track, consumer, sender: this.sender });
    }
    this.feedback = new ViewerFeedback({
      profile: options.profile,
      sendKeys: options.sendKeys,
      receiveKeys: options.receiveKeys,
      cname: new TextEncoder().encode(options.cname),
      clock,
      streams: [this.video, this.audio].filter(stream => stream !== undefined),
      videoSsrc: video?.ssrc,
      send: options.send,
      resend: (stream, sequenceNumber) => stream.resend(sequenceNumber, this.splitRecord),
      onPictureWanted: () => this.pumpIf(this.refresh?.want(clock.monoUs())),
      onGoodbye: options.onGoodbye,
    });
  }

  /** Starts the picture at the newest random access point; sound starts with the next frame. */
  start(): void {
    this.sender?.join();
  }

  /** Moves the video along; see VideoSender.pump. */
  pump(nowMonoUs: number): PumpResult {
    return this.sender?.pump(nowMonoUs) ?? 'live';
  }

  /** Sends an audio record if it is of this viewer's track and codec. */
  sendAudio(record: RingRecord): void {
    const { negotiatedAudio } = this;
    if (!this.audio || record.track !== negotiatedAudio?.track || record.codec !== negotiatedAudio.codec)
      return;
    const table = this.splitter.split(record);
    if (!this.audio.sendSamples(record, table)) this.splitter.forget();
  }

  /** Once a second: sender reports, and pictures that were asked for in vain. */
  tick(): void {
    this.feedback.sendReports(false);
    this.pumpIf(this.refresh?.tick(this.clock.monoUs()));
  }

  /** Says goodbye; the transport must still be open. */
  end(): void {
    this.feedback.sendReports(true);
  }

  /** A picture that is started again leaves now: the next one of the camera, which would move it, may be far. */
  private pumpIf(isRestarted: boolean | undefined): void {
    if (isRestarted) this.pump(this.clock.monoUs());
  }
}

function openStream(options: ViewerOptions, stream: NegotiatedStream, clockRate: number): OutgoingStream {
  const { plane, consumer, profile, sendKeys, send, target } = options;
  const isVideo = clockRate === videoClockRate;
  return new OutgoingStream({
    plane,
    consumer,
    profile,
    keys: sendKeys,
    clockRate,
    timestamps: isVideo ? new VideoTimestamps() : new AudioTimestamps(),
    marksFrameEnd: isVideo,
    header: {
      ssrc: stream.ssrc,
      payloadType: stream.payloadType,
      playoutDelay:
        isVideo && stream.playoutDelayId !== undefined
          ? { id: stream.playoutDelayId, minMs: 0, maxMs: 0 }
          : undefined,
      absCaptureTimeId: stream.captureTimeId,
    },
    send,
    ...(target && { target }),
  });
}
