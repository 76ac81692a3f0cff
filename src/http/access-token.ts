/**
 * Who may call the API: the holder of the access token, sent as `x-token` or as `Authorization: Bearer` (RFC 6750 §2.1).
 *
 * Until accounts are built there is one token, the camera's setup token. It is compared by digest, in constant time, so
 * that neither its bytes nor its length can be felt out. The token in a URL is never accepted: URLs end up in logs.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { HeaderFields } from './header-fields.ts';

const bearerForm = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** Says whether a request carries the valid token; `x-token` decides alone where it is there. */
export type TokenCheck = (headers: HeaderFields) => boolean;

/** @param token the one valid token; an empty one opens nothing. */
export function createTokenCheck(token: string): TokenCheck {
  const valid = digest(token);
  return headers => {
    const given =
      headers.single('x-token') ?? bearerForm.exec(headers.single('authorization') ?? '')?.[1] ?? '';
    return timingSafeEqual(digest(given), valid) && token !== '';
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
