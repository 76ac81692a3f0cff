/**
 * The OpenAPI 3.1 document of the API (assets/openapi.json) in memory: the one source of routes, schemas and types.
 *
 * Only what of the format we use is typed here. The document is part of the program and tested with it, so a form that
 * the code does not know is an error at start and not a case to live with. Main thread.
 */
import { readFileSync } from 'node:fs';
import { CameraError } from '../../base/errors.ts';
import { entityTag } from '../entity-tag.ts';
import { findPackageFile } from '../package-file.ts';

/** A JSON Schema of draft 2020-12. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly [keyword: string]: unknown;
}

interface Reference {
  readonly $ref: string;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

export interface MediaType {
  readonly schema?: Schema;
}

export interface Header {
  readonly required?: boolean;
  readonly schema: Schema;
}

export interface Response {
  readonly headers?: Readonly<Record<string, Header | Reference>>;
  readonly content?: Readonly<Record<string, MediaType>>;
}

/** An operation object. */
export interface OperationObject {
  readonly operationId: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, MediaType>>;
    /** Longest body that is read, in bytes; without it the handler reads the body itself. */
    readonly 'x-body-bytes-max'?: number;
  };
  readonly responses: Readonly<Record<string, Response | Reference>>;
}

/** The document as an object. */
export interface OpenApi {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** The document and how it is served. */
export interface ApiDocument {
  readonly content: OpenApi;
  /** The text of the file. */
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/** Reads the document. @throws CameraError `internal` when it is missing from the package. */
export function loadApiDocument(): ApiDocument {
  const file = findPackageFile('assets/openapi.json');
  if (file === undefined)
    throw new CameraError('internal', 'assets/openapi.json is missing from the package');
  const bytes = readFileSync(file);
  return { content: JSON.parse(bytes.toString()) as OpenApi, bytes, etag: entityTag(bytes) };
}

/** What a reference points to, or the value itself, with the JSON Pointer (RFC 6901) of its place. */
export function resolve<Value extends object>(
  document: OpenApi,
  value: Value | Reference,
  pointer: string,
): { readonly value: Value; readonly pointer: string } {
  if (!('$ref' in value)) return { value, pointer };
  const target = (value as Reference).$ref.slice(1);
  let found: unknown = document;
  for (const name of target.split('/').slice(1))
    found = (found as Record<string, unknown>)[name.replaceAll('~1', '/').replaceAll('~0', '~')];
  if (typeof found !== 'object' || found === null)
    throw new CameraError('internal', 'a reference of the API document points nowhere', { target });
  return { value: found as Value, pointer: target };
}

/** A JSON Pointer one step further. */
export function pointerTo(pointer: string, ...names: readonly (string | number)[]): string {
  return names.reduce<string>(
    (text, name) => `${text}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`,
    pointer,
  );
}
