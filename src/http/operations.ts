/**
 * The operations of the API as handlers see them: types by operationId, out of the OpenAPI document (openapi/api-types.ts
 * is generated from it). Pure types.
 *
 * To add an operation: describe it in assets/openapi.json, run scripts/generate-api-types.mjs, write its handler in a file
 * under routes/ and put that into the list in server.ts; without a handler it does not compile. What a handler gets has
 * passed the gate, authentication and the schemas of the document, in this order.
 */
import type { Caller } from '../auth/audit-log.ts';
import type { Session } from '../auth/session.ts';
import type { BodyStream } from './body-stream.ts';
import type { HeaderFields } from './header-fields.ts';
import type { access, operations } from './openapi/api-types.ts';
import type { AnyReply } from './reply.ts';

/** An operationId of the document. */
export type OperationId = keyof operations;

/**
 * Who may call an operation: everybody; whoever sends credentials by HTTP Basic, the setup token, a session's token, or
 * that or a signed link in the query. Basic, setup token and link are the handler's to judge.
 */
export type Access = access[OperationId];

type Of<Value, Key extends string> = Value extends { readonly [K in Key]?: infer Member }
  ? Exclude<Member, undefined>
  : never;

type OrNothing<Value> = [Value] extends [never] ? Readonly<Record<never, never>> : Value;

/** The `{name}` segments of the path, percent-decoded. */
export type PathParameters<Id extends OperationId> = OrNothing<Of<operations[Id]['parameters'], 'path'>>;

/** The parameters of the query, decoded; the signature of a link among them. */
export type QueryParameters<Id extends OperationId> = OrNothing<Of<operations[Id]['parameters'], 'query'>> &
  (access[Id] extends 'session-or-link' ? { readonly link?: string } : unknown);

/** The parsed JSON body, or a form as it comes; undefined where the operation takes none. */
export type RequestBody<Id extends OperationId> = operations[Id] extends {
  readonly requestBody: { readonly content: { readonly 'application/json': infer Body } };
}
  ? Body
  : operations[Id] extends {
        readonly requestBody: { readonly content: { readonly 'multipart/form-data': unknown } };
      }
    ? BodyStream
    : undefined;

/** The JSON that an operation answers with status 200, for `jsonReply`. */
export type AnswerOf<Id extends OperationId> = operations[Id] extends {
  readonly responses: { readonly 200: { readonly content: { readonly 'application/json': infer Body } } };
}
  ? Body
  : never;

type SessionOf<Kind> = Kind extends 'session'
  ? Session
  : Kind extends 'session-or-link'
    ? Session | undefined
    : undefined;

/** One request to an operation. */
export interface Call<Id extends OperationId> {
  /** Stands in the answer, in the problem document and in the log. */
  readonly requestId: string;
  readonly headers: HeaderFields;
  /** Whether the method is HEAD: the body of the answer is not sent. */
  readonly isHead: boolean;
  /** Address of the other end of the connection as text. */
  readonly remoteAddress: string;
  /** Address and request id, as the audit log wants them. */
  readonly caller: Caller;
  readonly parameters: PathParameters<Id>;
  readonly query: QueryParameters<Id>;
  readonly body: RequestBody<Id>;
  /** The token that was sent, whatever it is worth; see access-token.ts. */
  readonly token: string | undefined;
  /** Of the token, where the document demands one. */
  readonly session: SessionOf<access[Id]>;
  /** Whether nobody waits for the reply any more: the client left, or the deadline passed. */
  readonly abandoned: boolean;
}

/** Answers a call; what it throws becomes a problem document. */
export type Handler<Id extends OperationId> = (call: Call<Id>) => AnyReply | Promise<AnyReply>;

/** One handler for every operation of the document. */
export type Handlers = { readonly [Id in OperationId]: Handler<Id> };
