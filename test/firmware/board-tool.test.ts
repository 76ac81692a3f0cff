/** A board's own program: called as documented, bounded in time and output, believed only where it says what it should. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { boardTool } from '../../src/firmware/board-tool.ts';
import { runTool } from '../../src/firmware/run-tool.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'board-tool-'));
after(() => rmSync(folder, { recursive: true }));

let count = 0;
function program(text: string): string {
  const file = path.join(folder, `tool-${count++}`);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
}

test('each order is one call with its words, and no shell looks at them', async () => {
  const log = path.join(folder, 'log');
  const tool = boardTool(program(`printf '<%s>' "$@" >> ${log}; echo >> ${log}`));
  await tool.install('/tmp/a $(touch x) b', '1.2.3');
  await tool.markGood();
  await tool.markBad();
  await tool.activateOther();
  await tool.restart();
  assert.deepEqual(readFileSync(log, 'utf8').trim().split('\n'), [
    '<install></tmp/a $(touch x) b><1.2.3>',
    '<mark-good>',
    '<mark-bad>',
    '<activate-other>',
    '<restart>',
  ]);
});

test('what it says of its slots is what the camera shows, and the other good one is what one can go back to', async () => {
  const slots = [
    { name: 'A', version: '1.0.0', state: 'good' },
    { name: 'B', version: null, state: 'empty' },
    { name: 'C', version: '0.9.0', state: 'good' },
  ];
  const tool = boardTool(program(`echo '${JSON.stringify({ active: 'A', slots })}'`));
  assert.deepEqual(await tool.status(), { activeSlot: 'A', slots, previous: slots[2] });
});

for (const text of [
  '',
  'null',
  '[]',
  '{"active": "A"}',
  '{"active": 1, "slots": []}',
  '{"active": "A", "slots": [null]}',
  '{"active": "A", "slots": [{"name": "A", "version": 1, "state": "good"}]}',
  '{"active": "A", "slots": [{"name": "A", "version": null, "state": "well"}]}',
])
  test(`'${text}' is no status`, async () => {
    await assert.rejects(boardTool(program(`echo '${text}'`)).status(), { code: 'firmware-tool-failed' });
  });

test('a failure says what the program said last', async () => {
  const file = program('echo first >&2; echo "the slot is mounted" >&2; exit 3');
  await assert.rejects(boardTool(file).markGood(), {
    code: 'firmware-tool-failed',
    message: `${file} mark-good: the slot is mounted`,
  });
});

test('a program that is missing, that hangs, or that writes without end has failed', async () => {
  await assert.rejects(boardTool(path.join(folder, 'missing')).status(), { code: 'firmware-tool-failed' });
  await assert.rejects(runTool(program('exec sleep 60'), [], { timeoutMs: 100 }), {
    code: 'firmware-tool-failed',
  });
  await assert.rejects(runTool(program('yes'), [], { timeoutMs: 10_000 }), { code: 'firmware-tool-failed' });
});
