/**
 * `GET /metrics`: counters and histograms in Prometheus' text format 0.0.4, for the holder of a token, or for everybody
 * with `http.openMetrics`.
 */
import type { Handlers } from '../operations.ts';
import type { HttpServices } from '../services.ts';

/** The scrape target. */
export function metricsHandlers(services: Pick<HttpServices, 'metrics'>): Pick<Handlers, 'getMetrics'> {
  return {
    getMetrics: () => ({
      status: 200,
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      body: services.metrics(),
    }),
  };
}
