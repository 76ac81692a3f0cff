/**
 * Every key of the configuration as an option: its path, its flag and its environment variable, made from the schema.
 *
 * `live.maxViewers` is `--live-max-viewers` and `OPENCAMERAD_LIVE_MAX_VIEWERS`. Text becomes a value by strict rules of
 * our own here (no blanks, no hexadecimal, no "yes"), so that a slip is an error and not another number. Pure.
 */
import { configurationSchema } from './schema.ts';
import type { GroupSchema, ValueSchema } from './value-schema.ts';

/** What every environment variable of the daemon begins with. */
export const environmentPrefix = 'OPENCAMERAD_';

/** One key of the configuration. */
export interface Option {
  /** Path in the file, as `live.maxViewers`. */
  readonly key: string;
  readonly path: readonly string[];
  /** As `--live-max-viewers`. */
  readonly flag: string;
  /** As `OPENCAMERAD_LIVE_MAX_VIEWERS`. */
  readonly variable: string;
  readonly schema: ValueSchema;
  /** The group's description, for `--help`. */
  readonly group: string;
}

/** All options in the schema's order. */
export const options: readonly Option[] = optionsOf(configurationSchema, []);

function optionsOf(group: GroupSchema, path: readonly string[]): Option[] {
  return Object.entries(group.properties).flatMap(([name, schema]) => {
    const here = [...path, name];
    if (schema.type === 'object') return optionsOf(schema, here);
    const words = here.map(kebab).join('-');
    return [
      {
        key: here.join('.'),
        path: here,
        flag: `--${words}`,
        variable: environmentPrefix + words.replaceAll('-', '_').toUpperCase(),
        schema,
        group: group.description,
      },
    ];
  });
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

/** A value of an option. */
export type OptionValue = string | number | boolean | readonly string[];

/** The value of an option in a configuration, or in a part of one. */
export function optionValue(configuration: object, option: Option): unknown {
  return option.path.reduce<unknown>(
    (value, name) => (value as Record<string, unknown> | undefined)?.[name],
    configuration,
  );
}

/** The value that the text stands for, or undefined when it stands for none of the option's type. */
export function valueOfText(schema: ValueSchema, text: string): OptionValue | undefined {
  switch (schema.type) {
    case 'string':
      return text;
    case 'integer':
      return /^-?(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : undefined;
    case 'number':
      return /^-?(0|[1-9]\d{0,14})(\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'array':
      return text === '' ? [] : text.split(',');
  }
}

/** What is expected of an option, to follow the words "expected …". */
export function expectationOf(schema: ValueSchema): string {
  if (schema.enum) return `one of ${schema.enum.join(', ')}`;
  const { minimum, maximum, multipleOf, maxLength } = schema;
  switch (schema.type) {
    case 'boolean':
      return 'true or false';
    case 'array':
      return `${schema.maxItems === undefined ? '' : `at most ${schema.maxItems} `}${schema.title ?? 'texts'}`;
    case 'string':
      return (
        (schema.title ?? 'a text') + (maxLength === undefined ? '' : ` of at most ${maxLength} characters`)
      );
    default: {
      const kind = schema.type === 'integer' ? 'a whole number' : 'a number';
      const range = minimum === undefined || maximum === undefined ? '' : ` from ${minimum} to ${maximum}`;
      return kind + range + (multipleOf === undefined ? '' : `, a multiple of ${multipleOf}`);
    }
  }
}

/** A value for people: as JSON, short, without the credentials that a URL in it may carry. */
export function shownValue(value: unknown): string {
  const text = redact(JSON.stringify(value) ?? String(value));
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/**
 * Takes user name and password out of every URL in the text, as camera commands often hold them. Everything up to the
 * last @ of a word goes, since a password may hold any character: hiding too much is the right mistake here.
 */
export function redact(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s"']+@/gi, '$1***@');
}
