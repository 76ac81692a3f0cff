/**
 * The camera's API as this page uses it: JSON in and out, problem documents (RFC 9457) as `CameraProblem`.
 *
 * The token goes into a header of every request and never into an address.
 */

const sessionsPath = '/api/v1/media/live/session';

/** Milliseconds after which a request counts as lost; the camera itself gives up after ten seconds. */
const requestTimeoutMs = 12_000;

/** What the camera's codes mean to the one who looks at the page; other codes speak for themselves. */
const words = {
  unauthorized: 'The camera does not accept this token.',
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

/** A refusal of the camera, or its silence. `message` is for people. */
export class CameraProblem extends Error {
  /** @param {{ code: string, status?: number, detail?: string, retryAfterMs?: number }} problem */
  constructor({ code, status = 0, detail = '', retryAfterMs = 0 }) {
    super(words[code] ?? (detail || 'The camera refused the request.'));
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.isLasting = lasting.has(code);
  }
}

export class CameraApi {
  #token;

  constructor(token) {
    this.#token = token;
  }

  /** Sends the offer; gives `{ sdp, session_id, valid_until }`. */
  openSession(sdp, signal) {
    return this.#call('POST', sessionsPath, { body: JSON.stringify({ type: 'offer', sdp }), signal });
  }

  /** State and statistics of a session, and the camera's clock. */
  describeSession(sessionId) {
    return this.#call('GET', `${sessionsPath}/${sessionId}`);
  }

  /** Ends a session; also while the page is being closed. */
  closeSession(sessionId) {
    return this.#call('DELETE', `${sessionsPath}/${sessionId}`, { keepalive: true }).catch(() => {
      // It is gone already, or it ends by itself when nobody is there any more.
    });
  }

  async #call(method, path, { body, signal, keepalive = false } = {}) {
    const headers = { 'x-token': this.#token };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), requestTimeoutMs);
    signal?.addEventListener('abort', () => timeout.abort(), { once: true });
    try {
      const response = await fetch(path, {
        method,
        headers,
        body,
        keepalive,
        signal: timeout.signal,
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
      });
      const document = await response.json();
      if (response.ok) return document;
      throw new CameraProblem({
        code: document.code,
        status: response.status,
        detail: document.detail,
        retryAfterMs: 1000 * Number(response.headers.get('retry-after') ?? 0),
      });
    } catch (error) {
      // No connection, no answer in time, or an answer that is none of the camera's.
      throw error instanceof CameraProblem ? error : new CameraProblem({ code: 'unreachable' });
    } finally {
      clearTimeout(timer);
    }
  }
}
