/**
 * `GET /metrics`: counters and histograms in Prometheus' text format 0.0.4, for the holder of the token.
 */
import type { Route } from '../router.ts';
import type { HttpServices } from '../services.ts';

/** The scrape target. */
export function metricsRoute(services: Pick<HttpServices, 'metrics'>): Route {
  return {
    method: 'GET',
    path: '/metrics',
    access: 'token',
    handle: () => ({
      status: 200,
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      body: services.metrics(),
    }),
  };
}
