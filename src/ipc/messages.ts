/**
 * Every message that crosses threads, as closed unions: frames go through the ring, only control goes through here.
 *
 * The supervisor (main thread) talks to each worker over its message port; workers never talk to one another. A request
 * carries an id and gets exactly one reply with that id (see ipc/request-channel.ts). Everything is structured-cloned;
 * the ring's SharedArrayBuffer travels once, in the worker data.
 */
import type { ErrorReport } from '../base/errors.ts';
import type { TrackInfo } from '../base/tracks.ts';

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

/** What every worker is told. After `stop` it ends by itself within a second. */
export type WorkerCommand = { readonly type: 'stop' };

export type CaptureCommand = WorkerCommand;

export type LiveCommand =
  | WorkerCommand
  | { readonly type: 'tracks'; readonly tracks: readonly TrackInfo[] }
  | { readonly type: 'request'; readonly id: number; readonly request: LiveRequest };

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
    }
  | { readonly kind: 'close-session'; readonly sessionId: string }
  | { readonly kind: 'describe-session'; readonly sessionId: string };

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
