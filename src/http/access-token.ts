/**
 * The token that a request presents, as `x-token` or as `Authorization: Bearer` (RFC 6750 §2.1); what it is worth is the
 * accounts' to say. A token in the URL is never taken: URLs end up in logs. Pure.
 */
import { tokenLengthMax } from '../auth/tokens.ts';
import type { HeaderFields } from './header-fields.ts';

const bearerForm = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** The token as sent; `x-token` decides alone where it is there. Undefined when there is none, or one too long. */
export function presentedToken(headers: HeaderFields): string | undefined {
  const token = headers.single('x-token') ?? bearerForm.exec(headers.single('authorization') ?? '')?.[1];
  return token === undefined || token === '' || token.length > tokenLengthMax ? undefined : token;
}
