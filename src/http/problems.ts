/**
 * Problem documents (RFC 9457): the one table from error codes to status, title and fixed text.
 *
 * Every code of base/errors.ts has a row, and so have the codes that only HTTP knows; a new code does not compile
 * without one. The text is fixed: what an error says in its own words goes to the log, under the request id that
 * `instance` names. Of its details only those are shown that tell a client what to change. Pure.
 */
import { CameraError, type ErrorCode, type ErrorDetails } from '../base/errors.ts';
import { firmwareProblems } from './firmware-problems.ts';
import type { Problem } from './problem.ts';
import type { Reply } from './reply.ts';

/** Codes of faults that lie in the request itself. */
export type RequestFaultCode =
  | 'request-malformed'
  | 'body-invalid'
  | 'body-too-large'
  | 'media-type-unsupported'
  | 'unauthorized'
  | 'parameters-invalid'
  | 'host-refused'
  | 'origin-refused'
  | 'rate-limited'
  | 'body-timeout'
  | 'form-invalid'
  | 'range-unsatisfiable'
  | 'precondition-failed'
  | 'not-found'
  | 'method-not-allowed';

/** Every code that can stand in a problem document. */
export type ProblemCode = ErrorCode | RequestFaultCode;

const unauthorized: Problem = {
  status: 401,
  title: 'Access token missing or invalid',
  detail: 'Send the access token in the header x-token.',
  shownAs: 'unauthorized',
};

const internal: Problem = {
  status: 500,
  title: 'Internal error',
  detail: 'The camera failed to answer. Its log has the reason under the request id.',
  shownAs: 'internal',
};

/** The table. */
export const problems: Readonly<Record<ProblemCode, Problem>> = {
  'request-malformed': {
    status: 400,
    title: 'Malformed request',
    detail: 'The header of the request is ambiguous or breaks HTTP/1.1. The connection is closed.',
  },
  'body-invalid': {
    status: 400,
    title: 'Invalid body',
    detail: 'The body is not the JSON document that this operation takes.',
    showsDetails: true,
  },
  'body-too-large': {
    status: 413,
    title: 'Body too large',
    detail: 'The body is larger than this operation takes. The connection is closed.',
  },
  'media-type-unsupported': {
    status: 415,
    title: 'Unsupported media type',
    detail: 'The body has another content type than this operation takes; the details name it.',
    showsDetails: true,
  },
  unauthorized,
  'token-invalid': unauthorized,
  'setup-token-invalid': unauthorized,
  'link-invalid': unauthorized,
  'credentials-missing': {
    status: 401,
    title: 'User name and password missing',
    detail: 'Send e-mail and password by HTTP Basic authentication (RFC 7617).',
  },
  'credentials-invalid': {
    status: 400,
    title: 'Invalid user name or password',
    detail: 'The user name or the password is wrong.',
  },
  'login-throttled': {
    status: 429,
    title: 'Too many failed attempts',
    detail: 'Too many attempts have failed. Wait as long as Retry-After says.',
    retryAfterSeconds: 60,
  },
  'hashing-busy': {
    status: 503,
    title: 'Busy',
    detail: 'The camera is checking as many passwords as it can. Try again shortly.',
    retryAfterSeconds: 1,
  },
  'accounts-damaged': {
    status: 503,
    title: 'User database damaged',
    detail:
      'The user database cannot be read, so nobody is let in. Recording goes on; see the log of the camera.',
    retryAfterSeconds: 600,
  },
  'user-exists': {
    status: 409,
    title: 'The camera has a user',
    detail: 'Only one user is supported. A factory reset on the device removes it.',
  },
  'user-invalid': {
    status: 400,
    title: 'Unusable user',
    detail: 'A field of the user cannot be taken as it is.',
    showsDetails: true,
  },
  'password-unacceptable': {
    status: 400,
    title: 'Unacceptable password',
    detail: 'The password breaks a rule; the details name it.',
    showsDetails: true,
  },
  'clip-too-busy': {
    status: 503,
    title: 'Busy',
    detail: 'The camera reads as many clips as it can. Try again shortly.',
    retryAfterSeconds: 2,
  },
  'card-failed': {
    status: 503,
    title: 'Card not usable',
    detail: 'The card with the recordings cannot be read now. The state of the recorder is in /healthz.',
    retryAfterSeconds: 10,
  },
  'recording-damaged': internal,
  'ice-servers-invalid': {
    status: 400,
    title: 'Unusable ICE server',
    detail: 'An entry of ice_servers cannot be used; nothing was changed.',
    showsDetails: true,
  },
  'clip-range-invalid': {
    status: 400,
    title: 'Unusable range of time',
    detail: 'Start and end are RFC 3339 with an offset, or Unix time; the start lies before the end.',
    showsDetails: true,
  },
  'recording-not-found': {
    status: 404,
    title: 'Nothing recorded',
    detail: 'Nothing is recorded in that range of time.',
    showsDetails: true,
  },
  'range-unsatisfiable': {
    status: 416,
    title: 'Range not satisfiable',
    detail: 'The range of bytes lies behind the end; Content-Range says how long the recording is.',
  },
  'precondition-failed': {
    status: 412,
    title: 'Precondition failed',
    detail: 'The recording is another than the one that If-Match names.',
  },
  ...firmwareProblems,
  // Nobody is there to read it.
  'body-aborted': {
    status: 400,
    title: 'Body cut off',
    detail: 'The connection was lost before the body was whole.',
  },
  'form-invalid': {
    status: 400,
    title: 'Invalid form',
    detail: 'The body is not multipart/form-data with one file, named img_file.',
    showsDetails: true,
  },
  'parameters-invalid': {
    status: 400,
    title: 'Invalid parameters',
    detail: 'A parameter of the path, the query or the header is not what this operation takes.',
    showsDetails: true,
  },
  'host-refused': {
    status: 421,
    title: 'Misdirected request',
    detail: 'The camera is not known by the name in Host. Names are added with --http-names.',
  },
  'origin-refused': {
    status: 403,
    title: 'Origin refused',
    detail: 'Pages of other origins may not do this. Origins are allowed with --http-origins.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    detail: 'Too many requests came from this address. Wait as long as Retry-After says.',
    retryAfterSeconds: 1,
  },
  'body-timeout': {
    status: 408,
    title: 'Body too slow',
    detail: 'The body did not arrive in time. The connection is closed.',
  },
  'not-found': { status: 404, title: 'Not found', detail: 'There is nothing at this path.' },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    detail: 'This path has other methods; the header Allow names them.',
  },
  'sdp-invalid': {
    status: 400,
    title: 'Unusable session description',
    detail: 'The offer is not a session description that the camera can answer.',
    showsDetails: true,
  },
  'codec-unsupported': {
    status: 400,
    title: 'No common codec',
    detail: 'The offer has no codec in common with the camera, which sends H.264 or H.265 and G.711.',
    showsDetails: true,
  },
  'valid-until-past': {
    status: 400,
    title: 'valid_until lies in the past',
    detail: 'The session would have ended before it began. Check the clocks of both sides.',
  },
  'session-unknown': {
    status: 404,
    title: 'No such live session',
    detail: 'The live session has ended or never was.',
  },
  'viewer-limit': {
    status: 503,
    title: 'Too many viewers',
    detail: 'The camera serves as many viewers as it may. Try again when one has left.',
    retryAfterSeconds: 10,
    showsDetails: true,
  },
  'offers-pending': {
    status: 503,
    title: 'Too many viewers connect at once',
    detail: 'As many viewers as may are connecting at this moment. Try again shortly.',
    retryAfterSeconds: 2,
    showsDetails: true,
  },
  'server-test-busy': {
    status: 503,
    title: 'A test is under way',
    detail: 'ICE servers are being tried already. Try again shortly.',
    retryAfterSeconds: 3,
  },
  'source-not-ready': {
    status: 503,
    title: 'No picture yet',
    detail: 'The camera has no picture yet. Try again shortly.',
    retryAfterSeconds: 1,
  },
  'worker-unavailable': {
    status: 503,
    title: 'Restarting',
    detail: 'A part of the camera is restarting. Try again shortly.',
    retryAfterSeconds: 1,
  },
  'request-timeout': {
    status: 503,
    title: 'No answer in time',
    detail: 'The camera is too busy to answer. Try again shortly.',
    retryAfterSeconds: 5,
  },
  'config-invalid': internal,
  'usage-invalid': internal,
  'ring-invalid': internal,
  'ring-misused': internal,
  'record-too-large': internal,
  'stream-invalid': internal,
  'source-failed': internal,
  'listen-failed': internal,
  'state-failed': internal,
  internal,
};

/** A fault of the request that ends its handling; `headers` go out with the problem document. */
export class RequestFault extends Error {
  readonly code: RequestFaultCode;
  readonly details: ErrorDetails;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: RequestFaultCode,
    details: ErrorDetails = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(problems[code].title);
    this.name = 'RequestFault';
    this.code = code;
    this.details = details;
    this.headers = headers;
  }
}

/** The code under which a thrown value is answered; what is neither of ours is `internal`. */
export function problemCodeOf(error: unknown): ProblemCode {
  if (error instanceof RequestFault) return error.code;
  // The code came over a thread boundary and may be of a newer list than ours.
  if (error instanceof CameraError && Object.hasOwn(problems, error.code)) return error.code;
  return 'internal';
}

/** The problem document of a thrown value. */
export function problemReply(error: unknown, requestId: string): Reply {
  const code = problemCodeOf(error);
  const problem = problems[code];
  const shownCode = problem.shownAs ?? code;
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  const details = error instanceof RequestFault || error instanceof CameraError ? error.details : {};
  // What knows the time better than the table says it itself.
  const retryAfterSeconds = details.retryAfterSeconds ?? problem.retryAfterSeconds;
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
  if (shownCode === 'unauthorized') headers['www-authenticate'] = 'Bearer realm="camera"';
  if (code === 'credentials-missing') headers['www-authenticate'] = 'Basic realm="camera", charset="UTF-8"';
  const shownDetails = problem.showsDetails && Object.keys(details).length > 0 ? { details } : {};
  return {
    status: problem.status,
    headers: error instanceof RequestFault ? { ...headers, ...error.headers } : headers,
    body: JSON.stringify({
      type: `urn:opencamera:problem:${shownCode}`,
      title: problem.title,
      status: problem.status,
      detail: problem.detail,
      code: shownCode,
      instance: `urn:uuid:${requestId}`,
      ...shownDetails,
    }),
  };
}
