/**
 * The SDP offer of a viewer, checked before anything is made from it: RFC 8866 grammar of what we use, RFC 8829 §5.8
 * (JSEP), RFC 8839 (ICE), RFC 8842 and 5763 (DTLS), RFC 9143 (BUNDLE).
 *
 * The result is either an {@link Offer} that the rest can trust, or a CameraError `sdp-invalid` with a sentence in
 * plain words and the place. Work is linear in the bounded length. Live thread. Left out: unified plan's simulcast,
 * rids, ssrc lines, bandwidth lines: they are skipped, we only send.
 */
import { type Candidate, readCandidate } from './candidate.ts';
import { type MediaDescription, type SessionAttributes, splitSections } from './media-description.ts';
import { readExtensions, readFormats } from './media-formats.ts';
import type { Direction, MediaSection, Offer, OfferedTransport } from './offer.ts';
import { candidatesMax, midCharactersMax } from './offer-limits.ts';
import { quoted, readSdpLines, sdpError } from './sdp-lines.ts';
import { readTransport, readTransportPart, type TransportPart } from './transport-attributes.ts';

export interface ParseOfferOptions {
  /** Accept loopback candidates: for a viewer on the camera itself. */
  readonly allowLoopback?: boolean;
}

const rtpProtocols = new Set(['UDP/TLS/RTP/SAVPF', 'UDP/TLS/RTP/SAVP', 'RTP/SAVPF', 'RTP/SAVP']);
const directions: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
const midGrammar = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/;

/** Parses and checks an offer. Throws CameraError `sdp-invalid`. */
export function parseOffer(sdp: string, options: ParseOfferOptions = {}): Offer {
  const { session, media } = splitSections(readSdpLines(sdp));
  if (media.length === 0) throw sdpError('The offer has no media section.');
  const mids = readMids(media);
  const bundle = readBundle(session, mids);
  const parts = media.map(readTransportPart);
  const sessionPart = readTransportPart(session);
  const sections = media.map((description, index) => {
    const tagged = bundle.includes(mids[index]!) ? mids.indexOf(bundle[0]!) : index;
    return readSection(description, index, mids[index]!, [parts[index]!, parts[tagged]!, sessionPart]);
  });
  requireReceivable(sections);
  const { candidates, dropped } = readCandidates(media, options.allowLoopback ?? false);
  return {
    sections,
    bundle,
    candidates,
    droppedCandidates: dropped,
    endOfCandidates: [session, ...media].some(part => part.has('end-of-candidates')),
    iceLite: session.has('ice-lite'),
  };
}

function readMids(media: readonly MediaDescription[]): string[] {
  const seen = new Set<string>();
  return media.map(description => {
    const mid = description.value('mid');
    if (mid === undefined) {
      if (description.isRejected) return '';
      throw sdpError('A media section has no a=mid.', { lineNumber: description.lineNumber });
    }
    if (mid.length > midCharactersMax || !midGrammar.test(mid))
      throw sdpError('A media section has a malformed a=mid.', { lineNumber: description.lineNumber });
    if (seen.has(mid)) throw sdpError('Two media sections have the same a=mid.', { mid: quoted(mid) });
    seen.add(mid);
    return mid;
  });
}

/** The first BUNDLE group; a second one would be a second transport, whose sections the answer rejects. */
function readBundle(session: SessionAttributes, mids: readonly string[]): string[] {
  let first: string[] | undefined;
  const seen = new Set<string>();
  for (const value of session.values('group')) {
    const [semantics, ...members] = value.split(' ');
    if (semantics !== 'BUNDLE') continue;
    for (const mid of members) {
      if (!mids.includes(mid) || mid === '')
        throw sdpError('The BUNDLE group names a media section that is not there.', { mid: quoted(mid) });
      if (seen.has(mid))
        throw sdpError('The BUNDLE group names a media section twice.', { mid: quoted(mid) });
      seen.add(mid);
    }
    first ??= members;
  }
  return first ?? [];
}

function readSection(
  description: MediaDescription,
  index: number,
  mid: string,
  parts: readonly TransportPart[],
): MediaSection {
  const { kind, protocol, formatList, isRejected, lineNumber } = description;
  const isRtp = rtpProtocols.has(protocol);
  const direction = readDirection(description);
  const isMedia = isRtp && !isRejected && (kind === 'audio' || kind === 'video');
  let transport: OfferedTransport | undefined;
  if (!isRejected) transport = readTransport(parts, lineNumber);
  if (isMedia && !description.has('rtcp-mux'))
    throw sdpError('A media section has no a=rtcp-mux: RTCP on a port of its own is not supported.', {
      lineNumber,
    });
  return {
    index,
    kind,
    protocol,
    formatList,
    mid,
    isRejected,
    isReceivable: isMedia && (direction === 'recvonly' || direction === 'sendrecv'),
    direction,
    formats: isMedia ? readFormats(description) : [],
    extensions: isMedia ? readExtensions(description) : new Map(),
    transport,
  };
}

function readDirection(description: MediaDescription): Direction {
  const found = directions.filter(direction => description.hasOrInherits(direction));
  if (found.length > 1)
    throw sdpError('A media section has more than one direction.', { lineNumber: description.lineNumber });
  return found[0] ?? 'sendrecv';
}

function requireReceivable(sections: readonly MediaSection[]): void {
  if (sections.some(section => section.isReceivable)) return;
  const offered = quoted(sections.map(({ kind, direction }) => `${kind} ${direction}`).join(', '));
  const isMedia = sections.some(({ kind }) => kind === 'audio' || kind === 'video');
  throw sdpError(
    isMedia
      ? 'The offer asks for no picture or sound: no media section is recvonly or sendrecv.'
      : 'The offer has no video or audio section: the camera sends nothing else.',
    { offered },
  );
}

function readCandidates(
  media: readonly MediaDescription[],
  allowLoopback: boolean,
): { candidates: Candidate[]; dropped: number } {
  const lines = media.flatMap(description => description.lines('candidate'));
  if (lines.length > candidatesMax)
    throw sdpError('The offer has too many candidates.', { candidates: lines.length, candidatesMax });
  const usable = new Map<string, Candidate>();
  let dropped = 0;
  for (const line of lines) {
    const candidate = readCandidate(line.value.slice('candidate:'.length), line, allowLoopback);
    if (candidate) usable.set(`${candidate.address} ${candidate.port}`, candidate);
    else dropped++;
  }
  return { candidates: [...usable.values()].sort((a, b) => b.priority - a.priority), dropped };
}
