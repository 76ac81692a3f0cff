/**
 * A refusal of the camera, or its silence, in words for the one who looks at the page.
 *
 * The camera answers refusals as problem documents (RFC 9457) with a stable `code`; their own text speaks of HTTP, so
 * the codes that a visitor can meet have words of their own here. What a form has to say about its fields is in the form.
 */

const words: Readonly<Record<string, string>> = {
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
  'recording-not-found': 'Nothing is recorded in that time.',
  'clip-range-invalid': 'This range of time cannot be made into a clip.',
  'clip-too-busy': 'The camera is making as many clips as it can. Try again in a moment.',
  'card-failed': 'The card with the recordings cannot be read at the moment.',
  'recording-damaged': 'This part of the recordings is damaged.',
  'ice-servers-invalid': 'The camera does not take one of these servers.',
  'firmware-not-set-up': 'Upgrades are not set up: no key says which firmware this camera may trust.',
  'firmware-untrusted': 'This image is signed by nobody whom the camera trusts.',
  'firmware-signature-invalid':
    'The signature of this image is wrong. Get it again from where it comes from.',
  'firmware-malformed': 'This file is no firmware image for the camera.',
  'firmware-truncated': 'This image is not whole. Get it again from where it comes from.',
  'firmware-corrupt': 'This image was damaged on its way. Get it again from where it comes from.',
  'firmware-too-long': 'This image has more in it than it says. Get it again from where it comes from.',
  'firmware-too-large': 'This image is larger than the camera is set up to take.',
  'firmware-board-mismatch': 'This image is for another kind of camera.',
  'firmware-installed': 'The version of this image runs already.',
  'firmware-downgrade': 'This image is older than a version that ran on this camera, so it is not taken.',
  'firmware-step-missing': 'Another version has to be installed before this one.',
  'firmware-busy': 'Another upgrade is under way. Wait until it is over.',
  'firmware-no-room': 'The camera has no room left for this image.',
  'firmware-storage-failed':
    'The camera could not write the image; its disk may be failing. Its log says more.',
  'firmware-tool-failed': 'The device could not install the image. The log says more.',
  'firmware-key-invalid': 'A key for firmware on the camera cannot be used. Its log says which.',
  'firmware-no-previous': 'There is no version before this one on the camera.',
  'form-invalid': 'The camera did not understand the upload.',
  'body-aborted': 'The upload was cut off.',
  'body-timeout': 'The upload took too long.',
  'watchers-limit': 'Too many pages follow the upgrade.',
  'not-found': 'The camera does not know this part of its API. Its firmware may be older than this page.',
  'body-too-large': 'That is more than the camera takes.',
  internal: 'The camera failed to answer. Its log says more.',
  unreachable: 'The camera cannot be reached. It may be off, restarting, or on another network.',
};

/** Codes that trying again does not cure. */
const lasting: ReadonlySet<string> = new Set([
  'codec-unsupported',
  'sdp-invalid',
  'body-invalid',
  'media-type-unsupported',
]);

/** What a problem document says of the part that is refused. */
export type ProblemDetails = Readonly<Record<string, string | number | boolean | null>>;

export interface ProblemFields {
  readonly code: string;
  /** 0 where there was no answer. */
  readonly status?: number;
  readonly detail?: string | undefined;
  readonly details?: ProblemDetails | undefined;
  /** 0 when the camera does not say. */
  readonly retryAfterMs?: number;
}

/** `message` is for people. */
export class CameraProblem extends Error {
  readonly code: string;
  readonly status: number;
  readonly details: ProblemDetails;
  readonly retryAfterMs: number;

  constructor({ code, status = 0, detail = '', details = {}, retryAfterMs = 0 }: ProblemFields) {
    super(words[code] ?? (detail || 'The camera refused the request.'));
    this.code = code;
    this.status = status;
    this.details = details;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether trying again would not help. */
  get isLasting(): boolean {
    return lasting.has(this.code);
  }
}

/** The words for a code; undefined where it has none of its own. */
export function wordsOfCode(code: string): string | undefined {
  return words[code];
}

/** The words for whatever was thrown. */
export function wordsOf(error: unknown): string {
  return error instanceof CameraProblem
    ? error.message
    : `Something went wrong in this page: ${String(error)}`;
}
