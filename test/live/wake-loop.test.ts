import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { WakeLoop } from '../../src/live/wake-loop.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { RingWait } from '../../src/ring/ring-wait.ts';
import { Camera } from './live-fixture.ts';

/** A promise that a test resolves, and the number of times that it was. */
function signal() {
  let resolve = () => {};
  const promise = new Promise<void>(done => {
    resolve = done;
  });
  return { promise, resolve };
}

interface LoopSetup {
  readonly onFrames?: (records: number) => boolean;
  readonly onError?: (error: unknown) => void;
  readonly wait?: (wait: RingWait) => RingWait;
}

function makeLoop(setup: LoopSetup = {}) {
  const camera = new Camera();
  const consumer = new RingConsumer(camera.ring);
  const calls: number[] = [];
  const ringWait = new RingWait(camera.ring);
  const loop = new WakeLoop({
    wait: setup.wait?.(ringWait) ?? ringWait,
    consumer,
    onFrames: () => {
      let records = 0;
      while (consumer.next()) records++;
      calls.push(records);
      return setup.onFrames?.(records) ?? false;
    },
    onError:
      setup.onError ??
      (error => {
        throw error;
      }),
  });
  return { camera, consumer, calls, loop };
}

const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;

describe('the wake loop', () => {
  it('wakes at a commit', async () => {
    const seen = signal();
    const { camera, calls, loop } = makeLoop({
      onFrames: () => {
        seen.resolve();
        return false;
      },
    });
    loop.wake();
    await turn();
    camera.picture(100);
    await seen.promise;
    assert.deepEqual(calls, [1]);
    loop.sleep();
  });

  it('begins with what comes after it was woken', async () => {
    const seen = signal();
    const { camera, calls, loop } = makeLoop({
      onFrames: () => {
        seen.resolve();
        return false;
      },
    });
    for (let i = 0; i < 5; i++) camera.picture(100);
    loop.wake();
    camera.picture(100);
    await seen.promise;
    assert.deepEqual(calls, [1]);
    loop.sleep();
  });

  it('asleep handles nothing, waits for nothing and has no timer', async () => {
    let waits = 0;
    const { camera, calls, loop } = makeLoop({
      // One that is always behind.
      onFrames: () => true,
      wait: wait =>
        ({
          forRecordAsync(sequence: number, timeoutMs: number) {
            waits++;
            return wait.forRecordAsync(sequence, timeoutMs);
          },
        }) as RingWait,
    });
    const before = timers();
    loop.wake();
    loop.poke();
    assert.equal(timers(), before + 1, 'the pace timer runs');
    loop.sleep();
    assert.equal(timers(), before);
    assert.equal(waits, 1);
    camera.picture(100);
    for (let i = 0; i < 20; i++) await turn();
    const { length } = calls;
    loop.poke();
    assert.equal(calls.length, length);
    assert.equal(waits, 1, 'the wait that was pending is not followed by another');
  });

  it('woken again while its last wait is still pending has one wait, and hears of the next commit', async () => {
    const seen = signal();
    let pending = 0;
    let pendingMax = 0;
    const { camera, loop } = makeLoop({
      onFrames: () => {
        seen.resolve();
        return false;
      },
      wait: wait =>
        ({
          async forRecordAsync(sequence: number, timeoutMs: number) {
            pendingMax = Math.max(pendingMax, ++pending);
            const published = await wait.forRecordAsync(sequence, timeoutMs);
            pending--;
            return published;
          },
        }) as RingWait,
    });
    loop.wake();
    for (let i = 0; i < 10; i++) {
      loop.sleep();
      camera.picture(100);
      loop.wake();
    }
    await turn();
    camera.picture(100);
    await seen.promise;
    assert.equal(pendingMax, 1);
    loop.sleep();
  });

  it('comes again soon while a viewer has packets left, without a commit, and stops when it has not', async () => {
    const done = signal();
    let left = 5;
    const { calls, loop } = makeLoop({
      onFrames: () => {
        if (--left === 0) done.resolve();
        return left > 0;
      },
    });
    const before = timers();
    loop.wake();
    loop.poke();
    await done.promise;
    assert.deepEqual(calls, [0, 0, 0, 0, 0]);
    assert.equal(timers(), before);
    loop.sleep();
  });

  it('has one pace timer, however many frames come meanwhile', async () => {
    const { camera, loop } = makeLoop({ onFrames: () => true });
    const before = timers();
    loop.wake();
    for (let i = 0; i < 5; i++) {
      camera.picture(100);
      loop.poke();
    }
    assert.equal(timers(), before + 1);
    loop.sleep();
  });

  it('looks after its viewers also when no frame comes: a backlog ends, a picture is wanted', async () => {
    const seen = signal();
    const { calls, loop } = makeLoop({
      onFrames: () => {
        seen.resolve();
        return false;
      },
      wait: () => ({ forRecordAsync: async () => turn(false) }) as unknown as RingWait,
    });
    loop.wake();
    await seen.promise;
    assert.equal(calls[0], 0);
    loop.sleep();
  });

  for (const published of [true, false])
    it(`starves nobody when the ring answers ${published} at once, always`, async () => {
      const { loop } = makeLoop({
        wait: () => ({ forRecordAsync: () => published }) as unknown as RingWait,
      });
      loop.wake();
      // A timer and a turn of the event loop come through; a loop of microtasks would never end.
      await new Promise<void>(resolve => setTimeout(resolve, 2));
      await turn();
      loop.sleep();
    });

  it('hands errors on and goes on', async () => {
    const errors: unknown[] = [];
    const again = signal();
    let calls = 0;
    const { camera, loop } = makeLoop({
      onFrames: () => {
        if (++calls === 1) throw new Error('first');
        again.resolve();
        return false;
      },
      onError: error => {
        errors.push(error);
        camera.picture(100);
      },
    });
    loop.wake();
    await turn();
    camera.picture(100);
    await again.promise;
    assert.equal((errors[0] as Error).message, 'first');
    loop.sleep();
  });

  it('may be put to sleep from within: then nothing is left of it', async () => {
    const slept = signal();
    const { camera, loop } = makeLoop({
      onFrames: () => {
        loop.sleep();
        slept.resolve();
        return true;
      },
    });
    const before = timers();
    loop.wake();
    camera.picture(100);
    await slept.promise;
    assert.equal(timers(), before);
  });
});
