/**
 * The camera's API as this page uses it: JSON in and out, refusals as `CameraProblem`; types out of its OpenAPI document.
 *
 * Passwords and tokens go into header fields and bodies, never into an address. No cookie and no password that the
 * browser remembers for HTTP is sent, and so the browser never asks for one in a window of its own either. Uploads of
 * firmware are in settings/firmware.ts, downloads in export/clip-download.ts.
 */
import type { components } from '../../http/openapi/api-types.ts';
import { CameraProblem, type ProblemDetails } from './camera-problem.ts';
import { basicAuthorization } from './credentials.ts';

type Schemas = components['schemas'];
export type Recordings = Schemas['Recordings'];
export type RecordedSpan = Schemas['RecordedSpan'];
export type ClipManifest = Schemas['ClipManifest'];
export type SystemInfo = Schemas['SystemInfo'];
export type DeviceInfo = Schemas['DeviceInfo'];
export type Health = Schemas['Health'];
export type UserSession = Schemas['UserSession'];
export type LogEntry = Schemas['LogEntry'];
export type FirmwareState = Schemas['FirmwareState'];
export type IceServerResult = Schemas['IceServerResult'];

/** What was answered, and how long a session in it lives, in ms by the camera's clock, where it tells that. */
type Timed<T> = T & { readonly lifeMs: number };

const base = '/api/v1';
const userPath = `${base}/user`;
const sessionsPath = `${base}/media/live/session`;

/** Milliseconds after which a request counts as lost; the camera itself gives up after ten seconds. */
const requestTimeoutMs = 12_000;

interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** Sent even while the page is being closed. */
  readonly keepalive?: boolean;
}

/** Whether the camera has no user yet. */
export async function isSetupRequired(): Promise<boolean> {
  return (await call<Schemas['SetupState']>('GET', `${userPath}/setup`)).setup_required === true;
}

/** Creates the user. `unauthorized` stands for a wrong setup token here. */
export function createUser(setupToken: string, user: Schemas['User']): Promise<Schemas['CreatedUser']> {
  return call('POST', userPath, { headers: { 'x-token': setupToken }, body: JSON.stringify(user) });
}

export function logIn(email: string, password: string, label: string): Promise<Timed<Schemas['Token']>> {
  const headers = { authorization: basicAuthorization(email, password, label) };
  return call('POST', `${userPath}/token/obtain`, { headers });
}

/** The health of the camera; also when that is bad, which it tells with status 503. */
export async function readHealth(): Promise<Health> {
  const response = await fetch('/healthz', { cache: 'no-store', credentials: 'omit' });
  return (await response.json()) as Health;
}

/** A range of time as the clips' addresses have it. */
export interface ClipRange {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly audio?: 'flac' | 'raw' | 'none' | undefined;
}

/** Path and query of a clip, without the right to it. */
export function clipPath({ startUnixMs, endUnixMs, audio }: ClipRange): string {
  const query = audio === undefined ? '' : `?audio=${audio}`;
  return `${base}/media/vod/${iso(startUnixMs)}/${iso(endUnixMs)}${query}`;
}

/** What a session of the user opens. */
export class CameraApi {
  readonly token: string;
  private readonly onUnauthorized: () => void;

  /** @param onUnauthorized the camera does not know the token any more; may come more than once. */
  constructor(token: string, onUnauthorized: () => void) {
    this.token = token;
    this.onUnauthorized = onUnauthorized;
  }

  /** Gives the session a new life. */
  refresh(): Promise<Timed<Schemas['TokenExtension']>> {
    return this.call('POST', `${userPath}/token/refresh`);
  }

  /** Ends the session, and all that it watches. */
  async logOut(): Promise<void> {
    await this.call('GET', `${userPath}/logout`, { keepalive: true });
  }

  /** Sends the offer. */
  openSession(
    sdp: string,
    stream: 'main' | 'sub',
    signal?: AbortSignal,
  ): Promise<Timed<Schemas['SDPAnswer']>> {
    // A camera of an older firmware does not know the member, and needs it not for its main stream.
    const offer = { type: 'offer', sdp, ...(stream === 'sub' ? { stream } : {}) };
    return this.call('POST', sessionsPath, { body: JSON.stringify(offer), signal });
  }

  /** State and statistics of a live session, and the camera's clock. */
  describeSession(sessionId: string): Promise<Schemas['LiveSession']> {
    return this.call('GET', `${sessionsPath}/${sessionId}`);
  }

  /** Ends a live session; also while the page is being closed. Never rejects. */
  async closeSession(sessionId: string): Promise<void> {
    try {
      await this.call('DELETE', `${sessionsPath}/${sessionId}`, { keepalive: true });
    } catch {
      // It is gone already, or it ends by itself when nobody is there any more.
    }
  }

  device(): Promise<DeviceInfo> {
    return this.call('GET', `${base}/device`);
  }

  system(): Promise<SystemInfo> {
    return this.call('GET', `${base}/system`);
  }

  /** One page of what is recorded from a time on; from the beginning when left out. */
  recordings(fromUnixMs?: number, cursor?: string): Promise<Recordings> {
    const query = new URLSearchParams({ limit: '5000' });
    if (fromUnixMs !== undefined) query.set('start', iso(fromUnixMs));
    if (cursor !== undefined) query.set('cursor', cursor);
    return this.call('GET', `${base}/media/recordings?${query}`);
  }

  /** What a clip would be: its true ends, its gaps, its length. */
  manifest(range: ClipRange, signal?: AbortSignal): Promise<ClipManifest> {
    return this.call('GET', clipPath(range), { headers: { accept: 'application/json' }, signal });
  }

  /** An address of a clip that opens it without a token for some time. */
  link(
    { startUnixMs, endUnixMs, audio }: ClipRange,
    signal?: AbortSignal,
  ): Promise<Timed<Schemas['ClipLink']>> {
    const body = JSON.stringify({
      start: iso(startUnixMs),
      end: iso(endUnixMs),
      ...(audio ? { audio } : {}),
    });
    return this.call('POST', `${base}/media/vod/link`, { body, signal });
  }

  setIceServers(servers: readonly string[]): Promise<Schemas['LiveSessionConfig']> {
    return this.call('PUT', `${base}/media/live/config`, { body: JSON.stringify({ ice_servers: servers }) });
  }

  /** Has the camera ask each server once. */
  testIceServers(servers: readonly string[]): Promise<Schemas['IceServerTest']> {
    return this.call('POST', `${base}/media/live/config/test`, {
      body: JSON.stringify({ ice_servers: servers }),
    });
  }

  async resetPassword(password: string): Promise<void> {
    await this.call('PUT', `${userPath}/reset`, { body: JSON.stringify(password) });
  }

  async sessions(): Promise<readonly UserSession[]> {
    return (await this.call<Schemas['UserSessions']>('GET', `${userPath}/sessions`)).sessions;
  }

  async endSession(id: string): Promise<void> {
    await this.call('DELETE', `${userPath}/sessions/${id}`);
  }

  /** Lines of the log behind the one with this number. */
  logs(after: number): Promise<Schemas['LogTail']> {
    return this.call('GET', `${base}/system/logs?after=${after}`);
  }

  /** Has the camera start the firmware before. */
  async rollBack(): Promise<void> {
    await this.call('POST', `${base}/system/upgrade/rollback`);
  }

  /** For requests that are not of JSON: what {@link call} would do about a 401. */
  refused(problem: CameraProblem): void {
    if (problem.status === 401) this.onUnauthorized();
  }

  private async call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    try {
      const headers = { ...options.headers, 'x-token': this.token };
      return await call<T>(method, path, { ...options, headers });
    } catch (error) {
      if (error instanceof CameraProblem) this.refused(error);
      throw error;
    }
  }
}

/** The problem that an answer of status 400 and above tells; its body may be none of the camera's. */
export async function problemOfResponse(response: Response): Promise<CameraProblem> {
  const document = (await response.json().catch(() => ({ code: 'unreachable' }))) as {
    readonly code?: string;
    readonly detail?: string;
    readonly details?: ProblemDetails;
  };
  return new CameraProblem({
    code: document.code ?? 'unreachable',
    status: response.status,
    detail: document.detail,
    details: document.details,
    retryAfterMs: 1000 * (Number(response.headers.get('retry-after')) || 0),
  });
}

async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const { headers = {}, body, signal, keepalive = false } = options;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), requestTimeoutMs);
  signal?.addEventListener('abort', () => timeout.abort(), { once: true });
  try {
    const response = await fetch(path, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
      keepalive,
      signal: timeout.signal,
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    });
    if (!response.ok) throw await problemOfResponse(response);
    const document = (await response.json()) as T & { readonly valid_until?: string };
    return { ...document, lifeMs: lifeMs(document.valid_until, response.headers) };
  } catch (error) {
    // No connection, no answer in time, or an answer that is none of the camera's.
    throw error instanceof CameraProblem ? error : new CameraProblem({ code: 'unreachable' });
  } finally {
    clearTimeout(timer);
  }
}

/** Milliseconds that are left, by the camera's clock where its answer tells it: the browser's may be hours off. */
function lifeMs(validUntil: string | undefined, headers: Headers): number | undefined {
  if (validUntil === undefined) return undefined;
  return Math.max(0, Date.parse(validUntil) - (Date.parse(headers.get('date') ?? '') || Date.now()));
}

function iso(unixMs: number): string {
  return new Date(unixMs).toISOString();
}
