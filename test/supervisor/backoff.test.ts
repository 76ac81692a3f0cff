import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../../src/supervisor/backoff.ts';

test('restarts at once the first time, then after 250 ms doubling up to 10 s', () => {
  const backoff = new Backoff();
  const delays = Array.from({ length: 9 }, () => backoff.delayAfter(0));
  assert.deepEqual(delays, [0, 250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test('a good run of 30 s makes the next death the first one again, a shorter one does not', () => {
  const backoff = new Backoff();
  for (let i = 0; i < 5; i++) backoff.delayAfter(0);
  assert.equal(backoff.delayAfter(29_999), 4000);
  assert.equal(backoff.delayAfter(30_000), 0);
  assert.equal(backoff.delayAfter(0), 250);
});

test('stays at the longest delay for ever', () => {
  const backoff = new Backoff();
  for (let i = 0; i < 5000; i++) backoff.delayAfter(0);
  assert.equal(backoff.delayAfter(0), 10_000);
});
