/**
 * JSON bodies (RFC 8259): media type, UTF-8, syntax, then the schema of the operation; nothing is coerced or dropped.
 *
 * A body is what its schema says, or the request is a fault: 415 for another media type, 400 for the rest, with the
 * place (a JSON Pointer, RFC 6901) and the rule that it breaks. What the client sent is never echoed.
 */
import { Ajv, type SchemaObject } from 'ajv';
import type { HeaderFields } from './header-fields.ts';
import { RequestFault } from './problems.ts';

const ajv = new Ajv({ strict: true, allErrors: false, coerceTypes: false, removeAdditional: false });

const mediaTypeForm = /^application\/json[ \t]*(?:;[ \t]*charset=(?:"utf-8"|utf-8)[ \t]*)?$/i;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Longest pointer in a fault's details; schemas are shallow, but a key comes from the client. */
const pointerCharactersMax = 100;

/** Takes a body to the value that the schema describes, or throws a {@link RequestFault}. */
export type JsonBodyReader<Value> = (headers: HeaderFields, body: Uint8Array) => Value;

/** @param schema describes exactly what `Value` is. */
export function jsonBodyReader<Value>(schema: SchemaObject): JsonBodyReader<Value> {
  const validate = ajv.compile<Value>(schema);
  return (headers, body) => {
    checkMediaType(headers);
    const value = parse(body);
    if (validate(value)) return value;
    const [error] = validate.errors ?? [];
    throw new RequestFault('body-invalid', {
      pointer: (error?.instancePath ?? '').slice(0, pointerCharactersMax),
      rule: error?.keyword ?? 'schema',
      expected: error?.keyword === 'additionalProperties' ? 'no other members' : (error?.message ?? ''),
    });
  };
}

/** Throws 415 unless the body is declared as JSON in UTF-8. Worth asking before a body is read. */
export function checkMediaType(headers: HeaderFields): void {
  if (!mediaTypeForm.test(headers.single('content-type') ?? ''))
    throw new RequestFault('media-type-unsupported');
}

function parse(body: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw new RequestFault('body-invalid', { rule: 'utf-8', expected: 'UTF-8 text' });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestFault('body-invalid', { rule: 'json', expected: 'one JSON value' });
  }
}
