import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArrivalClock, arrivalErrorUsMax } from '../../src/capture/arrival-clock.ts';

test('spaces frames that arrive in bursts by their period', () => {
  const times = new ArrivalClock(20_000);
  let last = times.next(1_000_000);
  let widest = 0;
  for (let frame = 1; frame < 300; frame++) {
    // Six at a time, each block when its last frame is complete.
    const arrival = 1_000_000 + Math.ceil(frame / 6) * 6 * 20_000;
    const time = times.next(arrival);
    widest = Math.max(widest, Math.abs(time - last - 20_000));
    last = time;
  }
  assert.ok(widest < 600, `${widest} µs off`);
});

test('follows a sound card that is a little fast', () => {
  const times = new ArrivalClock(20_000);
  const period = 20_000 * 0.9995;
  let error = 0;
  for (let frame = 1; frame <= 10_000; frame++) error = times.next(frame * period) - (frame - 1) * period;
  assert.ok(Math.abs(error) < 5_000, `${error} µs off`);
});

test('starts a new line after a gap, and never goes back', () => {
  const times = new ArrivalClock(20_000);
  times.next(1_000_000);
  assert.equal(times.jumped, true);
  const before = times.next(1_020_000);
  assert.equal(times.jumped, false);
  const after = times.next(1_040_000 + 2 * arrivalErrorUsMax);
  assert.equal(times.jumped, true);
  assert.ok(after > before + arrivalErrorUsMax);
  assert.ok(times.next(100) > after);
});
