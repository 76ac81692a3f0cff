import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CameraError } from '../../src/base/errors.ts';
import type { RunEvents } from '../../src/capture/source.ts';
import { SupervisedSource } from '../../src/capture/supervised-source.ts';
import type { Timers } from '../../src/capture/timers.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { rememberingLogger } from './capture-fixture.ts';

/** Timers that a test fires. */
class ManualTimers implements Timers {
  readonly pending: { callback: () => void; ms: number }[] = [];

  set(callback: () => void, ms: number): unknown {
    const timer = { callback, ms };
    this.pending.push(timer);
    return timer;
  }

  clear(timer: unknown): void {
    const index = this.pending.indexOf(timer as (typeof this.pending)[number]);
    if (index >= 0) this.pending.splice(index, 1);
  }

  /** Fires the only timer. */
  fire(): void {
    assert.equal(this.pending.length, 1);
    this.pending.shift()!.callback();
  }
}

/** Lets the promises that are settled run. */
const settled = () => new Promise<void>(resolve => setImmediate(resolve));

function makeSource(options: { stallMs?: number; fail?: () => CameraError | undefined } = {}) {
  const clock = new ManualClock();
  const timers = new ManualTimers();
  const logger = rememberingLogger();
  const runs: { events: RunEvents; stopped: boolean }[] = [];
  const { fail, ...rest } = options;
  const source = new SupervisedSource({
    name: 'main',
    clock,
    timers,
    logger,
    ...rest,
    startRun(events) {
      const error = fail?.();
      if (error) throw error;
      const run = { events, stopped: false };
      runs.push(run);
      return {
        requestKeyframe: () => undefined,
        async stop() {
          run.stopped = true;
        },
      };
    },
  });
  return { source, clock, timers, logger, runs };
}

const failure = () => new CameraError('source-failed', 'it broke');

test('tries a failing source again after 250 ms, doubling up to 10 s', async () => {
  const { source, timers } = makeSource({ fail: failure });
  source.start();
  const delays: number[] = [];
  for (let i = 0; i < 8; i++) {
    await settled();
    delays.push(timers.pending[0]!.ms);
    timers.fire();
  }
  assert.deepEqual(delays, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  assert.equal(source.state, 'waiting');
  await source.stop();
  assert.equal(timers.pending.length, 0);
});

test('begins with the first delay again after 10 s of frames', async () => {
  const { source, timers, runs, clock } = makeSource();
  const delays: number[] = [];
  source.start();
  for (const seconds of [0, 1, 10, 1]) {
    const { events } = runs.at(-1)!;
    events.frame();
    clock.advanceUs(seconds * 1e6);
    events.frame();
    events.ended(failure());
    await settled();
    delays.push(timers.pending[0]!.ms);
    timers.fire();
  }
  assert.deepEqual(delays, [250, 500, 250, 500]);
  assert.equal(source.restarts, 4);
});

test('replaces a run that gives no frame for the stall time, and says so', async () => {
  const { source, timers, runs, clock, logger } = makeSource({ stallMs: 10_000 });
  source.start();
  clock.advanceUs(9e6);
  runs[0]!.events.frame();
  clock.advanceUs(1e6);
  timers.fire();
  assert.equal(runs[0]!.stopped, false, 'a frame came 1 s ago');
  assert.equal(timers.pending[0]!.ms, 9000);
  clock.advanceUs(9e6);
  timers.fire();
  assert.equal(runs[0]!.stopped, true);
  assert.match(String(logger.lines.at(-1)!.fields.error), /no frame came for 10 s/);
  await settled();
  timers.fire();
  assert.equal(runs.length, 2);
  await source.stop();
  assert.equal(timers.pending.length, 0);
});

test('does not try again what time cannot heal', () => {
  const { source, timers } = makeSource({
    fail: () => new CameraError('source-failed', 'not built', { permanent: true }),
  });
  source.start();
  assert.equal(source.state, 'given-up');
  assert.equal(timers.pending.length, 0);
});

test('hears nothing of a run that it stopped', async () => {
  const { source, runs, timers } = makeSource();
  source.start();
  await source.stop();
  assert.equal(runs[0]!.stopped, true);
  runs[0]!.events.frame();
  runs[0]!.events.ended(failure());
  await settled();
  assert.equal(source.state, 'stopped');
  assert.equal(timers.pending.length, 0);
});
