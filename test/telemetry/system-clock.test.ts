import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../src/telemetry/system-clock.ts';

test('monotonic time is whole microseconds and never falls', () => {
  let last = systemClock.monoUs();
  for (let i = 0; i < 10_000; i++) {
    const now = systemClock.monoUs();
    assert.ok(Number.isSafeInteger(now));
    assert.ok(now >= last);
    last = now;
  }
});

test('monotonic time has the same zero in a worker thread', async () => {
  const worker = new Worker(new URL('./clock-worker.ts', import.meta.url));
  await once(worker, 'online');
  const before = systemClock.monoUs();
  worker.postMessage('time');
  const [inWorker] = (await once(worker, 'message')) as [number];
  const after = systemClock.monoUs();
  await worker.terminate();
  assert.ok(before <= inWorker && inWorker <= after, `${before} ≤ ${inWorker} ≤ ${after}`);
});
