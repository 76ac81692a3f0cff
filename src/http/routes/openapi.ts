/**
 * `GET /api/v1/openapi.json`: the document that the camera itself validates by, to the byte. A client that has it asks
 * whether it is still right and gets 304 (RFC 9110 §13.1.2).
 */
import { isCurrent } from '../entity-tag.ts';
import type { ApiDocument } from '../openapi/document.ts';
import type { Handlers } from '../operations.ts';

/** The description of the API. */
export function openApiHandlers(document: ApiDocument): Pick<Handlers, 'getOpenApi'> {
  return {
    getOpenApi({ headers }) {
      const fields = { etag: document.etag, 'cache-control': 'no-cache' };
      if (isCurrent(headers.single('if-none-match'), document.etag))
        return { status: 304, headers: fields, body: '' };
      return {
        status: 200,
        headers: { ...fields, 'content-type': 'application/json; charset=utf-8' },
        body: document.bytes,
      };
    },
  };
}
