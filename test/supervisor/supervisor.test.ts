import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerState } from '../../src/ipc/health.ts';
import { type Part, Supervisor } from '../../src/supervisor/supervisor.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import { ManualClock } from '../support/manual-clock.ts';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Parts that note when they start and stop; `stopMs` of the shared clock pass while one stops. */
function makeParts(
  names: readonly string[],
  clock: ManualClock,
  notes: string[],
  stopMs = 0,
): (Part & { state: WorkerState })[] {
  return names.map(name => ({
    name,
    state: 'stopped' as WorkerState,
    async start() {
      this.state = 'running';
      notes.push(`start ${name}`);
    },
    async stop(withinMs: number) {
      notes.push(`stop ${name} within ${withinMs}`);
      clock.advanceUs(stopMs * 1000);
      return true;
    },
    health() {
      return { name, state: this.state, restarts: 0, lastError: null, sinceUnixMs: 0 };
    },
  }));
}

test('starts the parts in order and stops them in reverse', async () => {
  const clock = new ManualClock();
  const notes: string[] = [];
  const supervisor = new Supervisor(makeParts(['capture', 'live', 'http'], clock, notes), {
    logger: silent,
    clock,
  });
  await supervisor.start();
  await supervisor.stop(900);
  assert.deepEqual(notes, [
    'start capture',
    'start live',
    'start http',
    'stop http within 300',
    'stop live within 450',
    'stop capture within 900',
  ]);
});

test('slow parts share one time limit for the whole stop', async () => {
  const clock = new ManualClock();
  const notes: string[] = [];
  const supervisor = new Supervisor(makeParts(['a', 'b', 'c'], clock, notes, 300), { logger: silent, clock });
  await supervisor.start();
  await supervisor.stop(900);
  assert.deepEqual(notes.slice(3), ['stop c within 300', 'stop b within 300', 'stop a within 300']);
});

test('a part that fails to start fails the start; only what was started is stopped', async () => {
  const clock = new ManualClock();
  const notes: string[] = [];
  const parts = makeParts(['a', 'b', 'c'], clock, notes);
  parts[1]!.start = () => Promise.reject(new Error('b is broken'));
  const supervisor = new Supervisor(parts, { logger: silent, clock });
  await assert.rejects(supervisor.start(), /b is broken/);
  await supervisor.stop(100);
  assert.deepEqual(notes, ['start a', 'stop b within 50', 'stop a within 100']);
});

test('a part that fails while it stops does not keep the others from stopping, and a stuck one is named', async () => {
  const clock = new ManualClock();
  const notes: string[] = [];
  const parts = makeParts(['a', 'b', 'c'], clock, notes);
  parts[1]!.stop = () => Promise.resolve(false);
  parts[2]!.stop = () => Promise.reject(new Error('c is broken'));
  const supervisor = new Supervisor(parts, { logger: silent, clock });
  await supervisor.start();
  assert.deepEqual(await supervisor.stop(100), ['b']);
  assert.equal(notes.at(-1), 'stop a within 100');
});

test('a second stop waits for the first and stops nothing twice', async () => {
  const clock = new ManualClock();
  const notes: string[] = [];
  const supervisor = new Supervisor(makeParts(['a'], clock, notes), { logger: silent, clock });
  await supervisor.start();
  await Promise.all([supervisor.stop(100), supervisor.stop(100)]);
  assert.equal(notes.length, 2);
});

test('health names the state of every worker in the order of the flow', async () => {
  const clock = new ManualClock();
  const parts = makeParts(['a', 'b'], clock, []);
  const supervisor = new Supervisor(parts, { logger: silent, clock });
  await supervisor.start();
  parts[1]!.state = 'restarting';
  assert.deepEqual(
    supervisor.health().map(({ name, state }) => [name, state]),
    [
      ['a', 'running'],
      ['b', 'restarting'],
    ],
  );
});
