/**
 * The configuration as the rest of the daemon sees it: complete, checked, with every default filled in.
 *
 * `schema.ts` is the one JSON Schema of these keys (defaults, ranges, descriptions); `load.ts` merges the file, the
 * environment (OPENCAMERAD_…) and the flags in that order and validates once. Nobody else reads the environment.
 */
export interface Configuration {
  /** Address the HTTP front end listens on. */
  readonly host: string;
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  /** State folder; made when it is missing. */
  readonly state: string;
  /** Folder of the recordings; '' is `recordings` below the state folder. */
  readonly recordings: string;
  /** Main video source: demo | file:PATH | command:SHELL COMMAND | v4l2:DEVICE. */
  readonly source: string;
  /** Sub video source, or '' for none. */
  readonly subSource: string;
  /** Audio source: demo | file:PATH | command:… | command+pcma:…, or '' for none; 'auto' is demo with the demo source. */
  readonly audioSource: string;
  /** Frames a second of raw Annex-B files whose SPS gives none; 0: the SPS's rate, else 30. */
  readonly sourceFps: number;
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'auto' | 'json' | 'pretty';
  };
  readonly ring: {
    /** Bytes of the data area; a multiple of 4096. */
    readonly dataBytes: number;
    /** Slots; a power of two. */
    readonly slotCount: number;
  };
  readonly recorder: RecorderConfiguration;
  readonly live: LiveConfiguration;
  readonly http: HttpConfiguration;
  readonly https: HttpsConfiguration;
  readonly accounts: AccountsConfiguration;
  readonly firmware: FirmwareConfiguration;
}

/** Recording. */
export interface RecorderConfiguration {
  readonly enabled: boolean;
  /** Which video is recorded, each with the sound. */
  readonly streams: 'main' | 'sub' | 'both';
  /** Length of a file; files begin at whole multiples of it on the wall clock. */
  readonly segmentSeconds: number;
  /** What a power cut may cost at most. */
  readonly maxLossSeconds: number;
  /** What has to be kept free on the card: the larger of both. */
  readonly keepFreeMb: number;
  readonly keepFreePercent: number;
  /** Recordings that are older, or beyond so much in all, are deleted; 0: no such limit. */
  readonly maxAgeDays: number;
  readonly maxGb: number;
  /** When the folder may be on the file system of `/`: see the schema. */
  readonly guard: 'auto' | 'mount' | 'off';
}

/** The web server. */
export interface HttpConfiguration {
  /** Host names that the camera answers to besides its own: `name` (with the port it listens on) or `name:port`. */
  readonly names: readonly string[];
  /** Origins whose pages may use the API (CORS), each as `scheme://host[:port]`. */
  readonly origins: readonly string[];
  /** Requests a second of one address over time, and how many at once. */
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Seconds until a request must have arrived whole, and until it must be answered. */
  readonly requestTimeoutSeconds: number;
  /** Whether /metrics needs no token. */
  readonly openMetrics: boolean;
  /** Whether every answer is checked against the API's description; for development. */
  readonly validateReplies: boolean;
}

/** TLS on the port of the web server. */
export interface HttpsConfiguration {
  readonly enabled: boolean;
  /** PEM files; both '' = a self-signed certificate in the state folder. */
  readonly certificate: string;
  readonly key: string;
  /** TCP port on which plain HTTP is sent on to HTTPS; 0: none. */
  readonly redirectPort: number;
}

/** The user, sessions and passwords. */
export interface AccountsConfiguration {
  /** Life of a session from log-in or refresh, and from log-in in all. */
  readonly sessionSeconds: number;
  readonly sessionMaxSeconds: number;
  /** Sessions of the user at once; the oldest leaves. */
  readonly maxSessions: number;
  /** Fewest code points of a password. */
  readonly passwordLengthMin: number;
  /** Cost of a password hash (RFC 9106). */
  readonly argon2MemoryKib: number;
  readonly argon2Iterations: number;
  readonly argon2Parallelism: number;
  /** Failed log-ins of one address before it has to wait. */
  readonly freeLoginFailures: number;
  /** Failed log-ins a minute, of all addresses together. */
  readonly loginFailuresPerMinute: number;
  /** Tries of the setup token a minute. */
  readonly setupTriesPerMinute: number;
  /** Life of a signed link. */
  readonly linkSeconds: number;
}

export interface LiveConfiguration {
  /** Most viewers at once. */
  readonly maxViewers: number;
  /** Most offers that wait for their connection at once. */
  readonly maxPending: number;
  /** Offers a minute of one address, and of one session. */
  readonly offersPerMinute: number;
  /** Seconds an offer may wait for its connection. */
  readonly connectTimeoutSeconds: number;
  /** Seconds without any sign of a connected viewer (ICE consent, RFC 7675) after which it is gone. */
  readonly viewerTimeoutSeconds: number;
  /** Longest live session, in seconds. */
  readonly maxSessionSeconds: number;
  /** Largest RTP payload in bytes, so that a packet fits the path MTU. */
  readonly maxPayloadBytes: number;
  /** Local addresses to offer; empty: all but loopback (loopback only where there is no other). */
  readonly addresses: readonly string[];
  /** What encrypts and sends: the native addon, or JavaScript; auto: the addon where it is there. */
  readonly dataPlane: 'auto' | 'native' | 'javascript';
}

/** Firmware upgrades. */
export interface FirmwareConfiguration {
  /** Files and folders of public keys; empty: upgrades are off. */
  readonly keys: readonly string[];
  /** Whether the development key, which everybody has, is trusted too. */
  readonly developmentKey: boolean;
  readonly backEnd: 'files' | 'rauc' | 'command';
  /** Folder of the slots; '' is `firmware` below the state folder. */
  readonly slots: string;
  /** The board's own program; '' unless the back end is `command`. */
  readonly command: string;
  /** Name of the board; '' is made from platform and processor. */
  readonly board: string;
  readonly allowDowngrade: boolean;
  /** Megabytes of an image at most. */
  readonly maxImageMb: number;
  /** Seconds that a new version has to prove itself in. */
  readonly trialSeconds: number;
  /** Uploads an hour of one address. */
  readonly uploadsPerHour: number;
}
