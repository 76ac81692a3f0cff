/**
 * The payload types of an RTP section with what rtpmap, fmtp (RFC 8866 §6.6, §6.15) and rtcp-fb (RFC 4585 §4.2) say of
 * them, and its header extensions (RFC 8285 §8). Live thread.
 *
 * A number out of its range is an error; an attribute for a payload type that the m-line does not list is skipped, as
 * old implementations leave such behind.
 */
import type { MediaDescription } from './media-description.ts';
import type { PayloadFormat } from './offer.ts';
import { extensionsMax } from './offer-limits.ts';
import { quoted, type SdpLine, sdpError } from './sdp-lines.ts';

/** Static payload types of RFC 3551 §6 that we could send; they need no rtpmap. */
const staticEncodings: Readonly<Record<number, string>> = { 0: 'PCMU', 8: 'PCMA' };

const rtpmapGrammar = /^(-?\d{1,9}) ([\x21-\x2e\x30-\x7e]{1,64})\/(\d{1,9})(?:\/(\d{1,3}))?$/;
const numberedGrammar = /^(-?\d{1,9}) (.+)$/;
const feedbackGrammar = /^(\*|-?\d{1,9}) (.+)$/;
const extmapGrammar = /^(\d{1,5})(?:\/(sendrecv|sendonly|recvonly|inactive))? ([\x21-\x7e]+)(?: .*)?$/;

interface FormatDraft {
  encoding: string;
  clockRate: number;
  channels: number;
  readonly parameters: Map<string, string>;
  readonly feedback: Set<string>;
}

/** The payload types in the m-line's order. Throws CameraError `sdp-invalid`. */
export function readFormats(description: MediaDescription): PayloadFormat[] {
  const drafts = new Map<number, FormatDraft>();
  for (const text of description.formatList.split(' ')) {
    const payloadType = checkedPayloadType(text, description.lineNumber);
    if (drafts.has(payloadType))
      throw sdpError('A media line lists a payload type twice.', {
        lineNumber: description.lineNumber,
        payloadType,
      });
    const encoding = description.kind === 'audio' ? (staticEncodings[payloadType] ?? '') : '';
    drafts.set(payloadType, {
      encoding,
      clockRate: encoding === '' ? 0 : 8000,
      channels: 1,
      parameters: new Map(),
      feedback: new Set(),
    });
  }
  readRtpmaps(description, drafts);
  readParameters(description, drafts);
  readFeedback(description, drafts);
  return [...drafts].map(([payloadType, draft]) => ({ payloadType, ...draft }));
}

function readRtpmaps(description: MediaDescription, drafts: ReadonlyMap<number, FormatDraft>): void {
  for (const line of description.lines('rtpmap')) {
    const fields = rtpmapGrammar.exec(line.value.slice('rtpmap:'.length));
    if (!fields) throw malformed('rtpmap', line);
    const draft = drafts.get(checkedPayloadType(fields[1]!, line.lineNumber));
    if (!draft) continue;
    draft.encoding = fields[2]!.toUpperCase();
    draft.clockRate = Number(fields[3]);
    draft.channels = fields[4] === undefined ? 1 : Number(fields[4]);
  }
}

function readParameters(description: MediaDescription, drafts: ReadonlyMap<number, FormatDraft>): void {
  for (const line of description.lines('fmtp')) {
    const fields = numberedGrammar.exec(line.value.slice('fmtp:'.length));
    if (!fields) throw malformed('fmtp', line);
    const draft = drafts.get(checkedPayloadType(fields[1]!, line.lineNumber));
    if (!draft) continue;
    for (const pair of fields[2]!.split(';')) {
      const equals = pair.indexOf('=');
      // Parameters without a name, like telephone-event's "0-15", mean nothing to us.
      if (equals < 1) continue;
      draft.parameters.set(pair.slice(0, equals).trim().toLowerCase(), pair.slice(equals + 1).trim());
    }
  }
}

function readFeedback(description: MediaDescription, drafts: ReadonlyMap<number, FormatDraft>): void {
  for (const line of description.lines('rtcp-fb')) {
    const fields = feedbackGrammar.exec(line.value.slice('rtcp-fb:'.length));
    if (!fields) throw malformed('rtcp-fb', line);
    if (fields[1] === '*') for (const draft of drafts.values()) draft.feedback.add(fields[2]!);
    else drafts.get(checkedPayloadType(fields[1]!, line.lineNumber))?.feedback.add(fields[2]!);
  }
}

/** Extension URI → id, without those that the offerer does not want to receive. Throws CameraError `sdp-invalid`. */
export function readExtensions(description: MediaDescription): Map<string, number> {
  const lines = description.lines('extmap');
  if (lines.length > extensionsMax)
    throw sdpError('A media section has too many header extensions.', {
      lineNumber: description.lineNumber,
      extensionsMax,
    });
  const ids = new Set<number>();
  const extensions = new Map<string, number>();
  for (const line of lines) {
    const fields = extmapGrammar.exec(line.value.slice('extmap:'.length));
    if (!fields) throw malformed('extmap', line);
    const id = Number(fields[1]);
    // 4096–4351 are place-holders for ids still to be chosen (RFC 8285 §7); we take none of those.
    if (id === 0 || (id > 255 && id < 4096) || id > 4351 || ids.has(id))
      throw sdpError('A header extension has a bad or repeated id.', { lineNumber: line.lineNumber, id });
    ids.add(id);
    const wanted = fields[2] === undefined || fields[2] === 'sendrecv' || fields[2] === 'recvonly';
    if (wanted && !extensions.has(fields[3]!)) extensions.set(fields[3]!, id);
  }
  return extensions;
}

function checkedPayloadType(text: string, lineNumber: number): number {
  const payloadType = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (payloadType >= 0 && payloadType <= 127) return payloadType;
  throw sdpError('A payload type must be a number from 0 to 127.', { lineNumber, payloadType: quoted(text) });
}

function malformed(attribute: string, line: SdpLine): Error {
  return sdpError(`An a=${attribute} line is malformed.`, {
    lineNumber: line.lineNumber,
    line: quoted(line.value),
  });
}
