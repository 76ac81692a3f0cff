/**
 * A refusal of the camera, or its silence, in words for the one who looks at the page.
 *
 * The camera answers refusals as problem documents (RFC 9457) with a stable `code`; their own text speaks of HTTP, so
 * the codes that a visitor can meet have words of their own here. What a form has to say about its fields is in the form.
 */

const words = {
  unauthorized: 'The camera does not accept this log-in any more.',
  'credentials-invalid': 'E-mail or password is wrong.',
  'credentials-missing': 'E-mail and password are needed.',
  'login-throttled': 'Too many attempts have failed.',
  'hashing-busy': 'The camera is checking other passwords at the moment.',
  'accounts-damaged':
    'The camera cannot read its user database, so it lets nobody in. Its log says more; it goes on by itself.',
  'user-exists': 'The camera has its user already.',
  'user-invalid': 'The camera does not take these details as they are.',
  'password-unacceptable': 'The camera does not take this password.',
  'host-refused':
    'The camera does not know itself by this address. Use its IP address, or add the name with --http-names.',
  'origin-refused': 'The camera takes this only from its own page.',
  'rate-limited': 'The camera is asked too often from here.',
  'connections-limited': 'The camera has as many connections as it can serve.',
  'codec-unsupported':
    'This browser cannot decode the video that the camera sends. It needs H.264, or H.265 where the camera sends that.',
  'sdp-invalid': 'The camera does not understand what this browser offers.',
  'viewer-limit':
    'As many people as the camera allows are watching. It goes on here when one of them leaves.',
  'offers-pending': 'Many viewers are connecting at this moment.',
  'source-not-ready': 'The camera has no picture yet.',
  'worker-unavailable': 'A part of the camera is restarting.',
  'request-timeout': 'The camera is too busy to answer.',
  unreachable: 'The camera cannot be reached. It may be off, restarting, or on another network.',
};

/** Codes that trying again does not cure. */
const lasting = new Set(['codec-unsupported', 'sdp-invalid', 'body-invalid', 'media-type-unsupported']);

/** `message` is for people. */
export class CameraProblem extends Error {
  /**
   * @param {{ code: string, status?: number, detail?: string, details?: object, retryAfterMs?: number }} problem
   * `details` is what the camera says of the part that it refuses; `retryAfterMs` is 0 when it does not say.
   */
  constructor({ code, status = 0, detail = '', details = {}, retryAfterMs = 0 }) {
    super(words[code] ?? (detail || 'The camera refused the request.'));
    this.code = code;
    this.status = status;
    this.details = details;
    this.retryAfterMs = retryAfterMs;
    this.isLasting = lasting.has(code);
  }
}
