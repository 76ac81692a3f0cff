/**
 * The live stage: answers offers and sends every connected viewer what the ring has, as soon as it is there.
 *
 * Runs in the live worker. Offers, checks and answers are in offer/, ICE and DTLS in peer/, a viewer's streams in
 * viewer.ts; here is what they share: the ring's reader, the split of the newest frame, the limits, the second's tick,
 * the statistics. With no viewer it sleeps: no timer runs and the ring is not waited on.
 */
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import { Codec, type TrackInfo } from '../base/tracks.ts';
import { servesLoopbackOnly } from '../config/addresses.ts';
import type { LiveConfiguration } from '../config/configuration.ts';
import type {
  IceServer,
  IceServerReport,
  LiveCommand,
  LiveReplies,
  LiveReport,
  LiveRequest,
  SessionDescription,
  SessionEndReason,
  Stats,
} from '../ipc/messages.ts';
import type { Stage, StageCommand } from '../ipc/worker-port.ts';
import { chooseDataPlane } from '../native/choose-data-plane.ts';
import { TimedDataPlane } from '../native/timed-data-plane.ts';
import { RingConsumer } from '../ring/ring-consumer.ts';
import type { RingRecord } from '../ring/ring-record.ts';
import { RingWait } from '../ring/ring-wait.ts';
import { Histogram, shortBoundsUs } from '../telemetry/histogram.ts';
import type { Logger } from '../telemetry/log.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { LiveSession } from './live-session.ts';
import { transportOf } from './offer/answer.ts';
import { chooseMedia, type MediaChoice } from './offer/codec-choice.ts';
import type { Offer } from './offer/offer.ts';
import { parseOffer } from './offer/parse-offer.ts';
import { hostAddresses } from './peer/host-addresses.ts';
import { Peer } from './peer/peer.ts';
import { ServerMemory } from './peer/server-memory.ts';
import { testServers } from './peer/server-test.ts';
import { warmUp } from './peer/warm-up.ts';
import { WakeLoop } from './wake-loop.ts';
import { warmUpViewer } from './warm-up-viewer.ts';

/** Time between ticks of the sessions, ms. */
const tickIntervalMs = 1000;

export interface LiveStageOptions {
  readonly ring: SharedArrayBuffer;
  readonly live: LiveConfiguration;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly report: (report: LiveReport) => void;
}

export class LiveStage implements Stage<LiveCommand> {
  private readonly options: LiveStageOptions;
  private readonly consumer: RingConsumer;
  private readonly splitter: FrameSplitter;
  private readonly plane: TimedDataPlane;
  private readonly serverMemory: ServerMemory;
  private readonly loop: WakeLoop;
  private readonly sessions = new Map<string, LiveSession>();
  private tracks: readonly TrackInfo[] = [];
  /** Offers that are being answered and are no sessions yet. */
  private opening = 0;
  private tickTimer: NodeJS.Timeout | undefined;
  private isStopping = false;
  private isTestingServers = false;
  private readonly ended = new Map<SessionEndReason, number>();
  private readonly captureToCommit = new Histogram(shortBoundsUs);
  private readonly wakeDelay = new Histogram();
  private readonly sendDelay = new Histogram();
  private readonly captureToSent = new Histogram();
  /** What ended sessions had done, so that no total falls when a viewer leaves. */
  private readonly totalsOfEnded = {
    packets_sent: 0,
    frames_skipped: 0,
    forward_jumps: 0,
    packets_resent: 0,
  };

  constructor(options: LiveStageOptions) {
    this.options = options;
    const { plane, fallbackReason } = chooseDataPlane(options.live.dataPlane);
    this.plane = new TimedDataPlane(plane);
    if (fallbackReason !== undefined) {
      const level = options.live.dataPlane === 'native' ? 'warn' : 'info';
      options.logger[level]('packets are sent by JavaScript: there is no native addon', {
        reason: fallbackReason,
      });
    }
    this.serverMemory = new ServerMemory(options.logger);
    this.consumer = new RingConsumer(options.ring);
    this.splitter = new FrameSplitter(options.live.maxPayloadBytes);
    this.loop = new WakeLoop({
      wait: new RingWait(options.ring),
      consumer: this.consumer,
      onFrames: () => this.sendFrames(),
      onError: error => {
        throw error;
      },
    });
  }

  /** Makes the first viewer's handshake and first pictures quick; to be awaited before the first offer. */
  async start(): Promise<void> {
    warmUpViewer(this.plane, this.options.live.maxPayloadBytes);
    this.plane.reset();
    if (!(await warmUp()))
      this.options.logger.warn('the handshake could not be tried out; the first viewer waits longer');
  }

  command(command: StageCommand<LiveCommand>): void {
    this.tracks = command.tracks;
    for (const session of [...this.sessions.values()]) session.endIfChanged(command.tracks);
  }

  async request(request: LiveRequest): Promise<LiveReplies[LiveRequest['kind']]> {
    switch (request.kind) {
      case 'open-session':
        return this.open(request);
      case 'close-session':
        this.find(request.sessionId).end('closed-by-api');
        return { closed: true };
      case 'describe-session':
        return this.find(request.sessionId).describe();
      case 'test-ice-servers':
        return this.testIceServers(request.iceServers);
    }
  }

  stats(): Stats {
    const sessions = [...this.sessions.values()];
    const viewers = sessions.filter(({ viewer }) => viewer);
    const descriptions = viewers.map(session => session.describe());
    const sum = (key: keyof typeof this.totalsOfEnded): number =>
      descriptions.reduce((total, description) => total + description[key], this.totalsOfEnded[key]);
    const values: Record<string, number> = {
      viewers: viewers.length,
      sessions_pending: this.sessions.size - viewers.length + this.opening,
      packets_sent_total: sum('packets_sent'),
      frames_skipped_total: sum('frames_skipped'),
      forward_jumps_total: sum('forward_jumps'),
      packets_resent_total: sum('packets_resent'),
      ring_records_lost_total: this.consumer.lostRecords,
      ring_laps_total: this.consumer.laps,
      native_data_plane: this.plane.name === 'native' ? 1 : 0,
      heap_used_bytes: process.memoryUsage().heapUsed,
    };
    for (const [reason, count] of this.ended)
      values[`sessions_ended_${reason.replaceAll('-', '_')}_total`] = count;
    return {
      values,
      histograms: {
        // The steps of a picture on its way, in their order.
        capture_to_commit_us: this.captureToCommit.snapshot(),
        commit_to_seen_us: this.wakeDelay.snapshot(),
        split_us: this.splitter.splitUs.snapshot(),
        encrypt_us: this.plane.encryptUs.snapshot(),
        hand_over_us: this.plane.handOverUs.snapshot(),
        // And the whole way.
        commit_to_sent_us: this.sendDelay.snapshot(),
        capture_to_sent_us: this.captureToSent.snapshot(),
      },
    };
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    for (const session of [...this.sessions.values()]) session.end('camera-stopping');
    this.loop.sleep();
    // The goodbyes are in the sockets' hands; one turn of the event loop lets them out.
    await new Promise<void>(resolve => setImmediate(resolve));
  }

  private async open(
    request: Extract<LiveRequest, { kind: 'open-session' }>,
  ): Promise<LiveReplies['open-session']> {
    const { live } = this.options;
    this.refuseWhileStopping();
    const allowLoopback = servesLoopbackOnly(live.addresses);
    const offer = parseOffer(request.sdp, { allowLoopback });
    if (this.tracks.length === 0) throw new CameraError('source-not-ready', 'the camera has no picture yet');
    const choice = chooseMedia(offer, this.tracks, request.stream);
    this.checkLimits(live);
    const { sessionMs, validUntilUnixMs } = this.lifetime(request.validUntilUnixMs);
    if (sessionMs <= 0) throw new CameraError('valid-until-past', 'valid_until lies in the past');
    this.opening++;
    try {
      const peer = await Peer.create({
        remote: { ...transportOf(offer, choice), candidates: offer.candidates, iceLite: offer.iceLite },
        iceServers: request.iceServers,
        allowLoopback,
        serverMemory: this.serverMemory,
        localAddresses: live.addresses.length > 0 ? live.addresses : hostAddresses(),
        connectTimeoutMs: live.connectTimeoutSeconds * 1000,
        consentTimeoutMs: live.viewerTimeoutSeconds * 1000,
      });
      try {
        this.refuseWhileStopping();
        return this.begin(offer, choice, peer, validUntilUnixMs);
      } catch (error) {
        // No session owns the peer, so it would keep its sockets until its time for connecting is over.
        await peer.close();
        throw error;
      }
    } finally {
      this.opening--;
    }
  }

  /** Makes the session of an answered offer, from then on the owner of the peer. */
  private begin(
    offer: Offer,
    choice: MediaChoice,
    peer: Peer,
    validUntilUnixMs: number,
  ): LiveReplies['open-session'] {
    const session = new LiveSession({
      offer,
      choice,
      peer,
      clock: this.options.clock,
      plane: this.plane,
      consumer: this.consumer,
      splitter: this.splitter,
      validUntilUnixMs,
      onFrameSent: record => this.frameSent(record),
      onConnected: connected => this.connected(connected),
      onEnded: (ended, reason, last) => this.sessionEnded(ended, reason, last),
    });
    this.sessions.set(session.id, session);
    this.tickTimer ??= setInterval(() => this.tick(), tickIntervalMs);
    session.start();
    this.options.logger.info('live session answered', {
      session: session.id,
      video: choice.video ? choice.video.rtpmap : null,
      audio: choice.audio ? choice.audio.rtpmap : null,
    });
    return { sessionId: session.id, sdp: session.answerSdp, validUntilUnixMs };
  }

  /** One test at a time: each is up to eight sockets and, with a wrong server, seconds. */
  private async testIceServers(servers: readonly IceServer[]): Promise<readonly IceServerReport[]> {
    const { live } = this.options;
    if (this.isTestingServers) throw new CameraError('server-test-busy', 'servers are being tried already');
    this.isTestingServers = true;
    try {
      return await testServers(servers, {
        allowLoopback: servesLoopbackOnly(live.addresses),
        localAddresses: live.addresses.length > 0 ? live.addresses : hostAddresses(),
      });
    } finally {
      this.isTestingServers = false;
    }
  }

  private refuseWhileStopping(): void {
    if (this.isStopping) throw new CameraError('worker-unavailable', 'the camera is stopping');
  }

  private lifetime(wantedUnixMs: number): { sessionMs: number; validUntilUnixMs: number } {
    const nowUnixMs = this.options.clock.wallUnixMs();
    const validUntilUnixMs = Math.min(wantedUnixMs, nowUnixMs + this.options.live.maxSessionSeconds * 1000);
    return { sessionMs: validUntilUnixMs - nowUnixMs, validUntilUnixMs };
  }

  /** Whoever is connecting holds a place: an answered offer is a promise that there is one. */
  private checkLimits({ maxViewers, maxPending }: LiveConfiguration): void {
    const sessions = [...this.sessions.values()];
    const viewers = sessions.filter(({ viewer }) => viewer).length;
    const pending = sessions.length - viewers + this.opening;
    if (viewers >= maxViewers)
      throw new CameraError('viewer-limit', `the camera already has ${viewers} viewers`, { maxViewers });
    if (pending >= maxPending || viewers + pending >= maxViewers)
      throw new CameraError('offers-pending', 'too many viewers are connecting at this moment', {
        maxPending,
        maxViewers,
      });
  }

  private find(sessionId: string): LiveSession {
    const session = this.sessions.get(sessionId);
    if (!session) throw new CameraError('session-unknown', 'there is no such live session');
    return session;
  }

  private connected(session: LiveSession): void {
    this.options.logger.info('viewer connected', { session: session.id });
    this.loop.wake();
    this.loop.poke();
  }

  private sessionEnded(session: LiveSession, reason: SessionEndReason, last: SessionDescription): void {
    const totals = this.totalsOfEnded;
    for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += last[key];
    this.sessions.delete(session.id);
    this.ended.set(reason, (this.ended.get(reason) ?? 0) + 1);
    this.options.report({ type: 'session-ended', sessionId: session.id, reason });
    if (![...this.sessions.values()].some(({ viewer }) => viewer)) this.loop.sleep();
    if (this.sessions.size > 0) return;
    clearInterval(this.tickTimer);
    this.tickTimer = undefined;
  }

  private tick(): void {
    const nowMonoUs = this.options.clock.monoUs();
    for (const session of [...this.sessions.values()]) session.tick(nowMonoUs);
  }

  /** Sends what the ring has; returns whether a viewer has packets left that are to be paced. */
  private sendFrames(): boolean {
    const { clock } = this.options;
    for (let record = this.consumer.next(); record; record = this.consumer.next()) {
      this.wakeDelay.record(clock.monoUs() - record.commitMonoUs);
      if (record.codec === Codec.pcmu || record.codec === Codec.pcma) this.sendAudio(record);
      else this.captureToCommit.record(record.commitMonoUs - record.captureMonoUs);
    }
    let isBehind = false;
    for (const { viewer } of this.sessions.values())
      if (viewer && viewer.pump(clock.monoUs()) === 'behind') isBehind = true;
    return isBehind;
  }

  private frameSent(record: RingRecord): void {
    const nowMonoUs = this.options.clock.monoUs();
    this.sendDelay.record(nowMonoUs - record.commitMonoUs);
    this.captureToSent.record(nowMonoUs - record.captureMonoUs);
  }

  private sendAudio(record: RingRecord): void {
    for (const { viewer } of this.sessions.values()) viewer?.sendAudio(record);
  }
}
