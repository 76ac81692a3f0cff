/**
 * User name and password out of `Authorization: Basic …` (RFC 7617), strictly: one way to write each pair.
 *
 * The contract lets a device label follow the password after a ':', and a password may hold ':' itself, so there are up
 * to two readings: the whole rest as password, and the part before the last ':' with the rest as label. Both are given,
 * in this order, for the caller to try both. How many there are depends on the text alone, never on what is right. Pure.
 */
import { CameraError } from '../base/errors.ts';

/** Most bytes of decoded credentials: the longest user name, password and label fit in UTF-8, decomposed (NFD) too. */
export const credentialsBytesMax = 4096;

/** Most characters (code points) of a device label. */
export const labelLengthMax = 64;

/** One reading of the credentials. */
export interface CredentialsCandidate {
  readonly password: string;
  /** Name of the client's device; '' when none was given. */
  readonly label: string;
}

export interface BasicCredentials {
  /** As it was sent. */
  readonly email: string;
  /** One, or two when the rest holds a ':'. */
  readonly candidates: readonly CredentialsCandidate[];
}

/** Credentials are a scheme, spaces and base 64 (RFC 9110 §11.4); the scheme in any case. */
const scheme = /^basic(?: +|$)/i;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Control characters, and what hides or reorders text where a label is shown. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;

/**
 * Reads the header field. Undefined when anything inside is wrong (one answer for all of it: 400). Throws
 * `credentials-missing` when there is no field, or one of another scheme (401).
 */
export function parseBasic(authorization: string | undefined): BasicCredentials | undefined {
  const prefix = scheme.exec(authorization ?? '')?.[0];
  if (authorization === undefined || prefix === undefined)
    throw new CameraError('credentials-missing', 'no user name and password were sent');
  const text = decoded(authorization.slice(prefix.length));
  // RFC 7617 §2: neither part may hold a control character.
  if (text === undefined || /\p{Cc}/u.test(text)) return undefined;
  const colon = text.indexOf(':');
  if (colon <= 0) return undefined;
  const rest = text.slice(colon + 1);
  return { email: text.slice(0, colon), candidates: candidatesOf(rest) };
}

function decoded(text: string): string | undefined {
  if (text.length > Math.ceil(credentialsBytesMax / 3) * 4 || !base64.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  // The bits after the last whole byte must be zero, else many texts would name one password (RFC 4648 §3.5).
  if (bytes.length > credentialsBytesMax || bytes.toString('base64') !== text) return undefined;
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function candidatesOf(rest: string): CredentialsCandidate[] {
  const whole: CredentialsCandidate = { password: rest, label: '' };
  const colon = rest.lastIndexOf(':');
  if (colon < 0) return [whole];
  const label = rest.slice(colon + 1).normalize('NFC');
  // A label that cannot be one leaves its reading out; the first stands in for it, so that the work stays the same.
  if (Array.from(label).length > labelLengthMax || unprintable.test(label)) return [whole, whole];
  return [whole, { password: rest.slice(0, colon), label }];
}
