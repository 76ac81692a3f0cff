/** A camera that consists of its services alone: what the front end is given, with everything in the test's hand. */
import { tmpdir } from 'node:os';
import type { CameraError } from '../../src/base/errors.ts';
import { Codec, Track, type TrackInfo } from '../../src/base/tracks.ts';
import type { HttpConfiguration } from '../../src/config/configuration.ts';
import {
  type HttpServer,
  type HttpServerOptions,
  type HttpServices,
  startHttpServer,
} from '../../src/http/server.ts';
import type { HealthReport } from '../../src/ipc/health.ts';
import type { LiveReplies, LiveRequest, LogFields, SessionDescription } from '../../src/ipc/messages.ts';
import { LogTail } from '../../src/telemetry/log-tail.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { CameraUpgrades } from './camera-upgrades.ts';
import { FakeAccounts } from './fake-accounts.ts';
import { FakeRecordings } from './fake-recordings.ts';

export { token } from './fake-accounts.ts';

export const video: TrackInfo = {
  kind: 'video',
  track: Track.main,
  codec: Codec.h264,
  width: 1280,
  height: 720,
  framesPerSecond: 29.97,
  profileIdc: 66,
  profileCompatibility: 0xc0,
  levelIdc: 31,
};

export const description: SessionDescription = {
  session_id: 'session-1',
  state: 'connected',
  valid_until_unix_ms: 1_700_000_600_000,
  started_unix_ms: 1_700_000_000_000,
  remote_address: '192.0.2.7',
  video_codec: 'H.264',
  audio_codec: 'PCMU',
  track: 'main',
  packets_sent: 100,
  bytes_sent: 100_000,
  frames_sent: 30,
  frames_skipped: 0,
  forward_jumps: 0,
  packets_resent: 0,
  nacks_received: 0,
  plis_received: 0,
  packets_lost_reported: 0,
  round_trip_ms: 4,
  jitter_ms: 1,
};

const well: HealthReport = {
  status: 'ok',
  workers: [
    { name: 'capture', state: 'running', restarts: 0, lastError: null, sinceUnixMs: 1_700_000_000_000 },
    {
      name: 'live',
      state: 'running',
      restarts: 1,
      lastError: 'secret://x:y@z',
      sinceUnixMs: 1_700_000_000_000,
    },
  ],
  sources: [{ name: 'main', isUp: true }],
  recorder: { state: 'recording', sinceUnixMs: 1_700_000_000_000, index: 'ok' },
};

type Answer = (request: LiveRequest) => Promise<LiveReplies[LiveRequest['kind']]>;

const usualAnswer: Answer = async request => {
  if (request.kind === 'open-session')
    return { sessionId: 'session-1', sdp: 'v=0\r\n', validUntilUnixMs: request.validUntilUnixMs };
  if (request.kind === 'test-ice-servers')
    return request.iceServers.map(() => ({ reason: null, address: '192.0.2.9:4000', roundTripMs: 12.34 }));
  return request.kind === 'close-session' ? { closed: true } : description;
};

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** The fake; tests change its members before or between requests. */
export class FakeCamera {
  readonly clock = new ManualClock();
  readonly accounts = new FakeAccounts(this.clock);
  /** Events of the audit log. */
  readonly audited: string[] = [];
  readonly log: LogLine[] = [];
  readonly logTail = new LogTail(this.clock, 'info');
  readonly liveRequests: LiveRequest[] = [];
  tracks: readonly TrackInfo[] = [video];
  readonly recordings = new FakeRecordings();
  readonly upgrades = new CameraUpgrades(this.clock, event => this.audited.push(event));
  health: HealthReport = well;
  /** Answers the live worker's requests. */
  answer: Answer = usualAnswer;

  /** Lets every live request fail. */
  failWith(error: CameraError): void {
    this.answer = () => Promise.reject(error);
  }

  /** Back to how it was made, while its servers go on. */
  restore(): void {
    this.accounts.restore();
    this.answer = usualAnswer;
    this.health = well;
    this.recordings.clear();
    this.upgrades.restore();
  }

  /** Ends a live session as the live worker would. */
  endLiveSession(id: string): void {
    for (const listener of this.liveEndListeners) listener(id);
  }

  private readonly liveEndListeners: ((id: string) => void)[] = [];

  /** Bounds that only their own tests meet; a test changes what it is about before it serves. */
  http: HttpConfiguration = {
    // The tests' raw requests call the camera so, without the port.
    names: ['a:80'],
    origins: [],
    requestsPerSecond: 100_000,
    requestBurst: 100_000,
    maxConnections: 10_000,
    maxConnectionsPerAddress: 10_000,
    openMetrics: false,
    validateReplies: true,
    requestTimeoutSeconds: 10,
  };

  services(): HttpServices {
    const line =
      (level: string) =>
      (message: string, fields: LogFields = {}): void => {
        this.log.push({ level, message, fields });
      };
    return {
      accounts: this.accounts,
      audit: { record: event => this.audited.push(event) },
      deviceUuid: '123e4567-e89b-12d3-a456-426614174000',
      clock: this.clock,
      startedMonoUs: 0,
      firmwareVersion: '1.2.3',
      tracks: () => this.tracks,
      health: () => this.health,
      metrics: () => '# TYPE up gauge\nup 1\n',
      recordings: this.recordings,
      upgrades: this.upgrades,
      liveRequest: <Kind extends LiveRequest['kind']>(request: Extract<LiveRequest, { kind: Kind }>) => {
        this.liveRequests.push(request);
        return this.answer(request) as Promise<LiveReplies[Kind]>;
      },
      onLiveSessionEnded: listener => this.liveEndListeners.push(listener),
      logTail: this.logTail,
      logger: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
      live: {
        maxViewers: 16,
        maxPending: 4,
        offersPerMinute: 100_000,
        connectTimeoutSeconds: 15,
        viewerTimeoutSeconds: 30,
        maxSessionSeconds: 3600,
        maxPayloadBytes: 1200,
        addresses: [],
        dataPlane: 'auto',
      },
      http: this.http,
      https: { enabled: false, certificate: '', key: '', redirectPort: 0 },
      stateFolder: tmpdir(),
    };
  }

  /** A server of this camera on a free port of 127.0.0.1. */
  serve(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
    const pageFolder = process.env.OPENCAMERAD_TEST_WEB;
    return startHttpServer({ host: '127.0.0.1', port: 0, pageFolder, ...options }, this.services());
  }
}
