/**
 * The camera's API as this page uses it: JSON in and out, refusals as `CameraProblem`.
 *
 * Passwords and tokens go into header fields and bodies, never into an address. No cookie and no password that the
 * browser remembers for HTTP is sent, and so the browser never asks for one in a window of its own either.
 */
import { CameraProblem } from './camera-problem.js';
import { basicAuthorization } from './credentials.js';

const userPath = '/api/v1/user';
const sessionsPath = '/api/v1/media/live/session';

/** Milliseconds after which a request counts as lost; the camera itself gives up after ten seconds. */
const requestTimeoutMs = 12_000;

/** Whether the camera has no user yet. */
export async function isSetupRequired() {
  return (await call('GET', `${userPath}/setup`)).setup_required === true;
}

/** Creates the user. `unauthorized` stands for a wrong setup token here. */
export function createUser(setupToken, user) {
  return call('POST', userPath, { headers: { 'x-token': setupToken }, body: JSON.stringify(user) });
}

/** Gives `{ access_token, valid_until, lifeMs }`. */
export function logIn(email, password, label) {
  const headers = { authorization: basicAuthorization(email, password, label) };
  return call('POST', `${userPath}/token/obtain`, { headers });
}

/** What a session of the user opens. */
export class CameraApi {
  #token;
  #onUnauthorized;

  /** @param {() => void} onUnauthorized the camera does not know the token any more; may come more than once. */
  constructor(token, onUnauthorized) {
    this.#token = token;
    this.#onUnauthorized = onUnauthorized;
  }

  /** Gives the session a new life: `{ valid_until, lifeMs }`. */
  refresh() {
    return this.#call('POST', `${userPath}/token/refresh`);
  }

  /** Ends the session, and all that it watches. */
  logOut() {
    return this.#call('GET', `${userPath}/logout`, { keepalive: true });
  }

  /** Sends the offer; gives `{ sdp, session_id, valid_until, lifeMs }`. */
  openSession(sdp, signal) {
    return this.#call('POST', sessionsPath, { body: JSON.stringify({ type: 'offer', sdp }), signal });
  }

  /** State and statistics of a live session, and the camera's clock. */
  describeSession(sessionId) {
    return this.#call('GET', `${sessionsPath}/${sessionId}`);
  }

  /** Ends a live session; also while the page is being closed. */
  closeSession(sessionId) {
    return this.#call('DELETE', `${sessionsPath}/${sessionId}`, { keepalive: true }).catch(() => {
      // It is gone already, or it ends by itself when nobody is there any more.
    });
  }

  async #call(method, path, options) {
    try {
      return await call(method, path, { ...options, headers: { 'x-token': this.#token } });
    } catch (error) {
      if (error.status === 401) this.#onUnauthorized();
      throw error;
    }
  }
}

async function call(method, path, { headers = {}, body, signal, keepalive = false } = {}) {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), requestTimeoutMs);
  signal?.addEventListener('abort', () => timeout.abort(), { once: true });
  try {
    const response = await fetch(path, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      body,
      keepalive,
      signal: timeout.signal,
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    });
    const document = await response.json();
    if (response.ok) return { ...document, lifeMs: lifeMs(document.valid_until, response.headers) };
    throw new CameraProblem({
      code: document.code,
      status: response.status,
      detail: document.detail,
      details: document.details,
      retryAfterMs: 1000 * (Number(response.headers.get('retry-after')) || 0),
    });
  } catch (error) {
    // No connection, no answer in time, or an answer that is none of the camera's.
    throw error instanceof CameraProblem ? error : new CameraProblem({ code: 'unreachable' });
  } finally {
    clearTimeout(timer);
  }
}

/** Milliseconds that are left, by the camera's clock where its answer tells it: the browser's may be hours off. */
function lifeMs(validUntil, headers) {
  if (validUntil === undefined) return undefined;
  return Math.max(0, Date.parse(validUntil) - (Date.parse(headers.get('date')) || Date.now()));
}
