/**
 * The types of the API's operations, generated from assets/openapi.json by scripts/generate-api-types.mjs. Do not edit:
 * change the document and run the script. `npm run check` says when the two differ.
 */

export interface components {
  schemas: {
    readonly DeviceInfo: {
      /** Format: uuid */
      readonly uuid: string;
      /** Format: int64 */
      readonly uptime: number;
      readonly resolution: string;
      readonly fps: number;
      /** @enum {string} */
      readonly video_codec: 'H.264' | 'H.265';
      /** @enum {string} */
      readonly audio_codec: 'G.711';
    };
    readonly User: {
      /** Format: int64 */
      readonly id?: number;
      readonly firstName?: string;
      readonly lastName?: string;
      readonly email: string;
      readonly password: components['schemas']['Password'];
      readonly phone?: string;
    };
    readonly CreatedUser: {
      /** Format: int64 */
      readonly id: number;
      readonly firstName: string;
      readonly lastName: string;
      readonly email: string;
      readonly phone: string;
    };
    readonly Password: string | number;
    readonly SetupState: {
      readonly setup_required: boolean;
    };
    readonly Token: {
      readonly access_token: string;
      readonly valid_until: components['schemas']['Time'];
    };
    readonly TokenExtension: {
      readonly valid_until: components['schemas']['Time'];
    };
    readonly Empty: Record<string, never>;
    /** Format: date-time */
    readonly Time: string;
    readonly LiveSessionConfig: {
      readonly ice_servers: readonly string[];
    };
    readonly SDP: {
      /** @constant */
      readonly type: 'offer';
      readonly sdp: string;
      /** Format: date-time */
      readonly valid_until?: string;
      /** @enum {string} */
      readonly stream?: 'main' | 'sub';
    };
    readonly SDPAnswer: {
      /** @constant */
      readonly type: 'answer';
      readonly sdp: string;
      readonly valid_until: components['schemas']['Time'];
      readonly session_id: string;
    };
    readonly LiveSession: {
      readonly session_id: string;
      /** @enum {string} */
      readonly state: 'connecting' | 'connected';
      readonly valid_until: components['schemas']['Time'];
      readonly valid_until_unix_ms: number;
      readonly started_unix_ms: number;
      readonly now_unix_ms: number;
      readonly remote_address: string | null;
      /** @enum {string|null} */
      readonly video_codec: 'H.264' | 'H.265' | null;
      /** @enum {string|null} */
      readonly audio_codec: 'PCMU' | 'PCMA' | null;
      /** @enum {string|null} */
      readonly track: 'main' | 'sub' | null;
      readonly packets_sent: number;
      readonly bytes_sent: number;
      readonly frames_sent: number;
      readonly frames_skipped: number;
      readonly forward_jumps: number;
      readonly packets_resent: number;
      readonly nacks_received: number;
      readonly plis_received: number;
      readonly packets_lost_reported: number;
      readonly round_trip_ms: number | null;
      readonly jitter_ms: number | null;
    };
    readonly EndedLiveSession: {
      readonly session_id: string;
      /** @constant */
      readonly state: 'ended';
    };
    readonly ClipRange: {
      readonly start: components['schemas']['ClipTime'];
      readonly end: components['schemas']['ClipTime'];
      /** @enum {string} */
      readonly format?: 'mp4' | 'fmp4';
      /** @enum {string} */
      readonly audio?: 'flac' | 'raw' | 'none';
      /** @enum {string} */
      readonly stream?: 'main' | 'sub';
    };
    readonly ClipTime: string | number;
    readonly ClipLink: {
      readonly url: string;
      readonly valid_until: components['schemas']['Time'];
    };
    readonly SystemInfo: {
      readonly firmwareVersion: string;
      readonly sdcard_free: number;
      readonly sdcard_total: number;
      readonly live_session_config: components['schemas']['LiveSessionConfig'];
      readonly recorder?: components['schemas']['RecorderHealth'];
      readonly storage?: components['schemas']['Storage'];
    };
    readonly FirmwareUpload: {
      readonly img_file: string;
    };
    readonly Health: {
      /** @enum {string} */
      readonly status: 'ok' | 'degraded';
      readonly uptime: number;
      readonly workers: readonly components['schemas']['WorkerHealth'][];
      readonly sources: readonly components['schemas']['SourceHealth'][];
      readonly recorder?: components['schemas']['RecorderHealth'];
    };
    readonly WorkerHealth: {
      readonly name: string;
      /** @enum {string} */
      readonly state: 'starting' | 'running' | 'restarting' | 'stopped';
      readonly restarts: number;
      readonly since: components['schemas']['Time'];
    };
    readonly SourceHealth: {
      readonly name: string;
      /** @enum {string} */
      readonly state: 'running' | 'down';
    };
    readonly TimeSpan: {
      readonly start: components['schemas']['Time'];
      readonly end: components['schemas']['Time'];
    };
    readonly RecordedSpan: {
      readonly start: components['schemas']['Time'];
      readonly end: components['schemas']['Time'];
      readonly bytes: number;
      /** @enum {string} */
      readonly video_codec: 'H.264' | 'H.265';
      readonly resolution: string;
    };
    readonly Recordings: {
      readonly start: components['schemas']['Time'] | null;
      readonly end: components['schemas']['Time'];
      /** @enum {string} */
      readonly stream: 'main' | 'sub';
      readonly spans: readonly components['schemas']['RecordedSpan'][];
      readonly gaps: readonly components['schemas']['TimeSpan'][];
      readonly bytes: number;
      readonly next: string | null;
    };
    readonly ClipManifest: {
      readonly start: components['schemas']['Time'];
      readonly end: components['schemas']['Time'];
      readonly duration: number;
      /** @enum {string} */
      readonly stream: 'main' | 'sub';
      /** @enum {string} */
      readonly format: 'mp4' | 'fmp4';
      readonly gaps: readonly components['schemas']['TimeSpan'][];
      /** @enum {string} */
      readonly video_codec: 'H.264' | 'H.265';
      readonly resolution: string;
      /** @enum {string|null} */
      readonly audio_codec: 'FLAC' | 'G.711' | null;
      readonly fragments: number;
      readonly length_bytes: number;
      readonly etag: string;
      readonly url: string;
      readonly left_out: readonly components['schemas']['LeftOut'][];
    };
    readonly LeftOut: {
      readonly start: components['schemas']['Time'];
      readonly end: components['schemas']['Time'];
      /** @enum {string} */
      readonly reason: 'codec';
    };
    readonly RecorderHealth: {
      /** @enum {string} */
      readonly state:
        | 'recording'
        | 'waiting'
        | 'card-missing'
        | 'card-refused'
        | 'card-full'
        | 'card-read-only'
        | 'card-failed'
        | 'card-stalled';
      readonly since: components['schemas']['Time'];
      /** @enum {string} */
      readonly index: 'ok' | 'failing' | 'rebuilding';
    };
    readonly Problem: {
      readonly type: string;
      readonly title: string;
      readonly status: number;
      readonly detail: string;
      readonly code: string;
      readonly instance: string;
      readonly details?: {
        readonly [key: string]: string | number | boolean | null;
      };
    };
    readonly UserSessions: {
      readonly sessions: readonly components['schemas']['UserSession'][];
    };
    readonly UserSession: {
      readonly id: string;
      readonly label: string;
      readonly is_current: boolean;
      readonly valid_until: components['schemas']['Time'];
    };
    readonly LogTail: {
      readonly entries: readonly components['schemas']['LogEntry'][];
      readonly last: number;
    };
    readonly LogEntry: {
      readonly id: number;
      readonly time: components['schemas']['Time'];
      /** @enum {string} */
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields: {
        readonly [key: string]: string | number | boolean | null;
      };
    };
    readonly IceServerTest: {
      readonly results: readonly components['schemas']['IceServerResult'][];
    };
    readonly IceServerResult: {
      readonly server: string;
      readonly is_usable: boolean;
      readonly reason: string | null;
      readonly address: string | null;
      readonly round_trip_ms: number | null;
    };
    readonly Storage: {
      readonly bytes_total: number;
      readonly bytes_free: number;
      readonly bytes_recorded: number;
      readonly oldest: components['schemas']['Time'] | null;
      readonly newest: components['schemas']['Time'] | null;
      readonly bytes_per_day: number | null;
      readonly days_estimated: number | null;
    };
    readonly FirmwareState: {
      /** @enum {string} */
      readonly state:
        | 'off'
        | 'idle'
        | 'receiving'
        | 'verifying'
        | 'ready'
        | 'restarting'
        | 'trial'
        | 'confirmed'
        | 'fell-back'
        | 'failed';
      readonly version: string;
      readonly board: string;
      /** @enum {string} */
      readonly backEnd: 'files' | 'rauc' | 'command';
      readonly progress: {
        readonly receivedBytes: number;
        readonly totalBytes: number | null;
      } | null;
      readonly activeSlot: string;
      readonly slots: readonly {
        readonly name: string;
        readonly version: string | null;
        /** @enum {string} */
        readonly state: 'empty' | 'installing' | 'untried' | 'good' | 'bad' | 'unknown';
      }[];
      readonly rollBackTo: string | null;
      readonly canRollBack: boolean;
      readonly lastResult: {
        /** @enum {string} */
        readonly outcome: 'confirmed' | 'fell-back' | 'failed';
        readonly version: string;
        readonly reason?: string;
        readonly at: components['schemas']['Time'];
      } | null;
    };
  };
}
export interface operations {
  readonly getDevice: {
    readonly parameters: Record<string, never>;
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['DeviceInfo'];
        };
      };
    };
  };
  readonly createUser: {
    readonly parameters: Record<string, never>;
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': components['schemas']['User'];
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['CreatedUser'];
        };
      };
    };
  };
  readonly getSetup: {
    readonly parameters: Record<string, never>;
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['SetupState'];
        };
      };
    };
  };
  readonly obtainToken: {
    readonly parameters: Record<string, never>;
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['Token'];
        };
      };
    };
  };
  readonly refreshToken: {
    readonly parameters: Record<string, never>;
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['TokenExtension'];
        };
      };
    };
  };
  readonly logOut: {
    readonly parameters: Record<string, never>;
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['Empty'];
        };
      };
    };
  };
  readonly resetPassword: {
    readonly parameters: Record<string, never>;
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': components['schemas']['Password'];
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['CreatedUser'];
        };
      };
    };
  };
  readonly updateLiveConfig: {
    readonly parameters: Record<string, never>;
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': components['schemas']['LiveSessionConfig'];
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['LiveSessionConfig'];
        };
      };
    };
  };
  readonly openLiveSession: {
    readonly parameters: Record<string, never>;
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': components['schemas']['SDP'];
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['SDPAnswer'];
        };
      };
    };
  };
  readonly getLiveSession: {
    readonly parameters: {
      readonly path: {
        readonly id: string;
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['LiveSession'];
        };
      };
    };
  };
  readonly closeLiveSession: {
    readonly parameters: {
      readonly path: {
        readonly id: string;
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['EndedLiveSession'];
        };
      };
    };
  };
  readonly listRecordings: {
    readonly parameters: {
      readonly query?: {
        readonly start?: string;
        readonly end?: string;
        readonly stream?: 'main' | 'sub';
        readonly limit?: number;
        readonly cursor?: string;
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['Recordings'];
        };
      };
    };
  };
  readonly downloadClip: {
    readonly parameters: {
      readonly query?: {
        readonly format?: 'mp4' | 'fmp4';
        readonly audio?: 'flac' | 'raw' | 'none';
        readonly stream?: 'main' | 'sub';
      };
      readonly header?: {
        readonly Range?: string;
        readonly 'If-Range'?: string;
        readonly 'If-None-Match'?: string;
        readonly 'If-Match'?: string;
      };
      readonly path: {
        readonly start: string;
        readonly end: string;
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['ClipManifest'];
        };
      };
    };
  };
  readonly createClipLink: {
    readonly parameters: Record<string, never>;
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': components['schemas']['ClipRange'];
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['ClipLink'];
        };
      };
    };
  };
  readonly getSystem: {
    readonly parameters: Record<string, never>;
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['SystemInfo'];
        };
      };
    };
  };
  readonly getUpgrade: {
    readonly parameters: Record<string, never>;
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['FirmwareState'];
        };
      };
    };
  };
  readonly upgradeFirmware: {
    readonly parameters: Record<string, never>;
    readonly requestBody: {
      readonly content: {
        readonly 'multipart/form-data': components['schemas']['FirmwareUpload'];
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['FirmwareState'];
        };
      };
    };
  };
  readonly getOpenApi: {
    readonly parameters: {
      readonly header?: {
        readonly 'If-None-Match'?: string;
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': {
            readonly [key: string]: unknown;
          };
        };
      };
    };
  };
  readonly getHealth: {
    readonly parameters: Record<string, never>;
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['Health'];
        };
      };
      readonly 503: {
        content: {
          readonly 'application/json': components['schemas']['Health'];
        };
      };
    };
  };
  readonly getMetrics: {
    readonly parameters: Record<string, never>;
  };
  readonly listUserSessions: {
    readonly parameters: Record<string, never>;
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['UserSessions'];
        };
      };
    };
  };
  readonly endUserSession: {
    readonly parameters: {
      readonly path: {
        readonly id: string;
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['Empty'];
        };
      };
    };
  };
  readonly getLogs: {
    readonly parameters: {
      readonly query?: {
        readonly after?: number;
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['LogTail'];
        };
      };
    };
  };
  readonly testIceServers: {
    readonly parameters: Record<string, never>;
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': components['schemas']['LiveSessionConfig'];
      };
    };
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['IceServerTest'];
        };
      };
    };
  };
  readonly rollBackFirmware: {
    readonly parameters: Record<string, never>;
    readonly responses: {
      readonly 200: {
        content: {
          readonly 'application/json': components['schemas']['FirmwareState'];
        };
      };
    };
  };
}

export interface access {
  readonly getDevice: 'session';
  readonly createUser: 'setup';
  readonly getSetup: 'open';
  readonly obtainToken: 'basic';
  readonly refreshToken: 'session';
  readonly logOut: 'session';
  readonly resetPassword: 'session';
  readonly updateLiveConfig: 'session';
  readonly openLiveSession: 'session';
  readonly getLiveSession: 'session';
  readonly closeLiveSession: 'session';
  readonly listRecordings: 'session';
  readonly downloadClip: 'session-or-link';
  readonly createClipLink: 'session';
  readonly getSystem: 'session';
  readonly getUpgrade: 'session';
  readonly upgradeFirmware: 'session';
  readonly getOpenApi: 'open';
  readonly getHealth: 'open';
  readonly getMetrics: 'session';
  readonly listUserSessions: 'session';
  readonly endUserSession: 'session';
  readonly getLogs: 'session';
  readonly testIceServers: 'session';
  readonly rollBackFirmware: 'session';
}
