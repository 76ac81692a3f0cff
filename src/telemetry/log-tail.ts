/**
 * The newest lines of the log in memory, for the owner who looks at them in the page.
 *
 * A logger that writes on to another one and keeps what is at or above the level that is logged. Bounded in lines and in
 * the length of each text, so about 300 kB at most. Secrets do not go into the log at all (log.ts); what a child process
 * writes may hold the password of an address, which is masked here, and stack traces are left to the real log.
 */
import type { Clock } from '../base/clock.ts';
import type { LogFields, LogLevel } from '../ipc/messages.ts';
import { type Logger, logLevels, printable, printableFields } from './log.ts';

/** Lines that are kept: hours of a camera that is well, and enough of one that is not. */
export const tailLinesMax = 500;

/** Characters of one text of a line. */
const textMax = 400;

/** User and password before the host of an address. */
const credentials = /(\/\/)[^\s/@]+@/g;

/** A line. */
export interface TailEntry {
  /** Rises by one with every line of this run. */
  readonly id: number;
  readonly unixMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean | null>>;
}

/** See the head of the file. Belongs to the main thread. */
export class LogTail {
  private readonly clock: Clock;
  private readonly levelMin: number;
  private readonly entries: TailEntry[] = [];
  private lastId = 0;

  /** @param level lines below it are not kept. */
  constructor(clock: Clock, level: LogLevel) {
    this.clock = clock;
    this.levelMin = logLevels.indexOf(level);
  }

  /** Id of the newest line; 0 before the first. */
  get last(): number {
    return this.lastId;
  }

  /** The lines that are still there behind the one with this id, the oldest first. */
  after(id: number): readonly TailEntry[] {
    return this.entries.filter(entry => entry.id > id);
  }

  /** A logger that keeps its lines here and hands them on. */
  following(logger: Logger): Logger {
    const line =
      (level: LogLevel) =>
      (message: string, fields: LogFields = {}): void => {
        this.keep(level, message, fields);
        logger[level](message, fields);
      };
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }

  private keep(level: LogLevel, message: string, fields: LogFields): void {
    if (logLevels.indexOf(level) < this.levelMin) return;
    const { stack: _, ...rest } = printableFields(fields);
    const kept = Object.entries(rest).map(([name, value]) => [name, shown(value)]);
    this.lastId += 1;
    this.entries.push({
      id: this.lastId,
      unixMs: this.clock.wallUnixMs(),
      level,
      message: shown(printable(message)),
      fields: Object.fromEntries(kept),
    });
    if (this.entries.length > tailLinesMax) this.entries.shift();
  }
}

function shown<T>(value: T): T {
  if (typeof value !== 'string') return value;
  const text = value.replace(credentials, '$1***@');
  return (text.length > textMax ? `${text.slice(0, textMax)}…` : text) as T;
}
