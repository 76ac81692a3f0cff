/**
 * JSON bodies (RFC 8259): media type, UTF-8, syntax, no member twice. What a body must be beyond that, the schema of its
 * operation says (openapi/schemas.ts). What the client sent is never echoed. Pure.
 */
import { duplicateMember } from './duplicate-members.ts';
import type { HeaderFields } from './header-fields.ts';
import { RequestFault } from './problems.ts';

const jsonForm = /^application\/json[ \t]*(?:;[ \t]*charset=(?:"utf-8"|utf-8)[ \t]*)?$/i;
const multipartForm = /^multipart\/form-data[ \t]*;/i;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws 415 unless the body is declared as one of the types, JSON in UTF-8. Worth asking before a body is read. */
export function checkMediaType(headers: HeaderFields, mediaTypes: readonly string[]): void {
  const declared = headers.single('content-type') ?? '';
  const isTaken = mediaTypes.some(type =>
    type === 'application/json'
      ? jsonForm.test(declared)
      : type === 'multipart/form-data' && multipartForm.test(declared),
  );
  if (!isTaken) throw new RequestFault('media-type-unsupported', { expected: mediaTypes.join(', ') });
}

/** The value of a body. @throws RequestFault `body-invalid`. */
export function parseJsonBody(body: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw new RequestFault('body-invalid', { rule: 'utf-8', expected: 'UTF-8 text' });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RequestFault('body-invalid', { rule: 'json', expected: 'one JSON value' });
  }
  // JSON.parse takes the last of two equal names, others the first: two readers would see two documents (§4).
  const fault = duplicateMember(text);
  if (fault !== undefined) throw new RequestFault('body-invalid', fault);
  return value;
}
