import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { loadConfiguration } from '../../src/config/load.ts';
import { TaskPool } from '../../src/supervisor/task-pool.ts';
import { UsersPart } from '../../src/supervisor/users-part.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import { ManualClock } from '../support/manual-clock.ts';

test('a camera that stops while it measures a password hash warns of nothing', async t => {
  const state = mkdtempSync(path.join(tmpdir(), 'users-part-'));
  t.after(() => rmSync(state, { recursive: true }));
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const logger: Logger = { debug() {}, info() {}, warn, error: warn };
  const tasks = new TaskPool({ logger });
  const { configuration } = loadConfiguration({ flags: new Map([['state', state]]) });
  const users = await UsersPart.open(configuration, tasks, { clock: new ManualClock(), logger });
  const measured = users.measureHash();
  await tasks.stop(0);
  await measured;
  assert.deepEqual(warnings, []);
  await users.stop();
});
