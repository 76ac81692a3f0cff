/**
 * Cuts a session description into lines and checks what can be said of every line (RFC 8866 §5, §9).
 *
 * Strict where leniency would hide a broken or hostile client: lines end in CRLF (only the last may go without), no
 * control characters, type letters of the grammar only, everything bounded before it is looked at. Live thread; knows
 * nothing of what the lines mean.
 */
import { CameraError, type ErrorDetails } from '../../base/errors.ts';
import { lineCharactersMax, offerBytesMax, offerLinesMax, quotedCharactersMax } from './offer-limits.ts';

/** One line: `type=value`, and its number from 1. */
export interface SdpLine {
  /** One letter. */
  readonly type: string;
  readonly value: string;
  readonly lineNumber: number;
}

/** Types of RFC 8866 §5; `k` is obsolete and still grammatical. */
const lineTypes = 'vosiuepcbtrzkam';

/** Any control character except CR and LF, which are looked at first; TAB is one too and has no place in an offer. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point.
const controlCharacter = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f]/;

/** The error of an offer that cannot be used. `message` is a sentence for people. */
export function sdpError(message: string, details: ErrorDetails = {}): CameraError {
  return new CameraError('sdp-invalid', message, details);
}

/** A bounded, printable piece of an offer for the details of an error. */
export function quoted(text: string): string {
  return text.slice(0, quotedCharactersMax).replace(/[^\x20-\x7e]/g, '?');
}

/** The lines of a description, at least one. Throws CameraError `sdp-invalid`. */
export function readSdpLines(sdp: string): SdpLine[] {
  if (sdp.length === 0) throw sdpError('The session description is empty.');
  if (sdp.length > offerBytesMax || Buffer.byteLength(sdp) > offerBytesMax)
    throw sdpError('The session description is too long.', { bytesMax: offerBytesMax });
  if (!sdp.includes('\r\n')) throw sdpError('The lines of the session description must end in CRLF.');
  const texts = sdp.split('\r\n', offerLinesMax + 2);
  if (texts.at(-1) === '') texts.pop();
  if (texts.length > offerLinesMax)
    throw sdpError('The session description has too many lines.', { linesMax: offerLinesMax });
  return texts.map((text, index) => readLine(text, index + 1));
}

function readLine(text: string, lineNumber: number): SdpLine {
  if (text.length > lineCharactersMax)
    throw sdpError('A line of the session description is too long.', {
      lineNumber,
      charactersMax: lineCharactersMax,
    });
  if (text.includes('\r') || text.includes('\n'))
    throw sdpError('The lines of the session description must end in CRLF.', { lineNumber });
  if (controlCharacter.test(text))
    throw sdpError('The session description holds a control character.', { lineNumber });
  if (text.length < 2 || text[1] !== '=' || !lineTypes.includes(text[0]!))
    throw sdpError('A line of the session description is not of the form type=value.', {
      lineNumber,
      line: quoted(text),
    });
  return { type: text[0]!, value: text.slice(2), lineNumber };
}
