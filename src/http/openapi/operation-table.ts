/**
 * The operations of the OpenAPI document, in the form that the dispatcher uses: one row for each. Pure.
 */
import { CameraError } from '../../base/errors.ts';
import type { Access, OperationId } from '../operations.ts';
import {
  type ApiDocument,
  type Header,
  type OpenApi,
  type OperationObject,
  type Parameter,
  pointerTo,
  type Response,
  resolve,
} from './document.ts';

/** A parameter and the JSON Pointer of its schema in the document. */
export interface OperationParameter {
  readonly name: string;
  readonly in: Parameter['in'];
  readonly isRequired: boolean;
  readonly type: 'string' | 'integer' | 'number' | 'boolean';
  readonly schema: string;
}

/** The body that an operation takes. */
export interface OperationBody {
  /** In lower case, without parameters. */
  readonly mediaTypes: readonly string[];
  /** Undefined where the handler reads the body itself. */
  readonly bytesMax: number | undefined;
  /** JSON Pointer of the schema of a JSON body. */
  readonly schema: string | undefined;
}

/** One documented status of an operation. */
export interface OperationResponse {
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, { readonly isRequired: boolean; readonly schema: string }>;
  /** By media type; undefined for content without a schema. Empty: no content. */
  readonly content: ReadonlyMap<string, string | undefined>;
}

export interface Operation {
  readonly id: OperationId;
  /** In upper case. */
  readonly method: string;
  /** Path template, as `/api/v1/media/live/session/{id}`. */
  readonly path: string;
  readonly access: Access;
  readonly parameters: readonly OperationParameter[];
  readonly body: OperationBody | undefined;
  readonly responses: ReadonlyMap<number, OperationResponse>;
}

/** All operations of the document, in its order. */
export function operationsOf({ content }: ApiDocument): readonly Operation[] {
  return Object.entries(content.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) =>
      operationOf(content, method, path, operation, pointerTo('/paths', path, method)),
    ),
  );
}

function operationOf(
  document: OpenApi,
  method: string,
  path: string,
  operation: OperationObject,
  pointer: string,
): Operation {
  const body = operation.requestBody;
  return {
    id: operation.operationId as OperationId,
    method: method.toUpperCase(),
    path,
    access: accessOf(operation),
    parameters: (operation.parameters ?? []).map((parameter, index) => ({
      name: parameter.name,
      in: parameter.in,
      isRequired: parameter.required === true,
      type: typeOf(parameter),
      schema: pointerTo(pointer, 'parameters', index, 'schema'),
    })),
    body: body && {
      mediaTypes: Object.keys(body.content),
      bytesMax: body['x-body-bytes-max'],
      schema: body.content['application/json']
        ? pointerTo(pointer, 'requestBody', 'content', 'application/json', 'schema')
        : undefined,
    },
    responses: new Map(
      Object.entries(operation.responses).map(([status, response]) => {
        const found = resolve<Response>(document, response, pointerTo(pointer, 'responses', status));
        return [Number(status), responseOf(document, found.value, found.pointer)];
      }),
    ),
  };
}

function accessOf({ security }: OperationObject): Access {
  const schemes = new Set(security.flatMap(requirement => Object.keys(requirement)));
  if (schemes.size === 0) return 'open';
  if (schemes.has('basic')) return 'basic';
  if (schemes.has('setupToken')) return 'setup';
  return schemes.has('link') ? 'session-or-link' : 'session';
}

function typeOf({ name, schema }: Parameter): OperationParameter['type'] {
  const { type } = schema;
  if (type === 'string' || type === 'integer' || type === 'number' || type === 'boolean') return type;
  throw new CameraError('internal', 'a parameter of the API document has no simple type', { name });
}

function responseOf(document: OpenApi, response: Response, pointer: string): OperationResponse {
  return {
    headers: new Map(
      Object.entries(response.headers ?? {}).map(([name, header]) => {
        const found = resolve<Header>(document, header, pointerTo(pointer, 'headers', name));
        const schema = pointerTo(found.pointer, 'schema');
        return [name.toLowerCase(), { isRequired: found.value.required === true, schema }];
      }),
    ),
    content: new Map(
      Object.entries(response.content ?? {}).map(([type, { schema }]) => [
        type,
        schema && pointerTo(pointer, 'content', type, 'schema'),
      ]),
    ),
  };
}
