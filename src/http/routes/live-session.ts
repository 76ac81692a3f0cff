/**
 * Live sessions over HTTP: `POST /api/v1/media/live/session`, and `GET` and `DELETE` of a session (contract.md §9).
 *
 * The offer's form is checked here; what its session description says is the live worker's to judge. A live session ends
 * at the offer's `valid_until`, after the configured longest time, and with the session of the user that opened it, were
 * its opening still under way. A client that leaves while its offer is pending gets no live session either.
 */
import { CameraError } from '../../base/errors.ts';
import { toLiveIceServers } from '../../config/ice-servers.ts';
import type { LiveReplies } from '../../ipc/messages.ts';
import { errorFields } from '../../telemetry/log.ts';
import { sdpBytesMax } from '../limits.ts';
import { LiveOwners } from '../live-owners.ts';
import { OfferLimits } from '../offer-limits.ts';
import type { AnswerOf, Call, Handlers } from '../operations.ts';
import { problemCodeOf, RequestFault } from '../problems.ts';
import { jsonReply, type Reply } from '../reply.ts';
import { formatRfc3339, parseRfc3339 } from '../rfc3339.ts';
import type { HttpServices } from '../services.ts';

type Services = Pick<
  HttpServices,
  'accounts' | 'clock' | 'live' | 'liveRequest' | 'onLiveSessionEnded' | 'logger'
>;
type Answer = LiveReplies['open-session'];
type Operations = 'openLiveSession' | 'getLiveSession' | 'closeLiveSession';

const sessionsPath = '/api/v1/media/live/session';

/** What a live session's id may look like; anything else is none, and is not asked for. */
const sessionIdForm = /^[A-Za-z0-9_-]{1,64}$/;

/** The three operations. */
export function liveSessionHandlers(services: Services): Pick<Handlers, Operations> {
  const sessions = new LiveSessions(services);
  return {
    openLiveSession: call => sessions.open(call),
    getLiveSession: call => sessions.describe(call),
    closeLiveSession: call => sessions.close(call),
  };
}

class LiveSessions {
  private readonly services: Services;
  private readonly owners: LiveOwners;
  private readonly limits: OfferLimits;

  constructor(services: Services) {
    this.services = services;
    this.owners = new LiveOwners(services.clock, id => this.discard(id));
    this.limits = new OfferLimits(services.clock, services.live.offersPerMinute);
    services.accounts.onSessionsEnded(sids => this.owners.sessionsEnded(sids));
    services.onLiveSessionEnded(id => this.owners.ended(id));
  }

  async open(call: Call<'openLiveSession'>): Promise<Reply> {
    const { remoteAddress, session } = call;
    checkSdpForm(call.body.sdp);
    const validUntilUnixMs = this.validUntil(call);
    this.limits.begin(remoteAddress, session.sid);
    try {
      return this.reply(await this.openOwned(call, validUntilUnixMs));
    } catch (error) {
      this.limits.failed(remoteAddress, session.sid, problemCodeOf(error));
      throw error;
    }
  }

  async describe({ parameters }: Call<'getLiveSession'>): Promise<Reply> {
    const sessionId = checkedId(parameters.id);
    const description = await this.services.liveRequest<'describe-session'>({
      kind: 'describe-session',
      sessionId,
    });
    const body: AnswerOf<'getLiveSession'> = {
      ...description,
      valid_until: formatRfc3339(description.valid_until_unix_ms),
      now_unix_ms: this.services.clock.wallUnixMs(),
    };
    return jsonReply(body);
  }

  async close({ parameters }: Call<'closeLiveSession'>): Promise<Reply> {
    const sessionId = checkedId(parameters.id);
    await this.services.liveRequest<'close-session'>({ kind: 'close-session', sessionId });
    this.owners.ended(sessionId);
    const body: AnswerOf<'closeLiveSession'> = { session_id: sessionId, state: 'ended' };
    return jsonReply(body);
  }

  /** Opens a live session that ends with the session of the user; rejects with `token-invalid` when that has ended. */
  private async openOwned(call: Call<'openLiveSession'>, validUntilUnixMs: number): Promise<Answer> {
    const { accounts, liveRequest } = this.services;
    const opening = this.owners.begin(call.session.sid);
    try {
      const answer = await liveRequest<'open-session'>({
        kind: 'open-session',
        sdp: call.body.sdp,
        validUntilUnixMs,
        iceServers: toLiveIceServers(accounts.iceServers()),
        stream: call.body.stream,
      });
      // The table knows of an end since the opening began; one before, while the body was read, only the accounts do.
      const session = await this.sessionOf(call, answer.sessionId);
      if (!session || opening.isLost) {
        this.discard(answer.sessionId);
        throw new CameraError('token-invalid', 'the session ended while its live session was opened');
      }
      // Nobody would ever connect to it, and it would count against the limit of pending offers until its time-out.
      if (call.abandoned) this.discard(answer.sessionId);
      else opening.own(answer.sessionId, answer.validUntilUnixMs);
      return answer;
    } finally {
      opening.forget();
    }
  }

  private async sessionOf(call: Call<'openLiveSession'>, liveSessionId: string): Promise<unknown> {
    try {
      return await this.services.accounts.authenticate(call.token ?? '');
    } catch (error) {
      this.discard(liveSessionId);
      throw error;
    }
  }

  private reply(answer: Answer): Reply {
    const body: AnswerOf<'openLiveSession'> = {
      type: 'answer',
      sdp: answer.sdp,
      valid_until: formatRfc3339(answer.validUntilUnixMs),
      session_id: answer.sessionId,
    };
    return jsonReply(body, { headers: { location: `${sessionsPath}/${answer.sessionId}` } });
  }

  /** When the live session ends: as asked for, never after the user's session, never after the longest time from now. */
  private validUntil({ body, session }: Call<'openLiveSession'>): number {
    const { clock, live } = this.services;
    const nowUnixMs = clock.wallUnixMs();
    const latestUnixMs = Math.min(nowUnixMs + live.maxSessionSeconds * 1000, session.validUntilUnixMs);
    if (body.valid_until === undefined) return latestUnixMs;
    const askedUnixMs = parseRfc3339(body.valid_until);
    if (askedUnixMs === undefined)
      throw new RequestFault('body-invalid', {
        pointer: '/valid_until',
        rule: 'format',
        expected: 'date and time as RFC 3339 writes it, with an offset',
      });
    if (askedUnixMs <= nowUnixMs) throw new CameraError('valid-until-past', 'valid_until lies in the past');
    return Math.min(askedUnixMs, latestUnixMs);
  }

  /** Ends a live session that nobody has a right to any more. */
  private discard(sessionId: string): void {
    const { liveRequest, logger } = this.services;
    liveRequest<'close-session'>({ kind: 'close-session', sessionId }).catch(error => {
      // It has ended already, or the live worker died with it.
      logger.debug('a live session could not be closed', { session: sessionId, ...errorFields(error) });
    });
  }
}

function checkedId(id: string): string {
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
