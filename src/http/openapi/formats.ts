/**
 * The formats that the API document names, all of them: a name that is missing here is an error of the schema. Pure.
 */
import type { Format } from 'ajv';
import { parseRfc3339 } from '../rfc3339.ts';

/** By name, for ajv. */
export const formats: Readonly<Record<string, Format>> = {
  /** RFC 3339 §5.6, strictly: with an offset, and only days that there are. */
  'date-time': { type: 'string', validate: (text: string) => parseRfc3339(text) !== undefined },
  /** RFC 9562 §4. */
  uuid: { type: 'string', validate: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i },
  /** What JSON and JavaScript can carry of it without loss. */
  int64: { type: 'number', validate: (value: number) => Number.isSafeInteger(value) },
};
