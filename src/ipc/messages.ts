/**
 * Every message that crosses threads, as closed unions: frames go through the ring, only control goes through here.
 *
 * The supervisor (main thread) talks to each worker over its message port; workers never talk to one another. A request
 * carries an id and gets exactly one reply with that id (see ipc/request-channel.ts). Everything is structured-cloned;
 * the ring's SharedArrayBuffer travels once, in the worker data.
 */
import type { ErrorReport } from '../base/errors.ts';
import type { TrackInfo } from '../base/tracks.ts';
import type { FragmentRecord, RecordedStream, SegmentRecord } from '../isobmff/recorded-segment.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Fields of a log line; secrets and frame bytes never go in. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** What every worker may say. `stats` is a flat record of counters and gauges; its keys become metric names. */
export type WorkerReport =
  | { readonly type: 'ready' }
  | { readonly type: 'beat' }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string; readonly fields: LogFields }
  | { readonly type: 'stats'; readonly stats: Stats }
  | { readonly type: 'failed'; readonly error: ErrorReport }
  | { readonly type: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly type: 'reply-error'; readonly id: number; readonly error: ErrorReport };

/** Counters and gauges by snake_case name, and histograms of microseconds. */
export interface Stats {
  readonly values: Readonly<Record<string, number>>;
  readonly histograms?: Readonly<Record<string, HistogramSnapshot>>;
}

/** Cumulative counts in the manner of Prometheus: `counts[i]` values were ≤ `bounds[i]`. */
export interface HistogramSnapshot {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/** What the capture worker says besides: the tracks, whenever one appears or changes its format. */
export type CaptureReport = WorkerReport | { readonly type: 'tracks'; readonly tracks: readonly TrackInfo[] };

/** What the live worker says besides: a session ended by itself. */
export type LiveReport =
  | WorkerReport
  | { readonly type: 'session-ended'; readonly sessionId: string; readonly reason: SessionEndReason };

/** Why a live session ended; shown to the viewer in words. */
export type SessionEndReason =
  | 'closed-by-api'
  | 'valid-until-reached'
  | 'never-connected'
  | 'viewer-vanished'
  | 'viewer-closed'
  | 'camera-stopping'
  | 'source-changed'
  | 'failed';

/**
 * How the recorder is: `recording`; `waiting`: there is no picture to record; `card-missing`: the folder is not there;
 * `card-refused`: the folder lies on the file system of the machine where a card should be; `card-full`; `card-read-only`;
 * `card-failed`: input or output errors; `card-stalled`: it does not answer.
 */
export type CardState =
  | 'recording'
  | 'waiting'
  | 'card-missing'
  | 'card-refused'
  | 'card-full'
  | 'card-read-only'
  | 'card-failed'
  | 'card-stalled';

/** A segment file that main knows of: where it was last seen whole. */
export interface KnownSegment {
  readonly stream: RecordedStream;
  readonly number: number;
  readonly path: string;
  readonly endOffset: number;
  readonly trailerOffset: number;
  readonly isClosed: boolean;
}

/**
 * What the recorder worker says besides. A fragment is told of when it lies on the card, checked and flushed; segments
 * and fragments of one stream in their order.
 */
export type RecorderReport =
  | WorkerReport
  | { readonly type: 'segment-opened'; readonly segment: SegmentRecord }
  | {
      readonly type: 'fragment';
      readonly stream: RecordedStream;
      readonly segmentNumber: number;
      readonly fragment: FragmentRecord;
    }
  | { readonly type: 'segment-closed'; readonly segment: SegmentRecord }
  /** Found on the card by the look at the start: new to main, or other than main knew it. */
  | {
      readonly type: 'segment-found';
      readonly segment: SegmentRecord;
      readonly fragments: readonly FragmentRecord[];
    }
  /** Known to main, but not on the card. */
  | {
      readonly type: 'segments-missing';
      readonly segments: readonly Pick<KnownSegment, 'stream' | 'number'>[];
    }
  /** The look at the card goes on: files looked at so far, of so many; `isDone` with the last. */
  | {
      readonly type: 'card-looked';
      readonly files: number;
      readonly filesTotal: number;
      readonly isDone: boolean;
    }
  /** The state changed. `detail` is a sentence for the log. */
  | {
      readonly type: 'card';
      readonly state: CardState;
      readonly detail: string;
      /** Whether the folder lies on another file system than `/`; undefined when it cannot be seen. */
      readonly isMount: boolean | undefined;
    };

/** What every worker is told. After `stop` it ends by itself within a second. */
export type WorkerCommand = { readonly type: 'stop' };

export type CaptureCommand = WorkerCommand;

export type LiveCommand =
  | WorkerCommand
  | { readonly type: 'tracks'; readonly tracks: readonly TrackInfo[] }
  | { readonly type: 'request'; readonly id: number; readonly request: LiveRequest };

export type RecorderCommand =
  | WorkerCommand
  /** Room was made on the card. */
  | { readonly type: 'room-made' }
  /** The index lost what it had: look at the whole card again, in a new life. */
  | { readonly type: 'start-over' }
  | { readonly type: 'request'; readonly id: number; readonly request: RecorderRequest };

/** The requests of the recorder worker: write what is pending to the card now, for a clip that ends now. */
export type RecorderRequest = { readonly kind: 'flush' };

export interface RecorderReplies {
  /** The fragments that came of it were reported before. */
  readonly flush: { readonly flushed: true };
}

/** The requests of the live worker and, by `kind`, their replies in {@link LiveReplies}. */
export type LiveRequest =
  | {
      readonly kind: 'open-session';
      /** The viewer's offer, at most 64 KiB of SDP; not yet checked. */
      readonly sdp: string;
      /** When the session must end at the latest, Unix ms. */
      readonly validUntilUnixMs: number;
      /** ICE servers with their credentials, for this session. */
      readonly iceServers: readonly IceServer[];
      /** The video that is wanted first; main unless told. */
      readonly stream?: 'main' | 'sub' | undefined;
    }
  | { readonly kind: 'close-session'; readonly sessionId: string }
  | { readonly kind: 'describe-session'; readonly sessionId: string }
  /** Tries servers, with their credentials, without a session. */
  | { readonly kind: 'test-ice-servers'; readonly iceServers: readonly IceServer[] };

/** A STUN or TURN server (RFC 8489, 8656). */
export interface IceServer {
  readonly kind: 'stun' | 'turn';
  /** Name or IP address. */
  readonly host: string;
  readonly port: number;
  /** How a TURN server is reached; a STUN server by UDP. Default `udp`. */
  readonly transport?: 'udp' | 'tcp' | 'tls';
  /** Of a TURN server. */
  readonly username?: string;
  readonly password?: string;
}

export interface LiveReplies {
  'open-session': { readonly sessionId: string; readonly sdp: string; readonly validUntilUnixMs: number };
  'close-session': { readonly closed: true };
  'describe-session': SessionDescription;
  /** One for each server, in their order. */
  'test-ice-servers': readonly IceServerReport[];
}

/** What came of asking an ICE server. */
export interface IceServerReport {
  /** Why it cannot be used; null when it can. No secret. */
  readonly reason: string | null;
  /** The reflexive or relayed transport address, as `address:port`. */
  readonly address: string | null;
  readonly roundTripMs: number | null;
}

/** State and statistics of a live session, as GET /media/live/session/{id} shows them (snake_case by the API's habit). */
export interface SessionDescription {
  readonly session_id: string;
  readonly state: 'connecting' | 'connected';
  readonly valid_until_unix_ms: number;
  readonly started_unix_ms: number;
  readonly remote_address: string | null;
  readonly video_codec: 'H.264' | 'H.265' | null;
  readonly audio_codec: 'PCMU' | 'PCMA' | null;
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
}
