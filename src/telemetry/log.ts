/**
 * What every part of the daemon logs through: a message for people and flat fields for machines.
 *
 * Two implementations: logger.ts (main thread, pino) and worker-log.ts (workers, over the message port). Strings from
 * outside may hold anything, so both pass all text through `printable` here: control characters, and the invisible
 * ones that reorder a line (Unicode TR 36 §2.4), are written as escapes, and a text has a bounded length. Secrets and
 * frame bytes never go in; nothing here can know them.
 */
import type { LogFields, LogLevel } from '../ipc/messages.ts';

/** Writes log lines; never throws, never blocks the caller for long. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Longest logged text in characters: room for a stack trace, and no way to fill a disk with one line. */
export const logTextMax = 4096;

/** Most fields of one line; nothing here has more than a dozen. */
export const logFieldsMax = 32;

/** The levels from the most talkative to the most silent. */
export const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

// C0, DEL and C1 controls, line and paragraph separators, bidirectional controls, zero-width and byte-order marks.
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The text on one line: what does not print is escaped as `\n`, `\x1b`, `\u202e`; cut at {@link logTextMax}. */
export function printable(text: string): string {
  const short = text.length > logTextMax ? `${text.slice(0, logTextMax)}…` : text;
  return short.replace(unprintable, escapeOf);
}

function escapeOf(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** The fields with every text made {@link printable}; at most {@link logFieldsMax} of them. */
export function printableFields(fields: LogFields): Record<string, string | number | boolean | null> {
  const result: Record<string, string | number | boolean | null> = Object.create(null);
  let count = 0;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (++count > logFieldsMax) break;
    result[printable(name)] = typeof value === 'string' ? printable(value) : value;
  }
  return result;
}

/** The fields that describe a thrown value: its message, code and stack, as far as it has them. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  const code = (error as { code?: unknown }).code;
  return {
    error: error.message,
    code: typeof code === 'string' ? code : undefined,
    cause: error.cause === undefined ? undefined : String(error.cause),
    stack: error.stack,
  };
}
