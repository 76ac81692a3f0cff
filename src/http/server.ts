/**
 * The HTTP front end: listens, and gives every operation its handler.
 *
 * What is served lies in assets/openapi.json; handlers lie in small files under routes/ and are listed here (operations.ts
 * says how one is added). Guard, gate, tokens, limits and problem documents are the same for all (dispatcher.ts). Main
 * thread; nothing here blocks it.
 */
import { CameraError } from '../base/errors.ts';
import { Dispatcher } from './dispatcher.ts';
import { Downloads, type DownloadsOptions } from './downloads.ts';
import { EventStreams } from './event-streams.ts';
import { FrontEnd } from './front-end.ts';
import type { Gate } from './gate.ts';
import { bodyStreamTimeoutMs } from './limits.ts';
import { type ApiDocument, loadApiDocument } from './openapi/document.ts';
import { operationsOf } from './openapi/operation-table.ts';
import { ReplyCheck } from './openapi/reply-check.ts';
import { SchemaSet } from './openapi/schemas.ts';
import type { Handlers, OperationId } from './operations.ts';
import { loadPageAssets } from './page-assets.ts';
import { type Route, Router } from './router.ts';
import { clipHandlers } from './routes/clips.ts';
import { deviceHandlers } from './routes/device.ts';
import { docsRoutes } from './routes/docs.ts';
import { firmwareHandlers } from './routes/firmware.ts';
import { healthHandlers } from './routes/health.ts';
import { liveConfigHandlers } from './routes/live-config.ts';
import { liveSessionHandlers } from './routes/live-session.ts';
import { logsHandlers } from './routes/logs.ts';
import { metricsHandlers } from './routes/metrics.ts';
import { openApiHandlers } from './routes/openapi.ts';
import { pageRoutes } from './routes/page.ts';
import { recordingsHandlers } from './routes/recordings.ts';
import { setupHandlers } from './routes/setup.ts';
import { systemHandlers } from './routes/system.ts';
import { userHandlers } from './routes/user.ts';
import { userSessionsHandlers } from './routes/user-sessions.ts';
import type { HttpServices } from './services.ts';

export type { HttpServices } from './services.ts';

/** A front end that serves. */
export interface HttpServer {
  /** `http://HOST:PORT/` (or https), with the host as configured; IPv6 addresses in brackets (RFC 3986 §3.2.2). */
  readonly url: string;
  /** The TCP port that is listened on. */
  readonly port: number;
  /** Connections that are open. */
  connections(): number;
  /** Stops listening and closes every connection; resolves when nothing is open any more. */
  close(): Promise<void>;
}

/** For the tests of the front end itself. */
export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** In place of `http.requestTimeoutSeconds`. */
  readonly deadlineMs?: number;
  /** In place of the limit of bodies that their handler reads itself. */
  readonly bodyStreamMs?: number;
  /** In place of the one made from the configuration. */
  readonly gate?: Pick<Gate, 'check' | 'preflight' | 'replyHeaders'>;
  /** In place of the limits of downloads. */
  readonly downloads?: Omit<DownloadsOptions, 'clock'>;
  /** In place of the one of the package. */
  readonly document?: ApiDocument;
  /** In place of the page of the package. */
  readonly pageFolder?: string | undefined;
}

/**
 * Starts the front end. Rejects with CameraError `listen-failed`; `config-invalid` or `state-failed` when there is no
 * certificate to use; `internal` when files of the package are missing.
 */
export async function startHttpServer(
  options: HttpServerOptions,
  services: HttpServices,
): Promise<HttpServer> {
  const { clock, logger, http, accounts } = services;
  const document = options.document ?? loadApiDocument();
  const routes: Route[] = [
    ...operationRoutes(document, handlersOf(services, document)),
    ...docsRoutes(clock),
    ...pageRoutes(await loadPageAssets(options.pageFolder)),
  ];
  const frontEnd = await FrontEnd.open({ ...services, host: options.host, port: options.port });
  const downloads = new Downloads({ clock, ...options.downloads });
  const eventStreams = new EventStreams();
  accounts.onSessionsEnded(sids => {
    downloads.sessionsEnded(sids);
    eventStreams.sessionsEnded(sids);
  });
  const dispatcher = new Dispatcher({
    router: new Router(routes),
    gate: options.gate ?? frontEnd.gate,
    accounts,
    schemas: new SchemaSet(document.content),
    replyCheck: http.validateReplies ? new ReplyCheck(document) : undefined,
    openOperations: new Set<OperationId>(http.openMetrics ? ['getMetrics'] : []),
    downloads,
    eventStreams,
    logger,
    clock,
    deadlineMs: options.deadlineMs ?? http.requestTimeoutSeconds * 1000,
    bodyStreamMs: options.bodyStreamMs ?? bodyStreamTimeoutMs,
  });
  const serving = frontEnd.listen(exchange => dispatcher.dispatch(exchange));
  const host = options.host.includes(':') ? `[${options.host.replace('%', '%25')}]` : options.host;
  return {
    url: `${frontEnd.scheme}://${host}:${serving.port}/`,
    port: serving.port,
    connections: () => frontEnd.connections.open,
    async close() {
      eventStreams.close();
      serving.close();
      // The sockets are closed by the library at the end of the current turn of the event loop.
      await new Promise<void>(resolve => setImmediate(resolve));
      await downloads.close();
    },
  };
}

function handlersOf(services: HttpServices, document: ApiDocument): Handlers {
  return {
    ...deviceHandlers(services),
    ...setupHandlers(services),
    ...userHandlers(services),
    ...userSessionsHandlers(services),
    ...liveConfigHandlers(services),
    ...liveSessionHandlers(services),
    ...clipHandlers(services),
    ...recordingsHandlers(services),
    ...systemHandlers(services),
    ...logsHandlers(services),
    ...firmwareHandlers(services),
    ...openApiHandlers(document),
    ...healthHandlers(services),
    ...metricsHandlers(services),
  };
}

/** Throws CameraError `internal` unless every operation has a handler and every handler an operation. */
function operationRoutes(document: ApiDocument, handlers: Handlers): Route[] {
  const operations = operationsOf(document);
  const described = operations.map(({ id }) => id).sort();
  const handled = Object.keys(handlers).sort();
  if (described.join() !== handled.join())
    throw new CameraError('internal', 'assets/openapi.json describes other operations than there are', {
      described: described.join(' '),
      handled: handled.join(' '),
    });
  return operations.map(operation => ({
    method: operation.method,
    path: operation.path,
    operation,
    handle: handlers[operation.id],
  }));
}
