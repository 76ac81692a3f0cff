import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChildLines } from '../../src/capture/child-lines.ts';
import { childLineCharactersMax, childLinesPerSecondMax } from '../../src/capture/limits.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { rememberingLogger } from './capture-fixture.ts';

function makeLines() {
  const logger = rememberingLogger();
  const clock = new ManualClock();
  return { logger, clock, lines: new ChildLines('main', clock, logger) };
}

test('cuts what is printed into lines, wherever the reads split it', () => {
  const { lines, logger } = makeLines();
  const text = Buffer.from('eins\nzwei ü\r\nframe= 1\rframe= 2\rlast');
  for (const byte of text) lines.push(Buffer.of(byte));
  lines.end();
  assert.deepEqual(
    logger.lines.map(({ level, message }) => [level, message]),
    [
      ['info', 'eins'],
      ['info', 'zwei ü'],
      ['debug', 'frame= 1'],
      ['debug', 'frame= 2'],
      ['info', 'last'],
    ],
  );
});

test('bounds the length of a line that never ends', () => {
  const { lines, logger } = makeLines();
  for (let i = 0; i < 1000; i++) lines.push(Buffer.alloc(1000, 'x'));
  lines.push(Buffer.from('\nnext\n'));
  assert.deepEqual(
    logger.lines.map(line => line.message.length),
    [childLineCharactersMax, 4],
  );
});

test('logs a bounded number of lines a second and tells how many were left out', () => {
  const { lines, logger, clock } = makeLines();
  for (let i = 0; i < 100; i++) lines.push(Buffer.from(`line ${i}\n`));
  assert.equal(logger.lines.length, childLinesPerSecondMax);
  clock.advanceUs(1_000_000);
  lines.push(Buffer.from('later\n'));
  assert.equal(logger.lines.at(-1)!.fields.suppressed, 100 - childLinesPerSecondMax);
});

test('takes user and password out of addresses', () => {
  const { lines, logger } = makeLines();
  lines.push(Buffer.from("Input #0, rtsp, from 'rtsp://admin:s3cret@10.0.0.9/main' at 5@x\n"));
  assert.equal(logger.lines[0]!.message, "Input #0, rtsp, from 'rtsp://…@10.0.0.9/main' at 5@x");
});
