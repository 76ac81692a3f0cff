import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LogFields, WorkerReport } from '../../src/ipc/messages.ts';
import {
  errorFields,
  type Logger,
  logFieldsMax,
  logTextMax,
  printable,
  printableFields,
} from '../../src/telemetry/log.ts';
import { LogThrottle, throttleKeysMax } from '../../src/telemetry/log-throttle.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createWorkerLogger, workerLogLinesPerSecond } from '../../src/telemetry/worker-log.ts';
import { ManualClock } from '../support/manual-clock.ts';

type Line = { level: string; message: string; fields: LogFields | undefined };

function recorder(): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push({ level, message, fields });
  return { logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

test('escapes control characters, line separators, bidirectional overrides and lone surrogates', () => {
  assert.equal(printable('a\nb\r\tc\u001b[2J'), 'a\\nb\\r\\tc\\x1b[2J');
  assert.equal(
    printable('\u0000\u007f\u009b\u2028\u202e\u2066\ufeff'),
    '\\x00\\x7f\\x9b\\u2028\\u202e\\u2066\\ufeff',
  );
  assert.equal(printable('\ud800x\udc00'), '\\ud800x\\udc00');
  assert.equal(printable('Grüße, 世界 😀'), 'Grüße, 世界 😀');
});

test('no text of any kind can break a log line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested.
      assert.doesNotMatch(printable(text), /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
    }),
  );
});

test('cuts a text at its bound and leaves out fields beyond theirs', () => {
  assert.equal(printable('x'.repeat(logTextMax + 10)), `${'x'.repeat(logTextMax)}…`);
  const many = Object.fromEntries(Array.from({ length: logFieldsMax + 5 }, (_, i) => [`f${i}`, i]));
  assert.equal(Object.keys(printableFields(many)).length, logFieldsMax);
});

test('keeps the code, cause and stack of an error as fields', () => {
  const error = Object.assign(new Error('no', { cause: 'why' }), { code: 'EIO' });
  assert.deepEqual(errorFields(error), { error: 'no', code: 'EIO', cause: 'why', stack: error.stack });
  assert.deepEqual(errorFields('text'), { error: 'text' });
});

test('a JSON line holds level, time, message and fields, and nothing raw', () => {
  let text = '';
  const write = (line: string): void => {
    text += line;
  };
  const logger = createLogger({ level: 'info', format: 'json', write });
  logger.debug('unseen');
  logger.warn('two\nlines', { name: 'x\u001b', count: 2, nothing: undefined });
  assert.equal(text.indexOf('\n'), text.length - 1);
  const { time, ...line } = JSON.parse(text);
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(line, { level: 'warn', msg: 'two\\nlines', name: 'x\\x1b', count: 2 });
});

test('a field cannot take the place of the level or the message', () => {
  let text = '';
  const write = (line: string): void => {
    text += line;
  };
  createLogger({ level: 'info', format: 'json', write }).error('real', {
    msg: 'false',
    level: 'debug',
    time: 0,
  });
  const { time: _, ...line } = JSON.parse(text);
  assert.deepEqual(line, { level: 'error', msg: 'real', msg_: 'false', level_: 'debug', time_: 0 });
});

test('a pretty line is one line that a terminal cannot be steered by', () => {
  let text = '';
  const write = (line: string): void => {
    text += line;
  };
  createLogger({ level: 'info', format: 'pretty', write }).info('hello\u001b[31m\n', { error: 'a\nb' });
  assert.match(text, /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: hello\\x1b\[31m\\n .*a\\nb.*\n$/);
});

test('a worker posts its lines and drops those below its level', () => {
  const reports: WorkerReport[] = [];
  const logger = createWorkerLogger(report => reports.push(report), 'info', new ManualClock());
  logger.debug('unseen');
  logger.error('broken\n', { code: 'x' });
  assert.deepEqual(structuredClone(reports), [
    { type: 'log', level: 'error', message: 'broken\\n', fields: { code: 'x' } },
  ]);
});

test('a worker that logs in a loop posts a bounded number of lines a second and then says how many it dropped', () => {
  const clock = new ManualClock();
  const reports: Extract<WorkerReport, { type: 'log' }>[] = [];
  const logger = createWorkerLogger(report => reports.push(report), 'debug', clock);
  for (let i = 0; i < workerLogLinesPerSecond + 7; i++) logger.info('again');
  assert.equal(reports.length, workerLogLinesPerSecond);
  clock.advanceUs(1_000_000);
  logger.info('later');
  assert.equal(reports.length, workerLogLinesPerSecond + 2);
  assert.equal(reports.at(-2)?.fields.dropped, 7);
  assert.equal(reports.at(-1)?.message, 'later');
});

test('a throttle passes one line a key and interval, with the number of those left out', () => {
  const clock = new ManualClock();
  const { logger, lines } = recorder();
  const throttle = new LogThrottle(logger, clock, 1000);
  throttle.log('warn', 'a', 'first', { n: 1 });
  throttle.log('warn', 'a', 'second');
  throttle.log('warn', 'b', 'other key');
  throttle.log('warn', 'a', 'third');
  clock.advanceUs(1000);
  throttle.log('error', 'a', 'fourth');
  assert.deepEqual(
    lines.map(({ message, fields }) => [message, fields?.suppressed]),
    [
      ['first', undefined],
      ['other key', undefined],
      ['fourth', 2],
    ],
  );
  assert.equal(lines[2]?.level, 'error');
});

test('a throttle keeps a bounded number of keys', () => {
  const { logger, lines } = recorder();
  const throttle = new LogThrottle(logger, new ManualClock(), 1000);
  for (let i = 0; i < throttleKeysMax + 50; i++) throttle.log('warn', `key ${i}`, 'line');
  assert.equal(lines.length, throttleKeysMax + 1);
});
