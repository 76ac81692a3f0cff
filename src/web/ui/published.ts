/**
 * `window.__camera`: what the page shows, as plain values without any secret, for tests and measurements.
 */

declare global {
  interface Window {
    __camera: Readonly<Record<string, unknown>>;
  }
}

// Members may be getters: they are read anew each time that something is published.
let view: Readonly<Record<string, unknown>> = { state: 'starting' };
let detail: Readonly<Record<string, unknown>> = {};

/** Which view there is; forgets what the one before told. */
export function publishView(fields: Readonly<Record<string, unknown>>): void {
  view = fields;
  window.__camera = { ...view, ...detail };
}

/** What the view tells of itself; `{}` when it goes. */
export function publishDetail(fields: Readonly<Record<string, unknown>>): void {
  detail = fields;
  window.__camera = { ...view, ...detail };
}
