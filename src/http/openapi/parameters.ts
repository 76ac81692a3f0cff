/**
 * Parameters of path, query and header: decoded, parsed by their declared type, checked against their schema. Pure.
 *
 * What the document does not name is refused, and so is what comes twice: a misspelled option that is silently ignored
 * is worse than an error. A `+` stays a plus sign (RFC 3986; the rule of HTML forms does not apply), so that
 * `2022-02-02T01:00:00+01:00` means what it says.
 */
import type { HeaderFields } from '../header-fields.ts';
import { RequestFault } from '../problems.ts';
import type { OperationParameter } from './operation-table.ts';
import type { SchemaSet } from './schemas.ts';

/** The query parameter that holds the signature of a link (the security scheme `link` of the document). */
export const linkName = 'link';

/** Parsed values by name; without a prototype. */
export type Parameters = Record<string, unknown>;

/** The part of a request that holds its parameters. */
export interface ParameterSource {
  /** Segments of the path, as sent. */
  readonly path: Readonly<Record<string, string>>;
  /** As sent, without its question mark. */
  readonly query: string;
  readonly headers: HeaderFields;
}

/**
 * The parameters of a request.
 *
 * @param credentials names that may stand in the query without being described as a parameter; handed on unchecked.
 * @throws RequestFault `parameters-invalid`, whose details name the parameter where it is a known one.
 */
export function readParameters(
  described: readonly OperationParameter[],
  schemas: SchemaSet,
  source: ParameterSource,
  credentials: readonly string[] = [],
): { readonly path: Parameters; readonly query: Parameters } {
  const given = parseQuery(source.query, name => isKnown(described, credentials, name));
  const path: Parameters = Object.create(null);
  const query: Parameters = Object.create(null);
  for (const name of credentials) if (given.has(name)) query[name] = given.get(name);
  for (const parameter of described) {
    const text = textOf(parameter, source, given);
    if (text === undefined) {
      if (parameter.isRequired) throw invalid(parameter, 'required');
      continue;
    }
    const value = parse(parameter, text);
    const fault = schemas.check(parameter.schema, value);
    if (fault) throw invalid(parameter, fault.rule, fault.expected);
    if (parameter.in === 'path') path[parameter.name] = value;
    else if (parameter.in === 'query') query[parameter.name] = value;
  }
  return { path, query };
}

function isKnown(
  described: readonly OperationParameter[],
  credentials: readonly string[],
  name: string,
): boolean {
  return (
    credentials.includes(name) ||
    described.some(parameter => parameter.in === 'query' && parameter.name === name)
  );
}

/** The value of one name in a query; undefined when it is missing, broken, or there more than once. */
export function queryValue(query: string, name: string): string | undefined {
  const values = pairsOf(query).filter(pair => pair?.[0] === name);
  return values.length === 1 ? values[0]![1] : undefined;
}

function parseQuery(query: string, isKnownName: (name: string) => boolean): Map<string, string> {
  const values = new Map<string, string>();
  for (const pair of pairsOf(query)) {
    if (!pair) throw new RequestFault('parameters-invalid', { in: 'query', rule: 'encoding' });
    const [name, value] = pair;
    if (!isKnownName(name)) throw new RequestFault('parameters-invalid', { in: 'query', rule: 'unknown' });
    if (values.has(name))
      throw new RequestFault('parameters-invalid', { in: 'query', parameter: name, rule: 'once' });
    values.set(name, value);
  }
  return values;
}

/** Names and values, decoded; undefined in place of what cannot be. */
function pairsOf(query: string): (readonly [name: string, value: string] | undefined)[] {
  if (query === '') return [];
  return query.split('&').map(item => {
    const equals = item.indexOf('=');
    const name = decode(equals < 0 ? item : item.slice(0, equals));
    const value = decode(equals < 0 ? '' : item.slice(equals + 1));
    return name === undefined || value === undefined ? undefined : [name, value];
  });
}

function textOf(
  parameter: OperationParameter,
  source: ParameterSource,
  query: ReadonlyMap<string, string>,
): string | undefined {
  if (parameter.in === 'query') return query.get(parameter.name);
  if (parameter.in === 'header')
    return source.headers.all(parameter.name.toLowerCase()).join(', ') || undefined;
  const text = decode(source.path[parameter.name] ?? '');
  if (text === undefined) throw invalid(parameter, 'encoding');
  return text;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const numberForm = /^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$/;

function parse(parameter: OperationParameter, text: string): unknown {
  const { type } = parameter;
  if (type === 'string') return text;
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if (type !== 'boolean' && numberForm.test(text)) return Number(text);
  throw invalid(parameter, 'type', `must be ${type}`);
}

function invalid(parameter: OperationParameter, rule: string, expected?: string): RequestFault {
  return new RequestFault('parameters-invalid', {
    in: parameter.in,
    parameter: parameter.name,
    rule,
    ...(expected === undefined ? {} : { expected }),
  });
}
