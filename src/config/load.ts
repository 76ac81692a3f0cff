/**
 * Makes the configuration: defaults < file < environment < flags, each key from the strongest that names it.
 *
 * Every problem is found at once and told with the key, the place it came from, the value (credentials in URLs taken
 * out) and what is expected. The result is checked by the schema as a whole, defaults filled in by ajv from the same
 * schema. Main thread, once, at start; nobody else reads the environment. Values are never coerced by ajv: text from
 * the environment and the command line becomes a value by options.ts alone, and JSON types in the file must be right.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { isIP } from 'node:net';
import { Ajv, type ErrorObject } from 'ajv';
import { CameraError } from '../base/errors.ts';
import type { Configuration } from './configuration.ts';
import { factoryVersionVariable, slotVariable } from './launch-variables.ts';
import {
  environmentPrefix,
  expectationOf,
  type Option,
  type OptionValue,
  options,
  optionValue,
  shownValue,
  valueOfText,
} from './options.ts';
import { configurationSchema } from './schema.ts';
import { nearest } from './suggest.ts';
import { textMax } from './text-limits.ts';
import type { GroupSchema } from './value-schema.ts';

/** The largest configuration file that is read: a hundred times what every key together takes. */
export const fileBytesMax = 256 * 1024;

/** Most problems that are told; the rest is a number. */
const problemsMax = 20;

/** The environment variable that stands for `--config`. */
export const fileVariable = `${environmentPrefix}CONFIG`;

/** Names the native addon's file (src/native/addon.ts); for those who build it, so no key of the configuration. */
const addonVariable = `${environmentPrefix}ADDON`;

/** What {@link loadConfiguration} starts from. */
export interface ConfigurationInput {
  /** Texts of flags by option key, as the command line gave them. */
  readonly flags?: ReadonlyMap<string, string>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Path of the configuration file by `--config`; without it the environment's. */
  readonly file?: string | undefined;
}

export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** Where each key's value came from: `default`, `file PATH`, an environment variable's name or a flag. */
  readonly sources: ReadonlyMap<string, string>;
  /** Things that are probably slips, though not errors; to be logged. */
  readonly warnings: readonly string[];
}

/** A host name (RFC 1123 §2.1) or an IP address, and a port if it is another than the one listened on. */
const hostAndPortForm =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[1-9][0-9]{0,4})?$/;

type Tree = { [name: string]: Tree | unknown };

/**
 * Loads and checks the configuration.
 * @throws CameraError `config-invalid` whose message lists every problem, one a line.
 */
export function loadConfiguration(input: ConfigurationInput = {}): LoadedConfiguration {
  const environment = input.environment ?? {};
  const tree: Tree = {};
  const sources = new Map<string, string>();
  const problems: string[] = [];
  const set = (option: Option, value: unknown, source: string): void => {
    let group = tree;
    for (const name of option.path.slice(0, -1)) {
      group[name] ??= {};
      group = group[name] as Tree;
    }
    group[option.path.at(-1)!] = value;
    sources.set(option.key, source);
  };
  const setText = (option: Option, text: string, source: string): void => {
    const value: OptionValue | undefined = valueOfText(option.schema, text);
    if (value === undefined) problems.push(problem(option, source, text));
    else set(option, value, source);
  };

  const file = input.file ?? environment[fileVariable];
  if (file !== undefined)
    readTree(configurationSchema, readFile(file), '', problems, (option, value) => {
      set(option, value, `file ${file}`);
    });
  for (const option of options) {
    const text = environment[option.variable];
    if (text !== undefined) setText(option, text, option.variable);
  }
  for (const option of options) {
    const text = input.flags?.get(option.key);
    if (text !== undefined) setText(option, text, option.flag);
  }

  for (const error of validate(tree)) {
    const option = options.find(
      ({ path }) =>
        error.instancePath
          .split('/')
          .slice(1, path.length + 1)
          .join('.') === path.join('.'),
    );
    const text = option
      ? problem(option, sources.get(option.key) ?? 'default', optionValue(tree, option))
      : `${error.instancePath.slice(1).replaceAll('/', '.')}: ${error.message}`;
    if (!problems.includes(text)) problems.push(text);
  }
  const { https } = tree as { https?: { certificate?: unknown; key?: unknown } };
  if ((https?.certificate === '') !== (https?.key === ''))
    problems.push('https.certificate and https.key go together: set both or none');
  const { firmware } = tree as { firmware?: { backEnd?: unknown; command?: unknown } };
  if ((firmware?.backEnd === 'command') !== (firmware?.command !== ''))
    problems.push('firmware.command belongs to firmware.backEnd command: set both or none');
  if (problems.length > 0) throw new CameraError('config-invalid', list(problems));
  for (const option of options) if (!sources.has(option.key)) sources.set(option.key, 'default');
  return {
    configuration: tree as unknown as Configuration,
    sources,
    warnings: strangeVariables(environment),
  };
}

function problem(option: Option, source: string, value: unknown): string {
  return `${option.key} (${source}): ${shownValue(value)} cannot be used, expected ${expectationOf(option.schema)}`;
}

function list(problems: readonly string[]): string {
  const shown = problems.slice(0, problemsMax);
  if (problems.length > problemsMax) shown.push(`… and ${problems.length - problemsMax} more`);
  return shown.join('\n');
}

/** Fills in the defaults and checks the whole. */
function validate(tree: Tree): readonly ErrorObject[] {
  const ajv = new Ajv({ allErrors: true, useDefaults: true, strict: true });
  ajv.addFormat('ip-address', text => isIP(text) !== 0);
  ajv.addFormat('host-and-port', hostAndPortForm);
  ajv.addFormat('path', text => text !== '' && text.length <= textMax && !text.includes('\0'));
  ajv.addFormat('origin', text => text !== 'null' && URL.canParse(text) && new URL(text).origin === text);
  const check = ajv.compile(configurationSchema);
  return check(tree) ? [] : (check.errors ?? []);
}

/** Reads the file's JSON. Throws `config-invalid` when there is no reading it. */
function readFile(file: string): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readBounded(file));
  } catch (cause) {
    throw new CameraError(
      'config-invalid',
      `the configuration file ${file} cannot be read: ${messageOf(cause)}`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CameraError(
      'config-invalid',
      `the configuration file ${file} is not JSON: ${messageOf(cause)}`,
    );
  }
}

/** Reads with a bound instead of asking for the size first: the path may name a pipe or an endless device. */
function readBounded(file: string): Uint8Array {
  const bytes = new Uint8Array(fileBytesMax + 1);
  let length = 0;
  const descriptor = openSync(file, 'r');
  try {
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
  } finally {
    closeSync(descriptor);
  }
  if (length > fileBytesMax) throw new Error(`it is larger than ${fileBytesMax} bytes`);
  return bytes.subarray(0, length);
}

/** Walks the file beside the schema: known keys go to `found`, unknown ones to `problems`. */
function readTree(
  group: GroupSchema,
  value: unknown,
  prefix: string,
  problems: string[],
  found: (option: Option, value: unknown) => void,
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(
      `${prefix.slice(0, -1) || 'the file'}: ${shownValue(value)} cannot be used, expected an object`,
    );
    return;
  }
  for (const [name, member] of Object.entries(value)) {
    const key = prefix + name;
    const schema = Object.hasOwn(group.properties, name) ? group.properties[name] : undefined;
    if (!schema) {
      const meant = nearest(
        key,
        options.map(option => option.key),
      );
      problems.push(`${shownValue(key)} in the file is no key${meant ? `; did you mean ${meant}?` : ''}`);
    } else if (schema.type === 'object') readTree(schema, member, `${key}.`, problems, found);
    else found(options.find(option => option.key === key)!, member);
  }
}

/** Variables with our prefix that mean nothing: most likely slips, but they may belong to another version. */
function strangeVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = [
    fileVariable,
    addonVariable,
    slotVariable,
    factoryVersionVariable,
    ...options.map(option => option.variable),
  ];
  return Object.keys(environment)
    .filter(name => name.startsWith(environmentPrefix) && !known.includes(name))
    .slice(0, problemsMax)
    .map(name => {
      const meant = nearest(name, known);
      return `the environment variable ${name} means nothing${meant ? `; did you mean ${meant}?` : ''}`;
    });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
