/**
 * The worker's side of the log: each line becomes a `log` report, which the supervisor hands to the main logger.
 *
 * A worker that logs in a loop must neither fill the main thread's message queue nor the log, so the lines of one
 * second are counted, and beyond the bound they are dropped and counted; the next second begins with that number.
 * Call it on the thread that made it. It formats nothing: the text and the fields are made printable (and thus short)
 * here, everything else is the main thread's choice.
 */
import type { Clock } from '../base/clock.ts';
import type { LogFields, LogLevel, WorkerReport } from '../ipc/messages.ts';
import { type Logger, logLevels, printable, printableFields } from './log.ts';
import { systemClock } from './system-clock.ts';

export type { Logger } from './log.ts';

/** Lines a second that a worker may log: far more than good running makes, far less than main can write. */
export const workerLogLinesPerSecond = 100;

/**
 * @param post gives a report to the main thread.
 * @param level the least important level that is posted at all.
 */
export function createWorkerLogger(
  post: (report: Extract<WorkerReport, { type: 'log' }>) => void,
  level: LogLevel = 'debug',
  clock: Clock = systemClock,
): Logger {
  let secondStartUs = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let dropped = 0;
  const least = logLevels.indexOf(level);
  const write = (lineLevel: LogLevel, message: string, fields: LogFields = {}): void => {
    if (logLevels.indexOf(lineLevel) < least) return;
    const nowUs = clock.monoUs();
    if (nowUs - secondStartUs >= 1_000_000) {
      secondStartUs = nowUs;
      lines = 0;
      if (dropped > 0)
        post({
          type: 'log',
          level: 'warn',
          message: 'too many log lines, some were dropped',
          fields: { dropped },
        });
      dropped = 0;
    }
    if (++lines > workerLogLinesPerSecond) {
      dropped += 1;
      return;
    }
    post({ type: 'log', level: lineLevel, message: printable(message), fields: printableFields(fields) });
  };
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
  };
}
