/**
 * The way of every request: guard, gate, route, authentication, parameters, body, handler, reply; in this order, and in
 * this file alone.
 *
 * What is refused early is refused cheaply: a malformed header ends the connection, an unknown path or a missing token
 * is answered before a byte of the body is looked at. Only the library's rule that a body must be read from the first
 * moment lets bytes come in, bounded, while the accounts are asked about the token; they are not parsed before that. Every
 * request has an id, which stands in the answer (`x-request-id`), in the problem document and in the log. Nothing is
 * written after the client left, and an answer that takes too long becomes `request-timeout`. Main thread.
 */
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import type { LogFields } from '../ipc/messages.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import { LogThrottle } from '../telemetry/log-throttle.ts';
import { presentedToken } from './access-token.ts';
import type { BodyStream } from './body-stream.ts';
import type { Downloads } from './downloads.ts';
import type { EventStreams } from './event-streams.ts';
import type { Exchange } from './exchange.ts';
import type { Gate } from './gate.ts';
import { answerHeaders, declaredBodyBytes, requestFault } from './guard.ts';
import { checkMediaType, parseJsonBody } from './json-body.ts';
import { bodyStreamAnswerMs, ignoredBodyBytesMax } from './limits.ts';
import type { Operation } from './openapi/operation-table.ts';
import { linkName, queryValue, readParameters } from './openapi/parameters.ts';
import type { ReplyCheck } from './openapi/reply-check.ts';
import type { SchemaSet } from './openapi/schemas.ts';
import type { OperationId } from './operations.ts';
import { PendingCall } from './pending-call.ts';
import { problemCodeOf, problemReply, problems, RequestFault } from './problems.ts';
import type { AnyReply, EventsReply, Reply, StreamedReply } from './reply.ts';
import type { OperationRoute, Router } from './router.ts';
import type { AccountsService } from './services.ts';

/** What a dispatcher is made of. */
export interface DispatcherOptions {
  readonly router: Router;
  readonly gate: Pick<Gate, 'check' | 'preflight' | 'replyHeaders'>;
  readonly accounts: Pick<AccountsService, 'authenticate' | 'admitSetup'>;
  /** For parameters and bodies. */
  readonly schemas: SchemaSet;
  /** Where every answer is to be checked. */
  readonly replyCheck: ReplyCheck | undefined;
  /** Operations that need no token although the document says so. */
  readonly openOperations: ReadonlySet<OperationId>;
  /** For bodies that are streamed; the deadline is for their first byte. */
  readonly downloads: Pick<Downloads, 'send'>;
  readonly eventStreams: Pick<EventStreams, 'send'>;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Until a body must be there, and from then until the answer. */
  readonly deadlineMs: number;
  /** Until a body that its handler reads itself must be there. */
  readonly bodyStreamMs: number;
}

/** What is left to do of a call once it may be looked at. */
interface Todo {
  readonly segments: Readonly<Record<string, string>>;
  readonly bodyFault: RequestFault | undefined;
  readonly reading: Promise<Uint8Array | undefined> | undefined;
  /** Of an operation whose handler reads the body itself. */
  readonly stream: BodyStream | undefined;
}

/** Takes requests to their routes; one for a server. */
export class Dispatcher {
  private readonly options: DispatcherOptions;
  private readonly throttle: LogThrottle;

  constructor(options: DispatcherOptions) {
    this.options = options;
    this.throttle = new LogThrottle(options.logger, options.clock);
  }

  /** Answers a request; never throws. Called by the library on its stack. */
  dispatch(exchange: Exchange): void {
    const call = new PendingCall(exchange, this.options.clock.monoUs());
    const fault = requestFault(exchange.path, exchange.headers);
    if (fault !== undefined) {
      this.throttle.log('warn', 'malformed', 'malformed request refused', {
        requestId: call.requestId,
        remoteAddress: exchange.remoteAddress,
        fault,
      });
      exchange.refuse(
        this.complete(call, problemReply(new RequestFault('request-malformed'), call.requestId)),
      );
      return;
    }
    try {
      this.admit(call);
    } catch (error) {
      this.fail(call, error);
    }
  }

  private admit(call: PendingCall): void {
    const { exchange } = call;
    const { gate, router } = this.options;
    const match = router.match(exchange.method, exchange.path);
    if (match && 'route' in match) call.operation = match.route.operation;
    const refusal = gate.check(exchange);
    if (refusal) throw refusal;
    const preflight = gate.preflight(exchange);
    if (preflight) {
      this.send(call, preflight);
      return;
    }
    if (!match) throw new RequestFault('not-found');
    if ('allow' in match) throw new RequestFault('method-not-allowed', {}, { allow: match.allow });
    const { route, segments } = match;
    if (route.operation) this.operate(call, route, segments);
    else {
      checkIgnoredBody(exchange);
      this.answer(call, route.handle({ headers: exchange.headers }));
    }
  }

  private operate(
    call: PendingCall,
    route: OperationRoute,
    segments: Readonly<Record<string, string>>,
  ): void {
    const { exchange } = call;
    const { operation } = route;
    call.token = presentedToken(exchange.headers);
    const needsSession = this.needsSession(operation, call);
    if (call.token === undefined && needsSession) throw new RequestFault('unauthorized');
    const bodyFault = bodyFaultOf(operation, exchange);
    const bytesMax = bodyFault ? undefined : operation.body?.bytesMax;
    const reading = bytesMax === undefined ? undefined : exchange.readBody(bytesMax, this.options.deadlineMs);
    const isStreamed = !bodyFault && operation.body && operation.body.bytesMax === undefined;
    const stream = isStreamed ? exchange.openBody(this.options.bodyStreamMs) : undefined;
    const todo = { segments, bodyFault, reading, stream };
    if (needsSession) this.finish(call, this.authenticated(call, route, todo));
    else if (operation.access === 'setup') this.finish(call, this.withSetupToken(call, route, todo));
    else if (reading) this.finish(call, this.continue(call, route, todo));
    else {
      this.readParameters(call, operation, segments);
      if (bodyFault) throw bodyFault;
      this.answer(call, route.handle(call.forHandler() as never));
    }
  }

  private finish(call: PendingCall, done: Promise<void>): void {
    done.catch(error => this.fail(call, error));
  }

  private async authenticated(call: PendingCall, route: OperationRoute, todo: Todo): Promise<void> {
    const session = await this.withinDeadline(this.options.accounts.authenticate(call.token!));
    if (!session) throw new RequestFault('unauthorized');
    call.session = session;
    await this.continue(call, route, todo);
  }

  /**
   * The setup token is spent by the handler; what is wrong with the rest of the request is told to its holder alone. A
   * request with no token, or with what cannot be one, is a wrong try as any other: it counts for the throttle.
   */
  private async withSetupToken(call: PendingCall, route: OperationRoute, todo: Todo): Promise<void> {
    try {
      await this.continue(call, route, todo);
    } catch (error) {
      if (error instanceof RequestFault)
        await this.options.accounts.admitSetup(call.token ?? '', call.caller);
      throw error;
    }
  }

  private async continue(call: PendingCall, route: OperationRoute, todo: Todo): Promise<void> {
    if (call.abandoned) return;
    this.readParameters(call, route.operation, todo.segments);
    if (todo.bodyFault) throw todo.bodyFault;
    if (todo.reading) {
      const bytes = await todo.reading;
      if (call.abandoned) return;
      if (!bytes) throw new RequestFault(call.exchange.bodyFault);
      call.body = this.parseBody(route.operation, bytes);
    }
    if (todo.stream) call.body = todo.stream;
    const { deadlineMs, bodyStreamMs } = this.options;
    const reply = route.handle(call.forHandler() as never);
    this.answer(call, reply, todo.stream ? bodyStreamMs + bodyStreamAnswerMs : deadlineMs);
  }

  /** A link is the handler's to judge; a token decides alone where there is one. */
  private needsSession({ id, access }: Operation, { token, exchange }: PendingCall): boolean {
    if (this.options.openOperations.has(id)) return false;
    if (access === 'session-or-link')
      return token !== undefined || queryValue(exchange.query, linkName) === undefined;
    return access === 'session';
  }

  private readParameters(
    call: PendingCall,
    operation: Operation,
    segments: Readonly<Record<string, string>>,
  ): void {
    const { query, headers } = call.exchange;
    const credentials = operation.access === 'session-or-link' ? [linkName] : [];
    const source = { path: segments, query, headers };
    call.parameters = readParameters(operation.parameters, this.options.schemas, source, credentials);
  }

  private parseBody({ body }: Operation, bytes: Uint8Array): unknown {
    const value = parseJsonBody(bytes);
    const fault = body?.schema === undefined ? undefined : this.options.schemas.check(body.schema, value);
    if (fault) throw new RequestFault('body-invalid', { ...fault, pointer: fault.pointer.slice(0, 100) });
    return value;
  }

  private answer(
    call: PendingCall,
    reply: AnyReply | Promise<AnyReply>,
    deadlineMs = this.options.deadlineMs,
  ): void {
    if (reply instanceof Promise)
      this.withinDeadline(reply, deadlineMs, () => call.abandon()).then(
        value => this.sendAny(call, value),
        error => this.fail(call, error),
      );
    else this.sendAny(call, reply);
  }

  private sendAny(call: PendingCall, reply: AnyReply): void {
    if ('body' in reply) this.send(call, reply);
    else if ('stream' in reply) this.finish(call, this.stream(call, reply));
    else this.finish(call, this.sendEvents(call, reply));
  }

  /** Sends an answer that goes on until its client leaves. */
  private async sendEvents(call: PendingCall, reply: EventsReply): Promise<void> {
    if (call.exchange.aborted) return;
    const complete = this.complete(call, reply);
    if ('body' in complete) this.send(call, complete);
    else await this.options.eventStreams.send(call.exchange, complete, call.session?.sid);
  }

  /** Sends an answer whose body is streamed. The deadline is for its first byte; from then on the client sets the pace. */
  private async stream(call: PendingCall, reply: StreamedReply): Promise<void> {
    const { exchange } = call;
    if (exchange.aborted || !(await this.isStillAllowed(call))) {
      reply.stream.close();
      if (!exchange.aborted) throw new RequestFault('unauthorized');
      return;
    }
    const complete = this.complete(call, reply);
    if (!('stream' in complete)) {
      this.send(call, complete);
      return;
    }
    let end = 'sent';
    if (exchange.method === 'HEAD') exchange.sendHead(complete, complete.lengthBytes);
    else {
      const timer = setTimeout(() => {
        if (exchange.hasBegun) return;
        this.fail(call, new CameraError('request-timeout', 'the first byte was not there in time'));
      }, this.options.deadlineMs);
      timer.unref();
      try {
        end = await this.options.downloads.send(exchange, complete, {
          sid: call.session?.sid,
          onFailed: error =>
            this.throttle.log('warn', 'failed-body', 'a download ended early', {
              ...logFieldsOf(call),
              ...errorFields(error),
            }),
        });
      } finally {
        clearTimeout(timer);
      }
    }
    this.options.logger.debug('request', { ...this.sentFields(call, complete.status), end });
  }

  /** A session may have ended while the reply was made; from the first byte on its downloads end with it. */
  private async isStillAllowed({ session, token }: PendingCall): Promise<boolean> {
    return !session || (await this.withinDeadline(this.options.accounts.authenticate(token!))) !== undefined;
  }

  /** The same, or `request-timeout`; what comes after that is dropped. */
  private async withinDeadline<Value>(
    promise: Promise<Value>,
    deadlineMs = this.options.deadlineMs,
    onTimeout?: () => void,
  ): Promise<Value> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        onTimeout?.();
        reject(new CameraError('request-timeout', 'the request was not answered in time'));
      }, deadlineMs);
      timer.unref();
    });
    try {
      return await Promise.race([promise, deadline]);
    } finally {
      clearTimeout(timer);
    }
  }

  private fail(call: PendingCall, error: unknown): void {
    const code = problemCodeOf(error);
    const { status } = problems[code];
    if (status >= 500)
      this.throttle.log(status === 500 ? 'error' : 'warn', `failed-${code}`, 'request failed', {
        ...logFieldsOf(call),
        ...errorFields(error),
      });
    // What is left of a body that is too large or too slow is not waited for.
    const close = code === 'body-too-large' || code === 'body-timeout';
    this.send(call, problemReply(error, call.requestId), { close });
  }

  private send(call: PendingCall, reply: Reply, options: { readonly close?: boolean } = {}): void {
    const { exchange } = call;
    if (exchange.aborted) return;
    const complete = this.complete(call, reply);
    const sent = exchange.send(complete, options);
    this.options.logger.debug('request', this.sentFields(call, sent ? complete.status : undefined));
  }

  private sentFields(call: PendingCall, status: number | undefined): LogFields {
    return {
      ...logFieldsOf(call),
      remoteAddress: call.exchange.remoteAddress,
      status,
      durationUs: this.options.clock.monoUs() - call.startedMonoUs,
    };
  }

  /** The answer with the fields that every answer has; in its place a 500 where it breaks the API's document. */
  private complete<Any extends AnyReply>(call: PendingCall, reply: Any): Any | Reply {
    const complete = this.withCommonHeaders(call, reply);
    const { replyCheck, logger } = this.options;
    if (!replyCheck) return complete;
    const fault = replyCheck.fault(call.operation, complete);
    if (fault === undefined) return complete;
    logger.error("an answer breaks the API's document", {
      ...logFieldsOf(call),
      status: reply.status,
      fault,
    });
    const broken = new CameraError('internal', "the answer breaks the API's document");
    return this.withCommonHeaders(call, problemReply(broken, call.requestId));
  }

  private withCommonHeaders<Any extends AnyReply>({ exchange, requestId }: PendingCall, reply: Any): Any {
    const ofGate = this.options.gate.replyHeaders(exchange);
    return { ...reply, headers: answerHeaders(reply.headers, ofGate, requestId) };
  }
}

/** What can be said of a body before it is read; thrown later, since authentication comes first. */
function bodyFaultOf({ body }: Operation, exchange: Exchange): RequestFault | undefined {
  try {
    if (!body) checkIgnoredBody(exchange);
    else {
      if (body.bytesMax !== undefined && declaredBodyBytes(exchange.headers) > body.bytesMax)
        return new RequestFault('body-too-large');
      checkMediaType(exchange.headers, body.mediaTypes);
    }
    return undefined;
  } catch (error) {
    if (error instanceof RequestFault) return error;
    throw error;
  }
}

function checkIgnoredBody({ headers }: Exchange): void {
  if (declaredBodyBytes(headers) > ignoredBodyBytesMax) throw new RequestFault('body-too-large');
}

function logFieldsOf({ requestId, exchange }: PendingCall): Record<string, string> {
  return { requestId, method: exchange.method, path: exchange.path };
}
