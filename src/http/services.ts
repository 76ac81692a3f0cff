/**
 * What the HTTP front end is given by the composition root: everything that a route needs, and nothing else.
 *
 * Routes know no other stage; the live worker is reached through `liveRequest` alone.
 */
import type { Accounts } from '../auth/accounts.ts';
import type { AuditLog } from '../auth/audit-log.ts';
import type { Clock } from '../base/clock.ts';
import type { TrackInfo } from '../base/tracks.ts';
import type { HttpConfiguration, HttpsConfiguration, LiveConfiguration } from '../config/configuration.ts';
import type { FirmwareUpgrades } from '../firmware/upgrades.ts';
import type { HealthReport } from '../ipc/health.ts';
import type { LiveReplies, LiveRequest } from '../ipc/messages.ts';
import type {
  FragmentRecord,
  RecordedStream,
  SegmentRecord,
  SegmentSamples,
} from '../isobmff/recorded-segment.ts';
import type { RetentionRules } from '../store/recordings/retention.ts';
import type { Logger } from '../telemetry/log.ts';
import type { LogTail } from '../telemetry/log-tail.ts';

/** What the front end uses of the accounts; tests may bring their own. */
export type AccountsService = Pick<
  Accounts,
  | 'state'
  | 'authenticate'
  | 'admitSetup'
  | 'createUser'
  | 'logIn'
  | 'refresh'
  | 'logOut'
  | 'resetPassword'
  | 'sessions'
  | 'endSession'
  | 'iceServers'
  | 'setIceServers'
  | 'signLink'
  | 'verifyLink'
  | 'onSessionsEnded'
>;

/** What the front end uses of the firmware upgrades. */
export type UpgradesService = Pick<
  FirmwareUpgrades,
  'status' | 'watch' | 'checkReady' | 'begin' | 'rollBack' | 'imageBytesMax' | 'uploadsPerHour'
>;

/** What is asked of the index of the recordings; its newest part included. Every answer comes at once. */
export interface RecordingsIndex {
  /** All segments of a stream in recording order, a view that lives on. */
  segments(stream: RecordedStream): readonly SegmentRecord[];
  /** Those whose wall time meets the range, its end left out; in recording order. */
  segmentsIn(stream: RecordedStream, startUnixMs: number, endUnixMs: number): SegmentRecord[];
  /** The last fragment of a segment that starts at or before a time since its base. */
  fragmentAt(stream: RecordedStream, segmentNumber: number, media90k: number): FragmentRecord | undefined;
  /** The same among those that start with a random access point. */
  syncFragmentAt(stream: RecordedStream, segmentNumber: number, media90k: number): FragmentRecord | undefined;
  /** By fragment number, from the first to the last of them; all when left out. */
  fragments(stream: RecordedStream, segmentNumber: number, from?: number, to?: number): FragmentRecord[];
}

/** The recordings as clips and the timeline see them. */
export interface RecordingsService {
  readonly index: RecordingsIndex;
  /** Absolute path; on the file system whose size GET /system shows. */
  readonly folder: string;
  /** Absolute path of a segment's file. */
  fileOf(segment: SegmentRecord): string;
  /** Has the recorder write what is pending; rejects with a CameraError when it cannot. */
  flush(): Promise<void>;
  /** The segment's file is being read: it is not deleted until it was released as often. */
  hold(segment: SegmentRecord): void;
  release(segment: SegmentRecord): void;
  /** Samples of some fragments, in their order; of all when left out. Off this thread; rejects with a CameraError. */
  loadSamples(segment: SegmentRecord, fragments?: readonly FragmentRecord[]): Promise<SegmentSamples>;
  /** What is deleted when, on a file system of this size. */
  retentionRules(totalBytes: number): RetentionRules;
  /** Milliseconds that the recorder is behind with its writing; whoever reads leaves the card to it then. */
  cardPressureMs(): number;
}

/** The services of the front end; the functions are called on the main thread and must not block it. */
export interface HttpServices {
  readonly accounts: AccountsService;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly deviceUuid: string;
  readonly clock: Clock;
  /** When the daemon started, on the monotonic clock. */
  readonly startedMonoUs: number;
  readonly firmwareVersion: string;
  /** The tracks of the running stream; empty before the first picture. */
  tracks(): readonly TrackInfo[];
  health(): HealthReport;
  /** The metrics in Prometheus' text format. */
  metrics(): string;
  /** Asks the live worker; rejects with a CameraError. */
  liveRequest<Kind extends LiveRequest['kind']>(
    request: Extract<LiveRequest, { kind: Kind }>,
  ): Promise<LiveReplies[Kind]>;
  /** Tells of every live session that the live worker has ended, whatever the reason. */
  onLiveSessionEnded(listener: (liveSessionId: string) => void): void;
  readonly recordings: RecordingsService;
  readonly upgrades: UpgradesService;
  readonly logger: Logger;
  readonly logTail: Pick<LogTail, 'after' | 'last'>;
  readonly live: LiveConfiguration;
  readonly http: HttpConfiguration;
  readonly https: HttpsConfiguration;
  /** Where the front end keeps a certificate of its own. */
  readonly stateFolder: string;
}
