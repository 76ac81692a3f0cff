import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../src/base/clock.ts';
import { type PacedTask, Pacer } from '../../src/capture/pacer.ts';
import { PreciseTimer } from '../../src/capture/precise-timer.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';

/** The machine's clock, which a test can move forward, as after a stall. */
class StallingClock implements Clock {
  stalledUs = 0;
  monoUs = () => systemClock.monoUs() + this.stalledUs;
  wallUnixMs = () => systemClock.wallUnixMs();
}

class CountingTask implements PacedTask {
  readonly emitted: number[] = [];
  readonly skips: number[] = [];
  onEmit: () => void = () => undefined;
  private readonly periodUs: number;
  private frame = 0;

  constructor(periodUs: number) {
    this.periodUs = periodUs;
  }

  get nextOffsetUs(): number {
    return this.frame * this.periodUs;
  }

  emit(captureMonoUs: number): void {
    this.emitted.push(captureMonoUs);
    this.frame++;
    this.onEmit();
  }

  skipTo(offsetUs: number): void {
    this.skips.push(offsetUs);
    this.frame = Math.ceil(offsetUs / this.periodUs);
  }

  /** Resolves when `count` frames were sent. */
  sent(count: number): Promise<void> {
    return new Promise(resolve => {
      this.onEmit = () => {
        if (this.emitted.length >= count) resolve();
      };
    });
  }
}

test('sends the frames of all tasks at their nominal times from one start, never early', async () => {
  const pacer = new Pacer(systemClock);
  const [fast, slow] = [new CountingTask(3000), new CountingTask(10_000)];
  const early: number[] = [];
  pacer.add(fast);
  pacer.add(slow);
  pacer.start();
  const done = slow.sent(6);
  for (const task of [fast, slow]) {
    const { onEmit } = task;
    task.onEmit = () => {
      if (task.emitted.at(-1)! > systemClock.monoUs()) early.push(task.emitted.at(-1)!);
      onEmit();
    };
  }
  await done;
  pacer.stop();
  const [start] = slow.emitted;
  assert.equal(fast.emitted[0], start);
  assert.deepEqual(
    slow.emitted.map(time => time - start!),
    [0, 10_000, 20_000, 30_000, 40_000, 50_000],
  );
  assert.ok(fast.emitted.length >= 17);
  assert.deepEqual(early, []);
});

test('sends what is late after a short stall, in order', async () => {
  const clock = new StallingClock();
  const pacer = new Pacer(clock);
  const task = new CountingTask(50_000);
  pacer.add(task);
  pacer.start();
  await task.sent(1);
  const late = task.sent(11);
  clock.stalledUs += 500_000;
  await late;
  pacer.stop();
  assert.deepEqual(task.skips, []);
  assert.deepEqual(
    task.emitted.slice(1).map((time, i) => time - task.emitted[i]!),
    Array(task.emitted.length - 1).fill(50_000),
  );
});

test('skips what is late by more than a second instead of sending a burst', async () => {
  const clock = new StallingClock();
  const pacer = new Pacer(clock);
  const task = new CountingTask(20_000);
  pacer.add(task);
  pacer.start();
  await task.sent(1);
  const next = task.sent(2);
  clock.stalledUs += 60_000_000;
  await next;
  pacer.stop();
  assert.equal(task.skips.length, 1);
  assert.ok(task.emitted[1]! - task.emitted[0]! >= 60_000_000);
});

test('starts a task that is added later when it is added', async () => {
  const pacer = new Pacer(systemClock);
  const first = new CountingTask(5000);
  pacer.add(first);
  pacer.start();
  await first.sent(3);
  const late = new CountingTask(5000);
  const sent = late.sent(1);
  pacer.add(late);
  await sent;
  pacer.stop();
  assert.ok(late.emitted[0]! > first.emitted[2]!);
});

test('a precise timer is never early and can be cancelled', async () => {
  let calls = 0;
  let resolve: () => void = () => undefined;
  const timer = new PreciseTimer(systemClock, () => {
    calls++;
    resolve();
  });
  for (const us of [0, 100, 900, 2500, 4000]) {
    const due = systemClock.monoUs() + us;
    timer.at(due);
    await new Promise<void>(done => {
      resolve = done;
    });
    assert.ok(systemClock.monoUs() >= due);
  }
  timer.at(systemClock.monoUs() + 300);
  timer.cancel();
  await new Promise(done => setTimeout(done, 5));
  assert.equal(calls, 5);
  assert.equal(timer.pending, false);
});
