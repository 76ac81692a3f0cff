/**
 * The HTTP front end: listens, and gives every route what it needs.
 *
 * A route is a small file under routes/; to add one, write it and put it in the list here. The guard, the token, the
 * limits and the problem documents are the same for all (dispatcher.ts). Main thread; nothing here blocks it.
 */
import { createTokenCheck } from './access-token.ts';
import { Dispatcher } from './dispatcher.ts';
import { loadPageAssets } from './page-assets.ts';
import { type Route, Router } from './router.ts';
import { deviceRoute } from './routes/device.ts';
import { healthRoute } from './routes/health.ts';
import { liveSessionRoutes } from './routes/live-session.ts';
import { metricsRoute } from './routes/metrics.ts';
import { pageRoutes } from './routes/page.ts';
import { systemRoute } from './routes/system.ts';
import type { HttpServices } from './services.ts';
import { listen } from './uws.ts';

export type { HttpServices } from './services.ts';

/** A front end that serves. */
export interface HttpServer {
  /** `http://HOST:PORT/`, with the host as configured; IPv6 addresses in brackets (RFC 3986 §3.2.2). */
  readonly url: string;
  /** The TCP port that is listened on. */
  readonly port: number;
  /** Stops listening and closes every connection; resolves when nothing is open any more. */
  close(): Promise<void>;
}

/**
 * Starts the front end. Rejects with CameraError `listen-failed`, or `internal` when the page's files are missing.
 *
 * @param options port 0 takes a free one; `deadlineMs` is for tests.
 */
export async function startHttpServer(
  options: { readonly host: string; readonly port: number; readonly deadlineMs?: number },
  services: HttpServices,
): Promise<HttpServer> {
  const assets = await loadPageAssets();
  const routes: Route[] = [
    deviceRoute(services),
    systemRoute(services),
    ...liveSessionRoutes(services),
    healthRoute(services),
    metricsRoute(services),
    ...pageRoutes(assets),
  ];
  const dispatcher = new Dispatcher({
    router: new Router(routes),
    isAllowed: createTokenCheck(services.token),
    logger: services.logger,
    clock: services.clock,
    ...(options.deadlineMs === undefined ? {} : { deadlineMs: options.deadlineMs }),
  });
  const listener = listen(options, exchange => dispatcher.dispatch(exchange));
  const host = options.host.includes(':') ? `[${options.host.replace('%', '%25')}]` : options.host;
  return {
    url: `http://${host}:${listener.port}/`,
    port: listener.port,
    async close() {
      listener.close();
      // The sockets are closed by the library at the end of the current turn of the event loop.
      await new Promise<void>(resolve => setImmediate(resolve));
    },
  };
}
