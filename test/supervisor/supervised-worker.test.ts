import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { afterEach, test } from 'node:test';
import type { LogFields } from '../../src/ipc/messages.ts';
import { SupervisedWorker, type SupervisedWorkerOptions } from '../../src/supervisor/supervised-worker.ts';
import { defaultTiming } from '../../src/supervisor/timing.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';
import type { PuppetCommand, PuppetData, PuppetReport } from './workers/puppet.ts';

const quick = { firstMs: 1, maxMs: 4, goodRunMs: 30_000 };
const running: SupervisedWorker<PuppetCommand, PuppetReport>[] = [];
afterEach(async () => {
  for (const worker of running.splice(0)) await worker.stop(2000);
});

/** A supervised puppet; emits `up`, `down`, `said` and `log`. */
function supervise(
  data: Partial<PuppetData> = {},
  options: Partial<SupervisedWorkerOptions<PuppetReport>> = {},
) {
  const events = new EventEmitter();
  const metrics = new Metrics();
  const log = (message: string, fields?: LogFields): void => void events.emit('log', message, fields ?? {});
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const worker = new SupervisedWorker<PuppetCommand, PuppetReport>({
    name: 'puppet',
    entry: new URL('./workers/puppet.ts', import.meta.url),
    workerData: { ring: new SharedArrayBuffer(8), logLevel: 'debug', ...data } as PuppetData,
    clock: systemClock,
    logger,
    metrics,
    onUp: () => void events.emit('up'),
    onDown: () => void events.emit('down'),
    onReport: report => void events.emit('said', report.value),
    ...options,
    timing: { backoff: quick, ...options.timing },
  });
  running.push(worker);
  return { worker, events, metrics };
}

function livesCounter(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8));
}

test('a worker is starting, then running, then stopped, and says so', async () => {
  const { worker } = supervise();
  assert.equal(worker.health().state, 'stopped');
  const started = worker.start();
  assert.equal(worker.health().state, 'starting');
  await started;
  const { sinceUnixMs, ...health } = worker.health();
  assert.deepEqual(health, { name: 'puppet', state: 'running', restarts: 0, lastError: null });
  assert.ok(Math.abs(sinceUnixMs - Date.now()) < 60_000);
  assert.equal(await worker.stop(2000), true);
  assert.equal(worker.health().state, 'stopped');
});

for (const [name, command, lastError] of [
  ['exits', 'exit', /status 3/],
  ['throws an error', 'throw', /thrown on purpose/],
  ['leaves a rejection unhandled', 'reject', /rejected on purpose/],
  ['gives up by itself', 'fail', /failed on purpose/],
  ['posts what cannot be cloned', 'unclonable', /could not be cloned/],
] as const)
  test(`a worker that ${name} is restarted on the same memory, and its death is told`, async () => {
    const lives = livesCounter();
    const { worker, events } = supervise({ lives });
    await worker.start();
    const down = once(events, 'down');
    worker.post({ type: command });
    await down;
    assert.equal(worker.health().state, 'restarting');
    assert.match(worker.health().lastError ?? '', lastError);
    await once(events, 'up');
    assert.equal(worker.health().state, 'running');
    assert.equal(worker.health().restarts, 1);
    assert.equal(lives[0], 2);
    const said = once(events, 'said');
    worker.post({ type: 'say', value: 'alive' });
    assert.deepEqual(await said, ['alive']);
  });

test('a worker that exceeds its heap is restarted and the process goes on', async () => {
  const { worker, events } = supervise({}, { resourceLimits: { maxOldGenerationSizeMb: 24 } });
  await worker.start();
  worker.post({ type: 'out-of-memory' });
  await once(events, 'down');
  assert.match(worker.health().lastError ?? '', /memory/i);
  await once(events, 'up');
});

test('a worker in an endless loop misses its beats, is ended and restarted', async () => {
  const { worker, events } = supervise({}, { timing: { beatIntervalMs: 40, missedBeatsMax: 20 } });
  await worker.start();
  worker.post({ type: 'loop' });
  await once(events, 'down');
  assert.match(worker.health().lastError ?? '', /no sign of life/);
  await once(events, 'up');
});

test('the patience with a hung worker leaves its successor 750 ms of the 2 s that a restart may take', () => {
  const { beatIntervalMs, missedBeatsMax } = defaultTiming;
  assert.ok((missedBeatsMax + 1) * beatIntervalMs <= 1250);
});

test('a worker that blocks while it starts is not hung: the start has a time limit of its own', async () => {
  const { worker } = supervise({ mode: 'slow-start' }, { timing: { beatIntervalMs: 20, missedBeatsMax: 5 } });
  await worker.start();
  assert.equal(worker.health().restarts, 0);
});

test('a worker that dies again and again is restarted until it runs, and others are told each time', async () => {
  const lives = livesCounter();
  const { worker, events } = supervise({ lives, mode: 'exits', wellFrom: 1 });
  await worker.start();
  let downs = 0;
  events.on('down', () => downs++);
  for (let death = 1; death <= 6; death++) {
    const up = once(events, 'up');
    worker.post({ type: 'exit' });
    await up;
    assert.equal(worker.health().restarts, death);
    assert.equal(downs, death);
  }
});

test('a worker that dies before its first readiness gets further chances', async () => {
  const lives = livesCounter();
  const { worker } = supervise({ lives, mode: 'exits', wellFrom: 3 });
  await worker.start();
  assert.equal(lives[0], 3);
  assert.equal(worker.health().restarts, 2);
});

test('the start fails with the last error when the worker never gets ready in its chances', async () => {
  const lives = livesCounter();
  const { worker } = supervise({ lives, mode: 'throws' });
  await assert.rejects(worker.start(), { code: 'source-failed', message: 'no lens', details: { life: 3 } });
  assert.equal(lives[0], 3);
  assert.equal(worker.health().state, 'stopped');
});

test('the start fails at once when the worker says that its configuration cannot be used', async () => {
  const lives = livesCounter();
  const { worker } = supervise({ lives, mode: 'config-invalid' });
  await assert.rejects(worker.start(), { code: 'config-invalid' });
  assert.equal(lives[0], 1);
});

test('the start fails when the worker does not get ready in time', async () => {
  const { worker } = supervise({ mode: 'never-ready' }, { timing: { startMs: 50, startAttemptsMax: 1 } });
  await assert.rejects(worker.start(), /not ready within 50 ms/);
});

test('the start fails when the entry file is missing', async () => {
  const entry = new URL('./workers/nobody.ts', import.meta.url);
  await assert.rejects(supervise({}, { entry }).worker.start(), /nobody\.ts/);
});

test('a stop while the worker starts ends the start', async () => {
  const { worker } = supervise({ mode: 'never-ready' });
  const started = worker.start();
  const refused = assert.rejects(started, { code: 'worker-unavailable' });
  assert.equal(await worker.stop(2000), true);
  await refused;
});

test('a stop while a restart waits cancels it', async () => {
  const lives = livesCounter();
  const { worker, events } = supervise(
    { lives },
    { timing: { backoff: { ...quick, firstMs: 60_000, maxMs: 60_000 } } },
  );
  await worker.start();
  worker.post({ type: 'exit' });
  await once(events, 'up');
  worker.post({ type: 'exit' });
  await once(events, 'down');
  assert.equal(await worker.stop(1000), true);
  assert.equal(worker.health().state, 'stopped');
  assert.equal(lives[0], 2);
});

test('a worker that ignores its stop is terminated within the time', async () => {
  const { worker } = supervise({ mode: 'deaf' });
  await worker.start();
  assert.equal(await worker.stop(400), true);
  assert.equal(worker.health().state, 'stopped');
});

test('nothing is posted to a worker that is away', async () => {
  const { worker, events } = supervise();
  assert.equal(worker.post({ type: 'say', value: 1 }), false);
  await worker.start();
  worker.post({ type: 'exit' });
  await once(events, 'down');
  assert.equal(worker.post({ type: 'say', value: 1 }), false);
});

test('log lines come under the name of the worker, and what it prints goes to the log', async () => {
  const { worker, events } = supervise();
  await worker.start();
  const lineOf = async (pattern: RegExp): Promise<LogFields> => {
    for (;;) {
      const [message, fields] = (await once(events, 'log')) as [string, LogFields];
      if (pattern.test(message)) return fields;
    }
  };
  const logged = lineOf(/^logged on purpose$/);
  worker.post({ type: 'log' });
  assert.deepEqual(await logged, { worker: 'puppet', n: 1 });
  const printed = lineOf(/printed on purpose/);
  worker.post({ type: 'print' });
  assert.deepEqual(await printed, { worker: 'puppet', stream: 'stdout', suppressed: undefined });
});

test('statistics reach the metrics and are gone with the worker', async () => {
  const { worker, events, metrics } = supervise({}, { timing: { beatIntervalMs: 40, missedBeatsMax: 100 } });
  await worker.start();
  while (!metrics.get('puppet')) await new Promise(setImmediate);
  assert.match(metrics.text(), /^opencamera_puppet_life 1$/m);
  worker.post({ type: 'exit' });
  await once(events, 'down');
  assert.doesNotMatch(metrics.text(), /puppet/);
});
