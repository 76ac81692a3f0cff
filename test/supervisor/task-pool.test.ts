import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LogFields } from '../../src/ipc/messages.ts';
import { TaskPool, type TaskPoolOptions, taskThreadsFor } from '../../src/supervisor/task-pool.ts';
import { workerEntry } from '../../src/supervisor/worker-entry.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import type { PuppetTask } from './workers/task-worker.ts';

const pools: TaskPool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.stop(4000);
});

function makePool(options: Partial<TaskPoolOptions> = {}) {
  const lines: { message: string; fields: LogFields | undefined }[] = [];
  const log = (message: string, fields?: LogFields): void => void lines.push({ message, fields });
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const entry = new URL('./workers/task-worker.ts', import.meta.url);
  const pool = new TaskPool({ logger, entry, threads: 2, ...options });
  pools.push(pool);
  const act = (task: PuppetTask): Promise<{ phc: string }> => pool.run('hash-password', task as never);
  return { pool, act, lines };
}

function newGate(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(16));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

function open(gate: Int32Array): void {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
}

test('a machine with less than 512 MB gets one thread, a larger one two', () => {
  assert.equal(taskThreadsFor(128_000_000), 1);
  assert.equal(taskThreadsFor(511_999_999), 1);
  assert.equal(taskThreadsFor(512_000_000), 2);
});

test('runs the real tasks in the real entry, and tells their errors by code', async () => {
  const { pool, lines } = makePool({ entry: workerEntry('tasks') });
  const cost = { argon2MemoryKib: 1024, argon2Iterations: 2, argon2Parallelism: 1 };
  const { phc } = await pool.run('hash-password', { password: 'correct horse', cost });
  assert.match(phc, /^\$argon2id\$v=19\$m=1024,t=2,p=1\$/);
  const passwords = ['wrong', 'correct horse'];
  assert.deepEqual(await pool.run('verify-password', { phc, passwords }), { index: 1 });
  await assert.rejects(pool.run('verify-password', { phc: phc.replace('m=1024', 'm=65537'), passwords }), {
    name: 'CameraError',
    code: 'accounts-damaged',
  });
  await assert.rejects(pool.run('no-such-task' as never, {} as never), { code: 'internal' });
  assert.deepEqual(lines, []);
});

test('runs as many tasks at once as it has threads, lets eight wait and refuses the rest at once', async () => {
  const { pool, act } = makePool();
  const gate = newGate();
  const taken = Array.from({ length: 10 }, () => act({ act: 'wait', gate }));
  await assert.rejects(act({ act: 'answer', gate }), { code: 'hashing-busy' });
  assert.equal(pool.stats().values.waiting, 8);
  assert.equal(pool.stats().values.refused_total, 1);
  await until(() => Atomics.load(gate, 1) === 2);
  open(gate);
  await Promise.all(taken);
  assert.equal(Atomics.load(gate, 1), 10);
  assert.equal(Atomics.load(gate, 3), 2);
  assert.match((await act({ act: 'answer' })).phc, /^thread/);
});

test('starts no thread before its first task, and lets threads go that idle', async () => {
  const { pool, act } = makePool({ idleMs: 20 });
  await pool.start();
  assert.equal(pool.stats().values.threads, 0);
  await act({ act: 'answer' });
  assert.equal(pool.stats().values.threads, 1);
  await until(() => pool.stats().values.threads === 0);
  assert.match((await act({ act: 'answer' })).phc, /^thread/);
});

test('an error of a task is told with its code and details, and costs no thread', async () => {
  const { pool, act } = makePool({ threads: 1 });
  const { phc } = await act({ act: 'answer' });
  await assert.rejects(act({ act: 'refuse' }), {
    code: 'accounts-damaged',
    message: 'refused on purpose',
    details: { n: 1 },
  });
  assert.equal((await act({ act: 'answer' })).phc, phc);
  assert.equal(pool.stats().values.threads, 1);
});

for (const [name, command] of [
  ['exits', 'exit'],
  ['throws where nobody catches', 'die'],
  ['exceeds its heap', 'hoard'],
  ['throws out of its entry', 'throw'],
] as const)
  test(`a thread that ${name} fails its task alone: those that wait are done by a new one`, async () => {
    const { act, lines } = makePool({ threads: 1, resourceLimits: { maxOldGenerationSizeMb: 24 } });
    const dying = act({ act: command });
    const waiting = [act({ act: 'answer' }), act({ act: 'answer' })];
    await assert.rejects(dying, { code: 'worker-unavailable' });
    for (const task of waiting) assert.match((await task).phc, /^thread/);
    assert.deepEqual(
      lines.map(({ message }) => message),
      ['a thread of the task pool failed'],
    );
  });

test('a thread that cannot start fails its tasks instead of keeping them', async () => {
  const entry = new URL('./workers/broken-task-worker.ts', import.meta.url);
  const { act, lines } = makePool({ threads: 2, entry });
  const tasks = Array.from({ length: 4 }, () => act({ act: 'answer' }));
  for (const task of tasks) await assert.rejects(task, { code: 'worker-unavailable' });
  assert.match(String(lines[0]?.fields?.error), /no such library/);
});

test('a task in an endless loop is ended at its time limit, and its thread is replaced', async () => {
  const { act } = makePool({ threads: 1, timeoutMs: 1500 });
  const { phc } = await act({ act: 'answer' });
  const looping = act({ act: 'loop', gate: newGate() });
  await assert.rejects(looping, { code: 'request-timeout' });
  assert.notEqual((await act({ act: 'answer' })).phc, phc);
});

test('a task that waited for its whole time limit is told that the camera is busy', async () => {
  const { pool, act } = makePool({ threads: 1, timeoutMs: 1500 });
  await act({ act: 'answer' });
  const gate = newGate();
  // Native work holds its thread, so that what waits behind it gets none in time.
  const computing = assert.rejects(act({ act: 'compute', gate }), { code: 'request-timeout' });
  await assert.rejects(act({ act: 'answer' }), { code: 'hashing-busy' });
  await computing;
  open(gate);
  await until(() => pool.stats().values.running === 0);
});

test('a thread with native work is never ended: its caller hears of the time limit, the thread works on', async () => {
  const { pool, act } = makePool({ threads: 1, timeoutMs: 1500 });
  const { phc } = await act({ act: 'answer' });
  const gate = newGate();
  await assert.rejects(act({ act: 'compute', gate }), { code: 'request-timeout' });
  assert.equal(pool.stats().values.running, 1);
  open(gate);
  await until(() => pool.stats().values.running === 0);
  assert.equal((await act({ act: 'answer' })).phc, phc);
});

test('a stop refuses what waits, lets the running task end, and then takes no more', async () => {
  const { pool, act } = makePool({ threads: 1 });
  const gate = newGate();
  const running = act({ act: 'wait', gate });
  const waiting = assert.rejects(act({ act: 'answer' }), { code: 'worker-unavailable' });
  await until(() => Atomics.load(gate, 1) === 1);
  const stopped = pool.stop(10_000);
  await waiting;
  open(gate);
  assert.match((await running).phc, /^thread/);
  assert.equal(await stopped, true);
  await assert.rejects(act({ act: 'answer' }), { code: 'worker-unavailable' });
});

test('a stop ends a task that does not end by itself', async () => {
  const { pool, act } = makePool({ threads: 1 });
  const looping = assert.rejects(act({ act: 'loop', gate: newGate() }), { code: 'worker-unavailable' });
  assert.equal(await pool.stop(400), true);
  await looping;
});

test('a stop says so when native work does not end in time, and leaves its thread alone', async () => {
  const { pool, act } = makePool({ threads: 1 });
  const gate = newGate();
  const computing = act({ act: 'compute', gate });
  await until(() => Atomics.load(gate, 1) === 1);
  assert.equal(await pool.stop(200), false);
  assert.equal(pool.stats().values.threads, 1);
  open(gate);
  assert.match((await computing).phc, /^thread/);
  await until(() => pool.stats().values.threads === 0);
});

test('a stop in the middle of a real hash leaves the process alive', async () => {
  const cost = { argon2MemoryKib: 65_536, argon2Iterations: 8, argon2Parallelism: 1 };
  const { pool } = makePool({ entry: workerEntry('tasks') });
  await pool.run('hash-password', { password: 'x', cost: { ...cost, argon2Iterations: 2 } });
  const hashing = pool.run('hash-password', { password: 'x', cost });
  assert.equal(await pool.stop(100), false);
  await hashing;
  // Were the thread ended in the middle, the whole process of this file would be aborted by now.
  await until(() => pool.stats().values.threads === 0);
});
