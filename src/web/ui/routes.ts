/**
 * Which view is shown stands in the fragment of the address (`#timeline/2026-11-23T12:00:00.000Z`), so that the browser's
 * buttons work and a view can be opened again; a fragment is never sent. Nothing secret is in it.
 */

export const viewNames = ['live', 'timeline', 'export', 'settings'] as const;

export type ViewName = (typeof viewNames)[number];

export interface Route {
  readonly view: ViewName;
  /** Moments of time that the address names, Unix ms. */
  readonly moments: readonly number[];
}

/** Reads a fragment; what it does not know is the live picture. */
export function parseRoute(fragment: string): Route {
  const [name, ...rest] = fragment.replace(/^#/, '').split('/');
  const view = viewNames.find(each => each === name) ?? 'live';
  const moments = rest.map(text => Date.parse(text)).filter(Number.isFinite);
  return { view, moments };
}

/** The fragment of a view. */
export function routeTo(view: ViewName, ...moments: readonly number[]): string {
  return [`#${view}`, ...moments.map(moment => new Date(moment).toISOString())].join('/');
}
