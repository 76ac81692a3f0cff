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
  readonly live: LiveConfiguration;
}

export interface LiveConfiguration {
  /** Most viewers at once. */
  readonly maxViewers: number;
  /** Most offers that wait for their connection at once. */
  readonly maxPending: number;
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
}
