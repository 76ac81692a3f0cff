/**
 * What a handler answers with: status, header fields and a whole body, as plain values.
 *
 * Everything served so far is short, so a body is one piece in memory. Clips and firmware will bring bodies that are
 * streamed; they get a second kind of reply then. Pure.
 */

/** An answer; header names in lower case, without Content-Length and Date, which the server writes. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** A JSON answer (RFC 8259), status 200 unless told otherwise. */
export function jsonReply(
  value: unknown,
  options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): Reply {
  return {
    status: options.status ?? 200,
    headers: { 'content-type': 'application/json; charset=utf-8', ...options.headers },
    body: JSON.stringify(value),
  };
}

/** The reason phrases of the statuses that are sent (RFC 9110 §15, RFC 6585). */
export const reasonPhrases: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No Content',
  206: 'Partial Content',
  304: 'Not Modified',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};
