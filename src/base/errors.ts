/**
 * The one error class. Class identity is lost between threads, so what an error *is* lies in its `code`, from a closed
 * list; one table in `http/problems.ts` maps codes to problem documents (RFC 9457). `details` holds the numbers that
 * find the place, never a secret.
 */

/** Every error code of the daemon, with what it means to the one who reads it. */
export const errorCodes = {
  'config-invalid': 'the configuration cannot be used',
  'usage-invalid': 'the command line cannot be used',
  'ring-invalid': 'the memory is not a frame ring of this version',
  'ring-misused': 'the ring was called against its contract',
  'record-too-large': 'the record does not fit into the ring',
  'stream-invalid': 'the coded stream breaks its standard',
  'source-failed': 'the media source failed',
  'sdp-invalid': 'the session description cannot be used',
  'codec-unsupported': 'the offer has no codec in common with the camera',
  'viewer-limit': 'the camera serves as many viewers as it may',
  'offers-pending': 'too many offers wait for their connection',
  'session-unknown': 'there is no such live session',
  'server-test-busy': 'ICE servers are being tried already',
  'valid-until-past': 'valid_until lies in the past',
  'source-not-ready': 'the camera has no picture yet',
  'worker-unavailable': 'a part of the camera is restarting',
  'request-timeout': 'no answer came in time',
  'body-aborted': 'the connection was lost before the body was whole',
  'watchers-limit': 'too many watch the firmware upgrade',
  'listen-failed': 'the address cannot be listened on',
  'setup-token-invalid': 'the setup token is missing, wrong or spent',
  'token-invalid': 'the access token is missing, wrong or its session has ended',
  'credentials-missing': 'no user name and password were sent',
  'credentials-invalid': 'user name or password is wrong',
  'user-exists': 'the camera has its user already',
  'user-invalid': 'the user cannot be taken as it is',
  'password-unacceptable': 'the password breaks a rule',
  'login-throttled': 'too many failed attempts to log in',
  'hashing-busy': 'too many passwords are being checked',
  'accounts-damaged': 'the user database cannot be read',
  'state-failed': 'the state folder cannot be used',
  'ice-servers-invalid': 'an ICE server cannot be used',
  'clip-range-invalid': 'the range of time cannot be used',
  'recording-not-found': 'nothing is recorded in that range of time',
  'link-invalid': 'the link is wrong or its time is over',
  'firmware-untrusted': 'no key says that the image can be trusted',
  'firmware-malformed': 'the file is no firmware image',
  'firmware-signature-invalid': 'the signature of the firmware image is wrong',
  'firmware-truncated': 'the firmware image is shorter than it says',
  'firmware-too-long': 'the firmware image is longer than it says',
  'firmware-corrupt': 'the payload of the firmware image is not the one that was signed',
  'firmware-board-mismatch': 'the firmware image is for other boards',
  'firmware-step-missing': 'the firmware image needs a newer version to be installed first',
  'firmware-installed': 'the version of the firmware image runs already',
  'firmware-downgrade': 'the firmware image is older than what ran here',
  'firmware-too-large': 'the firmware image is larger than is allowed',
  'firmware-no-room': 'the disk has no room for the firmware image',
  'firmware-storage-failed': 'the disk of the firmware slots failed',
  'firmware-tool-failed': "the board's own program for firmware failed",
  'firmware-busy': 'another firmware upgrade is under way',
  'firmware-not-set-up': 'firmware upgrades are not set up',
  'firmware-no-previous': 'there is no firmware to go back to',
  'firmware-key-invalid': 'the key for firmware cannot be used',
  'card-failed': 'the card cannot be used',
  'recording-damaged': 'a file of a recording is not as it was written',
  'clip-too-busy': 'too many clips are being read',
  internal: 'the camera failed',
} as const;

/** A code of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** Numbers and short strings that find the place of an error. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

/** An error with a stable code. `message` is a sentence for people. */
export class CameraError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'CameraError';
    this.code = code;
    this.details = details;
  }
}

/** The form in which an error crosses threads. */
export interface ErrorReport {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** Takes any thrown value to the form that crosses threads; what is not a CameraError becomes `internal`. */
export function reportOf(error: unknown): ErrorReport {
  if (error instanceof CameraError)
    return { code: error.code, message: error.message, details: error.details };
  return { code: 'internal', message: error instanceof Error ? error.message : String(error), details: {} };
}

/** The inverse of {@link reportOf}. */
export function errorOf(report: ErrorReport): CameraError {
  return new CameraError(report.code, report.message, report.details);
}
