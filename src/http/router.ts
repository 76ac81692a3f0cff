/**
 * The table of routes: method and path template to handler. Pure.
 *
 * Templates are paths with `{name}` segments. Paths are compared as sent: nothing is decoded, folded or normalised, so
 * that a path means the same to whoever else looks at it. HEAD is served by every GET route.
 */
import type { HeaderFields } from './header-fields.ts';
import type { Reply } from './reply.ts';

/** What a handler sees of a request. */
export interface RouteRequest {
  readonly requestId: string;
  readonly headers: HeaderFields;
  /** The `{name}` segments of the path, as sent. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The whole body, owned by the handler; empty where the route takes none. */
  readonly body: Uint8Array;
  /** Whether nobody waits for the reply any more: the client left, or the deadline passed. */
  readonly abandoned: boolean;
}

/** One operation. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As `/api/v1/media/live/session/{id}`. */
  readonly path: string;
  /** `token`: only with a valid access token. `open`: for everybody. */
  readonly access: 'token' | 'open';
  /** Present where a body is taken. */
  readonly body?: {
    readonly bytesMax: number;
    /** Throws a RequestFault for a body that need not be read. */
    check(headers: HeaderFields): void;
  };
  /** Answers; what it throws becomes a problem document. */
  handle(request: RouteRequest): Reply | Promise<Reply>;
}

/** The outcome of {@link Router.match}. */
export type RouteMatch =
  | { readonly route: Route; readonly parameters: Readonly<Record<string, string>> }
  | { readonly allow: string }
  | undefined;

interface Place {
  readonly segments: readonly string[];
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
        place = { segments: route.path.split('/'), routes: new Map() };
        byPath.set(route.path, place);
        this.places.push(place);
      }
      place.routes.set(route.method, route);
    }
  }

  /** The route of a request; or the methods that the path has instead; or undefined for an unknown path. */
  match(method: string, path: string): RouteMatch {
    const segments = path.split('/');
    for (const place of this.places) {
      const parameters = matchSegments(place.segments, segments);
      if (!parameters) continue;
      const route = place.routes.get(method === 'HEAD' ? 'GET' : method);
      return route ? { route, parameters } : { allow: allowOf(place) };
    }
    return undefined;
  }
}

function matchSegments(
  template: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined {
  if (template.length !== segments.length) return undefined;
  const parameters: Record<string, string> = Object.create(null);
  for (let i = 0; i < template.length; i++) {
    const expected = template[i]!;
    const given = segments[i]!;
    if (expected.startsWith('{')) {
      if (given === '') return undefined;
      parameters[expected.slice(1, -1)] = given;
    } else if (expected !== given) return undefined;
  }
  return parameters;
}

function allowOf(place: Place): string {
  const methods = [...place.routes.keys()];
  if (place.routes.has('GET')) methods.push('HEAD');
  return methods.join(', ');
}
