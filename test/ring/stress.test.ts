import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createFrameRing } from '../../src/ring/frame-ring.ts';
import type { StressResult, StressTask } from './stress-worker.ts';

const records = 1_000_000;

function start(task: StressTask): Worker {
  return new Worker(new URL('./stress-worker.ts', import.meta.url), { workerData: task });
}

test('a million records of random sizes, a quick and a deliberately slow reader: every accepted record is intact and every loss is counted', async t => {
  const seed = (Math.random() * 2 ** 31) | 0;
  t.diagnostic(`seed ${seed}`);
  const ring = createFrameRing({ dataBytes: 256 * 1024, slotCount: 1024 });
  const common = { ring, records, seed };
  const readers = [0, 500].map(slowEvery => start({ ...common, role: 'reader', slowEvery }));
  await Promise.all(readers.map(reader => once(reader, 'message')));
  const results = readers.map(reader => once(reader, 'message').then(([message]) => message as StressResult));
  const producer = start({ ...common, role: 'producer', slowEvery: 0 });
  await once(producer, 'message');
  for (const [i, pending] of results.entries()) {
    const result = await pending;
    t.diagnostic(`${i === 0 ? 'quick' : 'slow'} reader: ${JSON.stringify(result)}`);
    assert.equal(result.torn, 0, 'torn records were accepted');
    assert.equal(result.outOfOrder, 0);
    assert.equal(result.accepted + result.lost, records, 'accepted and lost records are not all records');
    assert.ok(result.accepted > 0);
    if (i === 1) assert.ok(result.laps > 0, 'the slow reader was never lapped: the test tested nothing');
  }
});
