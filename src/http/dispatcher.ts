/**
 * The way of every request: guard, route, token, body, handler, reply; in this order, and in this file alone.
 *
 * What is refused early is refused cheaply: a malformed header ends the connection, an unknown path or a missing token
 * is answered before a byte of the body is looked at. Every request has an id, which stands in the answer
 * (`x-request-id`), in the problem document and in the log. Handlers are synchronous or not; either way nothing is
 * written after the client left, and a reply that takes too long becomes `request-timeout`. Main thread.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import { LogThrottle } from '../telemetry/log-throttle.ts';
import type { TokenCheck } from './access-token.ts';
import { commonHeaders, declaredBodyBytes, requestFault } from './guard.ts';
import { ignoredBodyBytesMax, requestDeadlineMs } from './limits.ts';
import { problemCodeOf, problemReply, problems, RequestFault } from './problems.ts';
import type { Reply } from './reply.ts';
import type { Route, RouteRequest, Router } from './router.ts';
import type { Exchange } from './uws.ts';

const noBody = new Uint8Array(0);

/** Takes requests to their routes; one for a server. */
export class Dispatcher {
  private readonly router: Router;
  private readonly isAllowed: TokenCheck;
  private readonly logger: Logger;
  private readonly throttle: LogThrottle;
  private readonly clock: Clock;
  private readonly deadlineMs: number;

  constructor(options: {
    readonly router: Router;
    readonly isAllowed: TokenCheck;
    readonly logger: Logger;
    readonly clock: Clock;
    readonly deadlineMs?: number;
  }) {
    this.router = options.router;
    this.isAllowed = options.isAllowed;
    this.logger = options.logger;
    this.throttle = new LogThrottle(options.logger, options.clock);
    this.clock = options.clock;
    this.deadlineMs = options.deadlineMs ?? requestDeadlineMs;
  }

  /** Answers a request; never throws. Called by the library on its stack. */
  dispatch(exchange: Exchange): void {
    const call = new Call(exchange, this.clock.monoUs());
    const fault = requestFault(exchange.path, exchange.headers);
    if (fault !== undefined) {
      this.throttle.log('warn', 'malformed', 'malformed request refused', {
        requestId: call.requestId,
        remoteAddress: exchange.remoteAddress,
        fault,
      });
      exchange.refuse(
        withCommonHeaders(problemReply(new RequestFault('request-malformed'), call.requestId), call),
      );
      return;
    }
    try {
      const { route, parameters } = this.admit(exchange);
      if (route.body) void this.handleWithBody(call, route, parameters, route.body.bytesMax);
      else this.handle(call, route, parameters, noBody);
    } catch (error) {
      this.fail(call, error);
    }
  }

  /** The route, for a request that may reach it. */
  private admit(exchange: Exchange): { route: Route; parameters: Readonly<Record<string, string>> } {
    const match = this.router.match(exchange.method, exchange.path);
    if (!match) throw new RequestFault('not-found');
    if ('allow' in match) throw new RequestFault('method-not-allowed', {}, { allow: match.allow });
    if (match.route.access === 'token' && !this.isAllowed(exchange.headers))
      throw new RequestFault('unauthorized');
    const body = match.route.body;
    if (declaredBodyBytes(exchange.headers) > (body?.bytesMax ?? ignoredBodyBytesMax))
      throw new RequestFault('body-too-large');
    body?.check(exchange.headers);
    return match;
  }

  private async handleWithBody(
    call: Call,
    route: Route,
    parameters: RouteRequest['parameters'],
    bytesMax: number,
  ): Promise<void> {
    const body = await call.exchange.readBody(bytesMax);
    if (call.exchange.aborted) return;
    if (body) this.handle(call, route, parameters, body);
    else this.fail(call, new RequestFault('body-too-large'));
  }

  private handle(call: Call, route: Route, parameters: RouteRequest['parameters'], body: Uint8Array): void {
    try {
      const reply = route.handle(call.requestFor(parameters, body));
      if (reply instanceof Promise) this.await(call, reply);
      else this.send(call, reply);
    } catch (error) {
      this.fail(call, error);
    }
  }

  private await(call: Call, reply: Promise<Reply>): void {
    const timer = setTimeout(() => {
      call.abandon();
      this.fail(call, new CameraError('request-timeout', 'the request was not answered in time'));
    }, this.deadlineMs);
    timer.unref();
    reply
      .then(
        value => this.send(call, value),
        error => this.fail(call, error),
      )
      .finally(() => clearTimeout(timer));
  }

  private fail(call: Call, error: unknown): void {
    const code = problemCodeOf(error);
    const { status } = problems[code];
    if (status >= 500)
      this.throttle.log(status === 500 ? 'error' : 'warn', `failed-${code}`, 'request failed', {
        requestId: call.requestId,
        method: call.exchange.method,
        path: call.exchange.path,
        ...errorFields(error),
      });
    // What is left of a body that is too large is not waited for.
    this.send(call, problemReply(error, call.requestId), { close: code === 'body-too-large' });
  }

  private send(call: Call, reply: Reply, options: { readonly close?: boolean } = {}): void {
    const sent = call.exchange.send(withCommonHeaders(reply, call), options);
    this.logger.debug('request', {
      requestId: call.requestId,
      remoteAddress: call.exchange.remoteAddress,
      method: call.exchange.method,
      path: call.exchange.path,
      status: sent ? reply.status : undefined,
      aborted: call.exchange.aborted || undefined,
      durationUs: this.clock.monoUs() - call.startedMonoUs,
    });
  }
}

/** One request on its way. */
class Call {
  readonly requestId = randomUUID();
  readonly exchange: Exchange;
  readonly startedMonoUs: number;
  private isAbandoned = false;

  constructor(exchange: Exchange, startedMonoUs: number) {
    this.exchange = exchange;
    this.startedMonoUs = startedMonoUs;
  }

  /** The deadline has passed. */
  abandon(): void {
    this.isAbandoned = true;
  }

  get abandoned(): boolean {
    return this.isAbandoned || this.exchange.aborted;
  }

  requestFor(parameters: RouteRequest['parameters'], body: Uint8Array): RouteRequest {
    const call = this;
    return {
      requestId: this.requestId,
      headers: this.exchange.headers,
      parameters,
      body,
      get abandoned() {
        return call.abandoned;
      },
    };
  }
}

function withCommonHeaders(reply: Reply, call: Call): Reply {
  return { ...reply, headers: { ...commonHeaders, ...reply.headers, 'x-request-id': call.requestId } };
}
