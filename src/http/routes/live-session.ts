/**
 * Live sessions over HTTP: `POST /api/v1/media/live/session`, and `GET` and `DELETE` of a session (contract.md §9).
 *
 * The offer's form is checked here; what its session description says is the live worker's to judge. A session ends at
 * the offer's `valid_until`, and in any case after the configured longest time; the answer says when. A client that
 * leaves while its offer is pending gets no session: the one that was opened for it is closed again.
 */
import { CameraError } from '../../base/errors.ts';
import { errorFields } from '../../telemetry/log.ts';
import { checkMediaType, jsonBodyReader } from '../json-body.ts';
import { offerBodyBytesMax, sdpBytesMax } from '../limits.ts';
import { RequestFault } from '../problems.ts';
import { jsonReply, type Reply } from '../reply.ts';
import { formatRfc3339, parseRfc3339 } from '../rfc3339.ts';
import type { Route, RouteRequest } from '../router.ts';
import type { HttpServices } from '../services.ts';

type Services = Pick<HttpServices, 'clock' | 'live' | 'liveRequest' | 'logger'>;

const sessionsPath = '/api/v1/media/live/session';

/** The schema SDP of the API as a request. */
interface Offer {
  readonly type: 'offer';
  readonly sdp: string;
  readonly valid_until?: string;
}

const readOffer = jsonBodyReader<Offer>({
  type: 'object',
  required: ['type', 'sdp'],
  additionalProperties: false,
  properties: {
    type: { const: 'offer' },
    sdp: { type: 'string' },
    valid_until: { type: 'string' },
  },
});

/** What a session's id may look like; anything else is no session, and is not asked for. */
const sessionIdForm = /^[A-Za-z0-9_-]{1,64}$/;

/** The three operations. */
export function liveSessionRoutes(services: Services): readonly Route[] {
  return [
    {
      method: 'POST',
      path: sessionsPath,
      access: 'token',
      body: { bytesMax: offerBodyBytesMax, check: checkMediaType },
      handle: request => openSession(services, request),
    },
    {
      method: 'GET',
      path: `${sessionsPath}/{id}`,
      access: 'token',
      handle: request => describeSession(services, request),
    },
    {
      method: 'DELETE',
      path: `${sessionsPath}/{id}`,
      access: 'token',
      handle: request => closeSession(services, request),
    },
  ];
}

async function openSession(services: Services, request: RouteRequest): Promise<Reply> {
  const offer = readOffer(request.headers, request.body);
  checkSdpForm(offer.sdp);
  const answer = await services.liveRequest<'open-session'>({
    kind: 'open-session',
    sdp: offer.sdp,
    validUntilUnixMs: validUntil(services, offer.valid_until),
    iceServers: [],
  });
  // Nobody would ever connect to it, and it would count against the limit of pending offers until its time-out.
  if (request.abandoned) discard(services, answer.sessionId);
  return jsonReply(
    {
      type: 'answer',
      sdp: answer.sdp,
      valid_until: formatRfc3339(answer.validUntilUnixMs),
      session_id: answer.sessionId,
    },
    { headers: { location: `${sessionsPath}/${answer.sessionId}` } },
  );
}

async function describeSession(services: Services, request: RouteRequest): Promise<Reply> {
  const sessionId = sessionIdOf(request);
  const description = await services.liveRequest<'describe-session'>({ kind: 'describe-session', sessionId });
  const nowUnixMs = services.clock.wallUnixMs();
  return jsonReply({
    ...description,
    valid_until: formatRfc3339(description.valid_until_unix_ms),
    // The camera's clock, against which a viewer reads the capture times in the stream.
    now_unix_ms: nowUnixMs,
  });
}

async function closeSession(services: Services, request: RouteRequest): Promise<Reply> {
  const sessionId = sessionIdOf(request);
  await services.liveRequest<'close-session'>({ kind: 'close-session', sessionId });
  return jsonReply({ session_id: sessionId, state: 'ended' });
}

function sessionIdOf(request: RouteRequest): string {
  const id = request.parameters.id ?? '';
  if (!sessionIdForm.test(id)) throw new CameraError('session-unknown', 'not the form of a session id');
  return id;
}

/** What can be said of a session description without reading it. */
function checkSdpForm(sdp: string): void {
  const reason =
    sdp === ''
      ? 'empty'
      : Buffer.byteLength(sdp) > sdpBytesMax
        ? 'too-long'
        : sdp.includes('\0') || !sdp.isWellFormed()
          ? 'not-text'
          : undefined;
  if (reason) throw new CameraError('sdp-invalid', 'the session description is not usable text', { reason });
}

/** When the session ends: as asked for, and never later than the configured longest time from now. */
function validUntil({ clock, live }: Services, asked: string | undefined): number {
  const nowUnixMs = clock.wallUnixMs();
  const latestUnixMs = nowUnixMs + live.maxSessionSeconds * 1000;
  if (asked === undefined) return latestUnixMs;
  const askedUnixMs = parseRfc3339(asked);
  if (askedUnixMs === undefined)
    throw new RequestFault('body-invalid', {
      pointer: '/valid_until',
      rule: 'format',
      expected: 'date and time as RFC 3339 writes it, with an offset',
    });
  if (askedUnixMs <= nowUnixMs) throw new CameraError('valid-until-past', 'valid_until lies in the past');
  return Math.min(askedUnixMs, latestUnixMs);
}

function discard({ liveRequest, logger }: Services, sessionId: string): void {
  liveRequest<'close-session'>({ kind: 'close-session', sessionId }).catch(error => {
    // It ends by itself when its time for connecting is over.
    logger.debug('an abandoned live session could not be closed', {
      session: sessionId,
      ...errorFields(error),
    });
  });
}
