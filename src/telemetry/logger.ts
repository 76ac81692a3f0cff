/**
 * The main thread's log: pino, to standard error; as JSON lines, or in words for people on a terminal.
 *
 * Standard output belongs to the ready line alone. The writes are asynchronous and bounded: a reader of standard error
 * that stalls costs log lines, never a stalled camera; what is buffered at the end of the process is written then,
 * without waiting for such a reader for more than a moment. pino-pretty runs in this thread as a plain function, because
 * a transport thread would be one more thread and would lose the last lines of a crash.
 */
import pino from 'pino';
import pinoPretty from 'pino-pretty';
import type { LogFields, LogLevel } from '../ipc/messages.ts';
import { type Logger, printable, printableFields } from './log.ts';

export type { Logger } from './log.ts';

/** Bytes of log that may wait for a slow reader of standard error; more is dropped. */
export const logBufferBytesMax = 1024 * 1024;

/** How often a full pipe is tried again while the process ends; each try waits 100 ms inside the library. */
const lastTriesMax = 3;

/** Names that pino writes itself; a field of the same name would make a line ambiguous. */
const ownNames = new Set(['level', 'time', 'msg']);

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `auto`: pretty when standard error is a terminal, else JSON. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Where the lines go instead of standard error; for tests. */
  readonly write?: (line: string) => void;
}

/** Makes the logger of the main thread. */
export function createLogger({ level, format, write }: LoggerOptions): Logger {
  const terminal = process.stderr.isTTY === true;
  const pretty = format === 'pretty' || (format === 'auto' && terminal);
  const target = write ?? standardError();
  const sink = pretty ? prettifier(terminal && !write, target) : { write: target };
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    },
    sink,
  );
  const line = (lineLevel: LogLevel, message: string, fields: LogFields = {}): void => {
    if (log.isLevelEnabled(lineLevel)) log[lineLevel](withoutOwnNames(fields), printable(message));
  };
  return {
    debug: (message, fields) => line('debug', message, fields),
    info: (message, fields) => line('info', message, fields),
    warn: (message, fields) => line('warn', message, fields),
    error: (message, fields) => line('error', message, fields),
  };
}

function withoutOwnNames(fields: LogFields): Record<string, unknown> {
  const result = printableFields(fields);
  for (const name of ownNames)
    if (name in result) {
      result[`${name}_`] = result[name]!;
      delete result[name];
    }
  return result;
}

/** The asynchronous, bounded writer of standard error; pino flushes it when the process ends. */
function standardError(): (line: string) => void {
  let lastTries = 0;
  let ending = false;
  process.once('exit', () => {
    ending = true;
  });
  // The listener above has to stand before the destination's own, which flushes at the same event.
  const destination = pino.destination({
    dest: 2,
    sync: false,
    maxLength: logBufferBytesMax,
    retryEAGAIN: () => !ending || ++lastTries <= lastTriesMax,
  });
  // Nobody can be told that the log has no reader any more; the camera goes on.
  destination.on('error', () => {});
  return text => {
    destination.write(text);
  };
}

function prettifier(colorize: boolean, target: (line: string) => void): { write(line: string): void } {
  const format = pinoPretty.prettyFactory({
    colorize,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    errorLikeObjectKeys: [],
  });
  return { write: line => target(format(line)) };
}
