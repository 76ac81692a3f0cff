/**
 * The attributes that ICE and DTLS need: ice-ufrag, ice-pwd (RFC 8839 §5.4), fingerprint (RFC 8122 §5) and setup
 * (RFC 8842 §5, RFC 5763 §5).
 *
 * Each may stand in the section, be inherited from the section that carries the BUNDLE group's transport (RFC 9143
 * §7.1.3) or stand at session level; ufrag and pwd count together. Live thread.
 */
import type { SessionAttributes } from './media-description.ts';
import type { OfferedTransport, SetupRole } from './offer.ts';
import { fingerprintsMax } from './offer-limits.ts';
import { quoted, sdpError } from './sdp-lines.ts';

/** What one level of the description says; undefined where it is silent. */
export interface TransportPart {
  readonly credentials: { readonly ufrag: string; readonly pwd: string } | undefined;
  readonly fingerprints: readonly string[] | undefined;
  readonly setup: SetupRole | undefined;
}

const iceUfrag = /^[A-Za-z0-9+/]{4,256}$/;
const icePwd = /^[A-Za-z0-9+/]{22,256}$/;
const sha256 = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/;

/** What a section, or the session, says itself. Throws CameraError `sdp-invalid` for malformed values. */
export function readTransportPart(attributes: SessionAttributes): TransportPart {
  return {
    credentials: readCredentials(attributes),
    fingerprints: readFingerprints(attributes),
    setup: readSetup(attributes),
  };
}

/** Puts the levels together, the nearest first. Throws CameraError `sdp-invalid` for what is missing in all. */
export function readTransport(parts: readonly TransportPart[], lineNumber: number): OfferedTransport {
  const credentials = parts.find(part => part.credentials)?.credentials;
  if (!credentials) throw sdpError('A media section has no a=ice-ufrag and a=ice-pwd.', { lineNumber });
  const fingerprints = parts.find(part => part.fingerprints)?.fingerprints;
  if (!fingerprints) throw sdpError('A media section has no a=fingerprint.', { lineNumber });
  const setup = parts.find(part => part.setup)?.setup;
  if (!setup) throw sdpError('A media section has no a=setup.', { lineNumber });
  return { ...credentials, fingerprints, setup };
}

function readCredentials(attributes: SessionAttributes): TransportPart['credentials'] {
  const ufrag = attributes.value('ice-ufrag');
  const pwd = attributes.value('ice-pwd');
  if (ufrag === undefined && pwd === undefined) return undefined;
  if (ufrag === undefined || !iceUfrag.test(ufrag))
    throw sdpError('a=ice-ufrag must have 4 to 256 letters, digits, + or /.', {
      characters: ufrag?.length ?? 0,
    });
  if (pwd === undefined || !icePwd.test(pwd))
    throw sdpError('a=ice-pwd must have 22 to 256 letters, digits, + or /.', {
      characters: pwd?.length ?? 0,
    });
  return { ufrag, pwd };
}

function readFingerprints(attributes: SessionAttributes): readonly string[] | undefined {
  const values = attributes.values('fingerprint');
  if (values.length === 0) return undefined;
  if (values.length > fingerprintsMax)
    throw sdpError('The offer has too many fingerprints.', { fingerprints: values.length, fingerprintsMax });
  const algorithms: string[] = [];
  const found: string[] = [];
  for (const value of values) {
    const space = value.indexOf(' ');
    const algorithm = value.slice(0, space < 0 ? value.length : space).toLowerCase();
    algorithms.push(algorithm);
    if (algorithm !== 'sha-256') continue;
    const digest = value.slice(space + 1).toUpperCase();
    if (space < 0 || !sha256.test(digest))
      throw sdpError('a=fingerprint:sha-256 must have 32 bytes in hexadecimal with colons.', {
        line: quoted(value),
      });
    found.push(digest);
  }
  if (found.length === 0)
    throw sdpError('The offer has no SHA-256 fingerprint.', { algorithms: quoted(algorithms.join(' ')) });
  return found;
}

function readSetup(attributes: SessionAttributes): SetupRole | undefined {
  const value = attributes.value('setup');
  if (value === undefined || value === 'actpass' || value === 'active' || value === 'passive') return value;
  throw sdpError('a=setup must be actpass, active or passive.', { setup: quoted(value) });
}
