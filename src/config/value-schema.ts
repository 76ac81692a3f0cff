/**
 * The vocabulary of the configuration's schema: the part of JSON Schema (2020-12) that is used. Pure types.
 */

/** A schema of one value. */
export interface ValueSchema {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'array';
  readonly description: string;
  readonly default: string | number | boolean | readonly string[];
  /** What is expected, in words, where type and range do not say it. */
  readonly title?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly enum?: readonly (string | number)[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: string;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly items?: { readonly type: 'string'; readonly format?: string };
}

/** A group of values, or the whole. */
export interface GroupSchema {
  readonly type: 'object';
  readonly description: string;
  readonly default?: Readonly<Record<string, never>>;
  readonly additionalProperties: false;
  readonly properties: Readonly<Record<string, ValueSchema | GroupSchema>>;
}
