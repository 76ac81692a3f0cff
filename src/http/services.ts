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
import type { HealthReport } from '../ipc/health.ts';
import type { LiveReplies, LiveRequest } from '../ipc/messages.ts';
import type { Logger } from '../telemetry/log.ts';

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
  | 'iceServers'
  | 'setIceServers'
  | 'signLink'
  | 'verifyLink'
  | 'onSessionsEnded'
>;

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
  /** Absolute path; on the file system whose size GET /system shows. */
  readonly recordingsFolder: string;
  /** Asks the live worker; rejects with a CameraError. */
  liveRequest<Kind extends LiveRequest['kind']>(
    request: Extract<LiveRequest, { kind: Kind }>,
  ): Promise<LiveReplies[Kind]>;
  /** Tells of every live session that the live worker has ended, whatever the reason. */
  onLiveSessionEnded(listener: (liveSessionId: string) => void): void;
  readonly logger: Logger;
  readonly live: LiveConfiguration;
  readonly http: HttpConfiguration;
  readonly https: HttpsConfiguration;
  /** Where the front end keeps a certificate of its own. */
  readonly stateFolder: string;
}
