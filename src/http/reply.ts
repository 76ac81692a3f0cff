/**
 * What a handler answers with: status, header fields and a body, as plain values.
 *
 * Nearly every body is short and one piece in memory. What is long is streamed: its length is known, its bytes are asked
 * for piece by piece while they are sent (downloads.ts). What has no end is a stream of events (event-streams.ts). Pure.
 */

/** Status and header fields; names in lower case, without Content-Length and Date, which the server writes. */
export interface ReplyHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer with a whole body. */
export interface Reply extends ReplyHead {
  readonly body: string | Uint8Array;
}

/** An answer with a body that is made while it is sent. */
export interface StreamedReply extends ReplyHead {
  /** Of the body, at least 1. */
  readonly lengthBytes: number;
  readonly stream: BodySource;
}

/** An answer that goes on: server-sent events (WHATWG HTML §9.2), as they come. */
export interface EventsReply extends ReplyHead {
  /**
   * Begins: calls the listener with the data of one event at once, and of the next whenever there is one. Text of one line.
   * Returns what ends it; throws when it cannot begin.
   */
  subscribe(listener: (data: string) => void): () => void;
}

export type AnyReply = Reply | StreamedReply | EventsReply;

/** Where a streamed body comes from. It takes nothing that must be given back before its first read. */
export interface BodySource {
  /**
   * Writes the bytes of the body from an offset on into a buffer, from its beginning; the same bytes whenever it is asked.
   * One call at a time. Resolves to how many, at least 1; rejects when they cannot be had.
   */
  read(into: Uint8Array, offset: number): Promise<number>;
  /** Nothing is read any more. Called once after the last read has ended; not at all if there was none. */
  close(): void;
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
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  507: 'Insufficient Storage',
};
