import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventLoopDelay } from '../../src/telemetry/event-loop-delay.ts';

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise(resolve => setTimeout(resolve, 5));
};

test('a loop that is held up for 200 ms shows a delay of that order, and the next reading starts anew', async () => {
  const delay = new EventLoopDelay();
  await turns(10);
  const until = performance.now() + 200;
  while (performance.now() < until);
  await turns(10);
  const held = delay.take();
  assert.ok(held.maxUs > 100_000, `only ${held.maxUs} µs`);
  assert.ok(held.p50Us <= held.p99Us && held.p99Us <= held.maxUs);
  assert.deepEqual(delay.take(), { p50Us: 0, p99Us: 0, maxUs: 0 });
});
