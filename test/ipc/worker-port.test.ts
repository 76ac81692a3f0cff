import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { WorkerReport } from '../../src/ipc/messages.ts';
import type { PuppetCommand, PuppetData, PuppetReport } from '../supervisor/workers/puppet.ts';

type Report = WorkerReport | PuppetReport;

/** A worker with its reports, beats left out. */
function startPuppet(data: Partial<PuppetData> = {}) {
  const worker = new Worker(new URL('../supervisor/workers/puppet.ts', import.meta.url), {
    workerData: { ring: new SharedArrayBuffer(0), logLevel: 'debug', beatIntervalMs: 10, ...data },
  });
  const reports: Report[] = [];
  worker.on('message', (report: Report) => {
    if (report.type !== 'beat' && report.type !== 'stats') reports.push(report);
  });
  const next = async (type: Report['type']): Promise<Report> => {
    for (;;) {
      const [report] = (await once(worker, 'message')) as [Report];
      if (report.type === type) return report;
    }
  };
  return { worker, reports, next, post: (command: PuppetCommand) => worker.postMessage(command) };
}

test('says ready, beats, posts statistics and ends with status 0 on stop', async () => {
  const { worker, next, post } = startPuppet();
  await next('ready');
  await next('beat');
  assert.deepEqual(await next('stats'), { type: 'stats', stats: { values: { life: 1 } } });
  post({ type: 'stop' });
  assert.deepEqual(await once(worker, 'exit'), [0]);
});

test('hands over commands that came before the stage had started, in order', async () => {
  const { worker, reports, post } = startPuppet();
  for (const value of [1, 2]) post({ type: 'say', value });
  post({ type: 'stop' });
  assert.deepEqual(await once(worker, 'exit'), [0]);
  assert.deepEqual(reports, [{ type: 'ready' }, { type: 'said', value: 1 }, { type: 'said', value: 2 }]);
});

test('answers every request once: with its value, its error, or the reason why the value cannot travel', async () => {
  const { worker, next, post } = startPuppet();
  await next('ready');
  post({ type: 'request', id: 5, request: { kind: 'echo', value: { a: 1 } } });
  assert.deepEqual(await next('reply'), { type: 'reply', id: 5, value: { a: 1 } });
  post({ type: 'request', id: 6, request: { kind: 'reject' } });
  assert.deepEqual(await next('reply-error'), {
    type: 'reply-error',
    id: 6,
    error: { code: 'viewer-limit', message: 'full', details: { viewers: 16 } },
  });
  post({ type: 'request', id: 7, request: { kind: 'unclonable' } });
  const last = await next('reply-error');
  assert.ok(last.type === 'reply-error' && last.id === 7 && last.error.code === 'internal');
  await worker.terminate();
});

for (const [name, command, message] of [
  ['an uncaught error', { type: 'throw' }, 'thrown on purpose'],
  ['an unhandled rejection', { type: 'reject' }, 'rejected on purpose'],
] as const)
  test(`reports ${name} and ends with status 1`, async () => {
    const { worker, reports, next, post } = startPuppet();
    await next('ready');
    post(command);
    assert.deepEqual(await once(worker, 'exit'), [1]);
    assert.deepEqual(reports.at(-1), { type: 'failed', error: { code: 'internal', message, details: {} } });
  });

test('reports a stage that cannot start, with its code, and never says ready', async () => {
  const { worker, reports } = startPuppet({ mode: 'throws' });
  assert.deepEqual(await once(worker, 'exit'), [1]);
  assert.deepEqual(reports, [
    { type: 'failed', error: { code: 'source-failed', message: 'no lens', details: { life: 1 } } },
  ]);
});

test('ends with status 1 when the stage fails while it stops', async () => {
  const { worker, reports, next, post } = startPuppet({ mode: 'stop-throws' });
  await next('ready');
  post({ type: 'stop' });
  assert.deepEqual(await once(worker, 'exit'), [1]);
  assert.equal(reports.at(-1)?.type, 'failed');
});
