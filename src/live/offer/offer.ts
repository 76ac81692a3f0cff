/**
 * What an offer says, as data: everything here was checked by parse-offer.ts, bounded, and is read-only from then on.
 *
 * Names are those of RFC 8866 (SDP), 8829 (JSEP), 8839 (ICE in SDP), 8842 (DTLS in SDP) and 9143 (BUNDLE).
 */
import type { Candidate } from './candidate.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
/** `a=setup` of RFC 4145 §4; `holdconn` is refused. */
export type SetupRole = 'actpass' | 'active' | 'passive';

/** One payload type of a section. */
export interface PayloadFormat {
  /** 0–127. */
  readonly payloadType: number;
  /** Encoding name in upper case (`H264`); static ones of RFC 3551 have it without an rtpmap too; '' where unknown. */
  readonly encoding: string;
  readonly clockRate: number;
  readonly channels: number;
  /** Format parameters with lower-case names, in the order of the offer. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Values of `rtcp-fb` for this payload type or `*`: `nack`, `nack pli`, `ccm fir` … */
  readonly feedback: ReadonlySet<string>;
}

/** What ICE and DTLS need to know of the offerer. */
export interface OfferedTransport {
  readonly ufrag: string;
  readonly pwd: string;
  /** SHA-256 fingerprints as 32 hex pairs in upper case with colons; one of them must match the certificate. */
  readonly fingerprints: readonly string[];
  readonly setup: SetupRole;
}

export interface MediaSection {
  /** Place in the offer; the answer has the same order. */
  readonly index: number;
  /** `video`, `audio`, `application` … */
  readonly kind: string;
  /** The transport protocol of the m-line, repeated in the answer. */
  readonly protocol: string;
  /** The formats of the m-line as they stand there; a rejected section repeats them. */
  readonly formatList: string;
  /** '' only in a rejected section. */
  readonly mid: string;
  /** Port 0 (and not bundle-only): the offerer does not want it. */
  readonly isRejected: boolean;
  /** Whether we may serve it: RTP with multiplexed RTCP that the offerer wants to receive. */
  readonly isReceivable: boolean;
  readonly direction: Direction;
  readonly formats: readonly PayloadFormat[];
  /** Extension URI → id, of those that we may send. */
  readonly extensions: ReadonlyMap<string, number>;
  /** Undefined only in a rejected section. */
  readonly transport: OfferedTransport | undefined;
}

export interface Offer {
  readonly sections: readonly MediaSection[];
  /** Mids of the first BUNDLE group, in its order; empty without one. */
  readonly bundle: readonly string[];
  /** Usable candidates of all sections, highest priority first. */
  readonly candidates: readonly Candidate[];
  /** Candidate lines that were dropped: names, TCP, loopback … */
  readonly droppedCandidates: number;
  /** Whether the offer says that no candidates follow. */
  readonly endOfCandidates: boolean;
  readonly iceLite: boolean;
}
