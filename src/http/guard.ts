/**
 * The guard before every route: what makes a request unfit to be looked at, and what every answer carries.
 *
 * The library's parser accepts forms by which two parties read different requests out of one stream (RFC 9112 §11.2):
 * two or empty Content-Length, anything in Transfer-Encoding. Its length check comes only after the handler, so the
 * length is checked here too. Such a request is refused, and its connection closed before what follows it is parsed.
 * Whether the camera is meant at all, and by whom, is the gate's to say (gate.ts). Pure.
 */
import type { HeaderFields } from './header-fields.ts';

/** Fields that decide something and so may come at most once. */
const onceOnly = [
  'host',
  'content-length',
  'content-type',
  'authorization',
  'x-token',
  'if-none-match',
  'origin',
];

/** Digits of a Content-Length; fifteen are exact as a number and above every limit. */
const contentLengthForm = /^[0-9]{1,15}$/;

/** Letters, digits and the punctuation of names, addresses, brackets and ports (RFC 3986 §3.2.2). */
const hostForm = /^[A-Za-z0-9._~%:[\]-]{1,262}$/;

/** Visible ASCII: everything else is percent-encoded in a path (RFC 3986 §3.3). */
const pathForm = /^\/[!-~]*$/;

/** Field names are tokens (RFC 9110 §5.6.2). */
const nameForm = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const controlCharacter = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/**
 * What is wrong with a request's header, in words for the log; undefined when nothing is.
 * A request with a fault must not reach a route, and its connection must be closed.
 */
export function requestFault(path: string, headers: HeaderFields): string | undefined {
  for (const [name, value] of headers)
    if (!nameForm.test(name) || controlCharacter.test(value)) return 'a header field breaks the syntax';
  for (const name of onceOnly) if (headers.count(name) > 1) return `more than one ${name}`;
  if (headers.count('transfer-encoding') > 0) return 'a transfer-encoding';
  const length = headers.single('content-length');
  if (length !== undefined && !contentLengthForm.test(length)) return 'an invalid content-length';
  const host = headers.single('host');
  if (host === undefined || !hostForm.test(host)) return 'a missing or invalid host';
  if (!pathForm.test(path)) return 'a target that is not a path';
  return undefined;
}

/** The declared length of the body in bytes; 0 when none is declared. Only for requests without a fault. */
export function declaredBodyBytes(headers: HeaderFields): number {
  return Number(headers.single('content-length') ?? 0);
}

/**
 * The header fields that every answer has unless the reply brings its own: nothing may be cached, guessed, framed or
 * run. The page brings its own policy for its scripts.
 */
export const commonHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), display-capture=(), usb=()',
};

/**
 * The header fields of an answer: the common ones, the gate's, the reply's own, each over the one before; only `vary` is
 * the sum of all.
 */
export function answerHeaders(
  reply: Readonly<Record<string, string>>,
  gate: Readonly<Record<string, string>>,
  requestId: string,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = { ...commonHeaders, ...gate, ...reply, 'x-request-id': requestId };
  if (gate.vary !== undefined && reply.vary !== undefined) headers.vary = `${gate.vary}, ${reply.vary}`;
  return headers;
}
