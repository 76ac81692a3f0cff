/**
 * The schemas of the API document as validators (ajv, JSON Schema 2020-12): strict, and nothing is coerced or dropped.
 *
 * A validator is compiled when it is first used, since compiling all of them would cost a small board's start more than
 * the few that a camera's day needs. `closed` is for answers: there a member that the document does not describe is a
 * fault, while clients must live with members that later versions add. Main thread.
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { OpenApi, Schema } from './document.ts';
import { formats } from './formats.ts';

/** What is wrong with a value. */
export interface SchemaFault {
  /** JSON Pointer into the value; names in it may come from the client. */
  readonly pointer: string;
  /** The keyword that it breaks. */
  readonly rule: string;
  /** What the keyword asks for, in words; nothing of the value. */
  readonly expected: string;
}

const documentKey = 'openapi.json';

/** The validators of one document. */
export class SchemaSet {
  private readonly document: OpenApi;
  private readonly isClosed: boolean;
  private readonly compiled = new Map<string, ValidateFunction>();
  private ajv: Ajv2020 | undefined;

  constructor(document: OpenApi, options: { readonly closed?: boolean } = {}) {
    this.document = document;
    this.isClosed = options.closed === true;
  }

  /** Checks a value against the schema at a JSON Pointer of the document; undefined when it is as described. */
  check(pointer: string, value: unknown): SchemaFault | undefined {
    const validate = this.compiled.get(pointer) ?? this.compile(pointer);
    if (validate(value)) return undefined;
    const [error] = validate.errors ?? [];
    const rule = error?.keyword ?? 'schema';
    const isUnknownMember = rule === 'additionalProperties';
    return {
      pointer: error?.instancePath ?? '',
      rule,
      expected: isUnknownMember ? 'no other members' : (error?.message ?? ''),
    };
  }

  private compile(pointer: string): ValidateFunction {
    this.ajv ??= this.start();
    const fragment = pointer.split('/').map(encodeURIComponent).join('/');
    const validate = this.ajv.compile({ $ref: `${documentKey}#${fragment}` });
    this.compiled.set(pointer, validate);
    return validate;
  }

  private start(): Ajv2020 {
    const ajv = new Ajv2020({
      strict: true,
      allowUnionTypes: true,
      addUsedSchema: false,
      formats: { ...formats },
    });
    const schema = this.isClosed ? closed(this.document) : this.document;
    // The document around the schemas is no schema itself: its members are no unknown keywords, and it is not validated.
    ajv.addVocabulary(Object.keys(this.document));
    ajv.addSchema(schema as unknown as Schema, documentKey, undefined, false);
    return ajv;
  }
}

/** A copy in which objects have no other members than those described, unless their schema speaks of others itself. */
function closed<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(closed) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) copy[key] = closed(member);
  const { type, properties, additionalProperties } = copy;
  if (type === 'object' && typeof properties === 'object' && additionalProperties === undefined)
    copy.additionalProperties = false;
  return copy as Value;
}
