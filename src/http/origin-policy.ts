/**
 * Which pages of other origins may use the API from a browser (the Fetch standard's CORS protocol, RFC 6454), and which
 * requests a browser made on behalf of a page that may not.
 *
 * Nothing is granted unless the configuration lists the origin exactly as browsers serialise it; never `*`. A request
 * that changes something is refused when its Origin or Sec-Fetch-Site says that a foreign page caused it; without those
 * fields (curl, recorders) it passes, since then there is no browser whose user could be tricked. Pure.
 */
import type { HeaderFields } from './header-fields.ts';
import type { Reply } from './reply.ts';

/** Methods that change nothing (RFC 9110 §9.2.1). */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Changes something although it is a GET: the seed says so. */
const logOutPath = '/api/v1/user/logout';

/** What a page of a listed origin may read of an answer's header besides the fields that are always visible. */
const exposedFields =
  'x-request-id, retry-after, location, etag, accept-ranges, content-range, content-location, content-disposition';

const vary = { vary: 'Origin' } as const;

/** Decides by the header fields of a request. */
export class OriginPolicy {
  private readonly scheme: string;
  private readonly listed: ReadonlySet<string>;

  constructor(options: { readonly scheme: 'http' | 'https'; readonly origins: readonly string[] }) {
    this.scheme = options.scheme;
    this.listed = new Set(options.origins);
  }

  /** Whether the request may go on; the Host field must have been checked before. */
  allows(request: {
    readonly method: string;
    readonly path: string;
    readonly headers: HeaderFields;
  }): boolean {
    const { headers } = request;
    if (safeMethods.has(request.method) && request.path !== logOutPath) return true;
    if (this.listedOrigin(headers) !== undefined) return true;
    if (headers.count('origin') > 0 && !this.isOwnOrigin(headers)) return false;
    const sites = headers.all('sec-fetch-site');
    return sites.every(site => site === 'same-origin' || site === 'none');
  }

  /** What the answer carries for the browser; of every answer, since a cache may not mix them up. */
  replyHeaders(headers: HeaderFields): Readonly<Record<string, string>> {
    const origin = this.listedOrigin(headers);
    if (origin === undefined) return vary;
    return {
      ...vary,
      'access-control-allow-origin': origin,
      'access-control-expose-headers': exposedFields,
    };
  }

  /** The answer to a browser that asks beforehand for a page of a listed origin; undefined for all else. */
  preflight(method: string, headers: HeaderFields): Reply | undefined {
    if (method !== 'OPTIONS' || headers.count('access-control-request-method') === 0) return undefined;
    if (this.listedOrigin(headers) === undefined) return undefined;
    return {
      status: 204,
      headers: {
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE',
        'access-control-allow-headers':
          'x-token, authorization, content-type, range, if-range, if-match, if-none-match',
        'access-control-max-age': '600',
        vary: 'Access-Control-Request-Method, Access-Control-Request-Headers',
      },
      body: '',
    };
  }

  private listedOrigin(headers: HeaderFields): string | undefined {
    if (this.listed.size === 0) return undefined;
    const origin = headers.single('origin');
    return origin !== undefined && this.listed.has(origin) ? origin : undefined;
  }

  private isOwnOrigin(headers: HeaderFields): boolean {
    return headers.single('origin') === `${this.scheme}://${headers.single('host')}`;
  }
}
