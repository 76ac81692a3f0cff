/**
 * Writes our answer to an offer: RFC 8866 text by the rules of RFC 8829 §5.3 (JSEP answers), RFC 9143 §7.3 (BUNDLE),
 * RFC 8839 (candidates), RFC 8842 (setup), RFC 5576 (ssrc).
 *
 * The sections stand in the offer's order; what is not served is rejected with port 0. All candidates are in the
 * answer, in the section that carries the transport, so no trickling is needed. Live thread.
 */
import type { TrackInfo } from '../../base/tracks.ts';
import { absCaptureTimeUri, playoutDelayUri } from '../../rtp/rtp-header.ts';
import type { ChosenMedia, MediaChoice } from './codec-choice.ts';
import type { MediaSection, Offer, OfferedTransport } from './offer.ts';

/** Our side of ICE and DTLS. */
export interface LocalTransport {
  readonly ufrag: string;
  readonly pwd: string;
  /** SHA-256 as hex pairs with colons. */
  readonly fingerprint: string;
  readonly setup: 'active' | 'passive';
  /** Attribute values, `candidate:…`. */
  readonly candidates: readonly string[];
}

export interface AnswerOptions {
  readonly offer: Offer;
  readonly choice: MediaChoice;
  readonly local: LocalTransport;
  /** Number of the session in the o= line, below 2^63. */
  readonly sessionNumber: bigint;
  /** RTCP's canonical name (RFC 7022) and media stream id: letters and digits. */
  readonly cname: string;
  readonly streamId: string;
  /** SSRC of each chosen medium, unsigned 32-bit. */
  readonly ssrc: { readonly video?: number | undefined; readonly audio?: number | undefined };
}

/**
 * The offered transport that the answer's sections share: that of the first accepted section in the BUNDLE group's
 * order (RFC 9143 §7.3.1), or of the only one without a group.
 */
export function transportOf(offer: Offer, choice: MediaChoice): OfferedTransport {
  return transportSection(offer, choice).transport!;
}

/** The answer's text, lines ended by CRLF. */
export function writeAnswer(options: AnswerOptions): string {
  const { offer, choice, sessionNumber } = options;
  const accepted = acceptedMids(offer, choice);
  const carrier = transportSection(offer, choice);
  const lines = ['v=0', `o=- ${sessionNumber} 1 IN IP4 0.0.0.0`, 's=-', 't=0 0'];
  if (offer.bundle.length > 0) lines.push(`a=group:BUNDLE ${accepted.join(' ')}`);
  lines.push('a=ice-options:ice2', `a=msid-semantic:WMS ${options.streamId}`);
  for (const section of offer.sections) {
    const medium = [choice.video, choice.audio].find(chosen => chosen?.section === section);
    if (medium) pushAccepted(lines, medium, options, section === carrier);
    else pushRejected(lines, section);
  }
  return `${lines.join('\r\n')}\r\n`;
}

function acceptedMids(offer: Offer, choice: MediaChoice): string[] {
  const chosen = [choice.video, choice.audio].flatMap(medium => (medium ? [medium.section.mid] : []));
  return offer.bundle.filter(mid => chosen.includes(mid));
}

function transportSection(offer: Offer, choice: MediaChoice): MediaSection {
  const [mid] = acceptedMids(offer, choice);
  const section = (choice.video ?? choice.audio)!.section;
  return offer.sections.find(other => mid !== undefined && other.mid === mid) ?? section;
}

function pushRejected(lines: string[], section: MediaSection): void {
  lines.push(`m=${section.kind} 0 ${section.protocol} ${section.formatList}`, 'c=IN IP4 0.0.0.0');
  if (section.mid !== '') lines.push(`a=mid:${section.mid}`);
  lines.push('a=inactive');
}

function pushAccepted(
  lines: string[],
  medium: ChosenMedia<TrackInfo>,
  options: AnswerOptions,
  carriesTransport: boolean,
): void {
  const { local, cname, streamId } = options;
  const { section, payloadType, feedback } = medium;
  const ssrc = medium.track.kind === 'video' ? options.ssrc.video : options.ssrc.audio;
  lines.push(
    `m=${section.kind} 9 ${section.protocol} ${payloadType}`,
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    `a=ice-ufrag:${local.ufrag}`,
    `a=ice-pwd:${local.pwd}`,
    `a=fingerprint:sha-256 ${local.fingerprint}`,
    `a=setup:${local.setup}`,
    `a=mid:${section.mid}`,
    'a=sendonly',
    'a=rtcp-mux',
    `a=rtpmap:${payloadType} ${medium.rtpmap}`,
  );
  if (medium.fmtp !== '') lines.push(`a=fmtp:${payloadType} ${medium.fmtp}`);
  if (feedback.nack) lines.push(`a=rtcp-fb:${payloadType} nack`);
  if (feedback.pli) lines.push(`a=rtcp-fb:${payloadType} nack pli`);
  if (feedback.fir) lines.push(`a=rtcp-fb:${payloadType} ccm fir`);
  if (medium.playoutDelayId !== undefined) lines.push(`a=extmap:${medium.playoutDelayId} ${playoutDelayUri}`);
  if (medium.absCaptureTimeId !== undefined)
    lines.push(`a=extmap:${medium.absCaptureTimeId} ${absCaptureTimeUri}`);
  lines.push(`a=msid:${streamId} ${section.kind}`);
  if (ssrc !== undefined) lines.push(`a=ssrc:${ssrc} cname:${cname}`);
  if (!carriesTransport) return;
  for (const candidate of local.candidates) lines.push(`a=${candidate}`);
  lines.push('a=end-of-candidates');
}
