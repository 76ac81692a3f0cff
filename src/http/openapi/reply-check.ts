/**
 * Checks answers against the API document: status, content type, header fields, and the schema of the body, in which no
 * member may be that the document does not describe. On with `http.validateReplies`, and in all tests.
 *
 * What it finds is our own fault and never the client's, so it becomes an error in the log and a 500. Main thread.
 */
import type { AnyReply } from '../reply.ts';
import type { ApiDocument } from './document.ts';
import type { Operation, OperationResponse } from './operation-table.ts';
import { SchemaSet } from './schemas.ts';

/** The checker; one for a server. */
export class ReplyCheck {
  private readonly schemas: SchemaSet;

  constructor({ content }: ApiDocument) {
    this.schemas = new SchemaSet(content, { closed: true });
  }

  /**
   * How an answer breaks the document, in words for the log; undefined when it does not. An answer to no operation may
   * only be a problem document, or a file of the pages.
   */
  fault(operation: Operation | undefined, reply: AnyReply): string | undefined {
    try {
      return operation ? this.operationFault(operation, reply) : this.problemFault(reply);
    } catch (error) {
      return `the document cannot be used: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  private operationFault(operation: Operation, reply: AnyReply): string | undefined {
    const response = operation.responses.get(reply.status);
    if (!response) return `status ${reply.status} is not documented`;
    return this.headerFault(response, reply) ?? this.contentFault(response, reply);
  }

  private problemFault(reply: AnyReply): string | undefined {
    const { status, headers } = reply;
    // The one page that says in plain text why it is not there is a file, too.
    if (status < 400 || headers['content-type']?.startsWith('text/plain')) return undefined;
    if (headers['content-type'] !== 'application/problem+json') return 'an error that is no problem document';
    return this.bodyFault('/components/schemas/Problem', reply);
  }

  private headerFault(response: OperationResponse, { headers }: AnyReply): string | undefined {
    for (const [name, { isRequired, schema }] of response.headers) {
      const value = headers[name];
      if (value === undefined) {
        if (isRequired) return `the header field ${name} is missing`;
      } else {
        const fault = this.schemas.check(schema, value);
        if (fault) return `the header field ${name} ${fault.expected}`;
      }
    }
    return undefined;
  }

  private contentFault({ content }: OperationResponse, reply: AnyReply): string | undefined {
    const declared = reply.headers['content-type'];
    const isEmpty = 'body' in reply && reply.body.length === 0;
    if (content.size === 0)
      return !isEmpty || declared !== undefined ? 'content where none is documented' : undefined;
    const type = declared?.split(';')[0]?.trim() ?? '';
    if (!content.has(type)) return `content type '${type}' is not documented`;
    const schema = content.get(type);
    if (schema === undefined) return undefined;
    return type.endsWith('json') ? this.bodyFault(schema, reply) : undefined;
  }

  private bodyFault(schema: string, reply: AnyReply): string | undefined {
    if (!('body' in reply)) return 'JSON that is streamed';
    const { body } = reply;
    const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return 'the body is not JSON';
    }
    const fault = this.schemas.check(schema, value);
    return fault && `the body at '${fault.pointer}' breaks ${fault.rule}: ${fault.expected}`;
  }
}
