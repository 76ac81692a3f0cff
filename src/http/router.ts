/**
 * The table of routes: method and path template to what serves it. Pure.
 *
 * Templates are paths with `{name}` segments. Paths are compared as sent: nothing is decoded, folded or normalised, so
 * that a path means the same to whoever else looks at it. HEAD is served by every GET route.
 */
import type { HeaderFields } from './header-fields.ts';
import type { Operation } from './openapi/operation-table.ts';
import type { AnyReply } from './reply.ts';

/** An operation of the API and its handler; what the handler takes is certain where the two were put together. */
export interface OperationRoute {
  readonly method: string;
  /** As `/api/v1/media/live/session/{id}`. */
  readonly path: string;
  readonly operation: Operation;
  /** Answers a `Call` of operations.ts; what it throws becomes a problem document. */
  handle(call: never): AnyReply | Promise<AnyReply>;
}

/** A file of the pages: no operation of the API; open to everybody, without a body, whatever its query. */
export interface FileRoute {
  readonly method: 'GET';
  readonly path: string;
  readonly operation?: undefined;
  handle(request: { readonly headers: HeaderFields }): AnyReply | Promise<AnyReply>;
}

export type Route = OperationRoute | FileRoute;

/** The outcome of {@link Router.match}. */
export type RouteMatch =
  | { readonly route: Route; readonly segments: Readonly<Record<string, string>> }
  | { readonly allow: string }
  | undefined;

interface Place {
  readonly template: readonly string[];
  readonly routes: Map<string, Route>;
}

/** Finds routes; immutable after construction. */
export class Router {
  private readonly places: Place[] = [];

  constructor(routes: readonly Route[]) {
    const byPath = new Map<string, Place>();
    for (const route of routes) {
      let place = byPath.get(route.path);
      if (!place) {
        place = { template: route.path.split('/'), routes: new Map() };
        byPath.set(route.path, place);
        this.places.push(place);
      }
      place.routes.set(route.method, route);
    }
  }

  /**
   * The route of a request with the `{name}` segments as sent; or the methods that the path has instead; or undefined for
   * an unknown path.
   */
  match(method: string, path: string): RouteMatch {
    const given = path.split('/');
    for (const place of this.places) {
      const segments = matchSegments(place.template, given);
      if (!segments) continue;
      const route = place.routes.get(method === 'HEAD' ? 'GET' : method);
      return route ? { route, segments } : { allow: allowOf(place) };
    }
    return undefined;
  }
}

function matchSegments(
  template: readonly string[],
  given: readonly string[],
): Record<string, string> | undefined {
  if (template.length !== given.length) return undefined;
  const segments: Record<string, string> = Object.create(null);
  for (let i = 0; i < template.length; i++) {
    const expected = template[i]!;
    const segment = given[i]!;
    if (expected.startsWith('{')) {
      if (segment === '') return undefined;
      segments[expected.slice(1, -1)] = segment;
    } else if (expected !== segment) return undefined;
  }
  return segments;
}

function allowOf(place: Place): string {
  const methods = [...place.routes.keys()];
  if (place.routes.has('GET')) methods.push('HEAD');
  return methods.join(', ');
}
