import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { PreciseTimer } from '../../src/capture/precise-timer.ts';
import type { AlarmBinding, AlarmHandle } from '../../src/native/alarm-binding.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';
import { nativeAddon } from '../support/native-addon.ts';

const addon = nativeAddon();

function kernelTimers(): number {
  const names = readdirSync('/proc/self/fd').map(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return names.filter(name => name.includes('[timerfd]')).length;
}

/** In a function of its own, so that nothing is left of the timers on the stack. */
function makeAndForget(alarms: AlarmBinding, count: number, whileThere: () => void): void {
  const timers = Array.from({ length: count }, () => new PreciseTimer(systemClock, () => undefined, alarms));
  for (const timer of timers) timer.at(systemClock.monoUs() + 1e9);
  whileThere();
  for (const timer of timers) timer.cancel();
}

if (addon) {
  const { alarm: alarms } = addon;

  describe('an alarm of the kernel', () => {
    test('calls once for each time that it was set, and not before', async () => {
      const calls: number[] = [];
      let heard = (): void => undefined;
      const alarm = alarms.create(() => {
        calls.push(systemClock.monoUs());
        heard();
      });
      for (let i = 0; i < 3; i++) {
        const called = new Promise<void>(resolve => {
          heard = resolve;
        });
        const dueMonoUs = systemClock.monoUs() + 3000;
        alarms.set(alarm, 3000);
        await called;
        assert.equal(calls.length, i + 1);
        assert.ok(calls[i]! >= dueMonoUs - 1);
      }
      alarms.close(alarm);
    });

    test('set again it has one call, at the later time; cancelled it has none', async () => {
      let calls = 0;
      const alarm = alarms.create(() => calls++);
      const cancelled = alarms.create(() => assert.fail('a cancelled alarm called'));
      alarms.set(alarm, 1000);
      alarms.set(alarm, 4000);
      alarms.set(cancelled, 1000);
      alarms.cancel(cancelled);
      const last = new Promise<void>(resolve => {
        const end = alarms.create(() => {
          alarms.close(end);
          resolve();
        });
        alarms.set(end, 12_000);
      });
      await last;
      assert.equal(calls, 1);
      alarms.close(alarm);
      alarms.close(cancelled);
    });

    test('refuses what is no alarm, no function and no delay, and stays usable', () => {
      const bare = alarms as unknown as Record<string, (...values: unknown[]) => unknown>;
      const alarm = alarms.create(() => undefined);
      for (const wrong of [undefined, null, 1, 'x', {}, [], Object.create(alarm as object)]) {
        assert.throws(() => bare.create!(wrong), TypeError);
        assert.throws(() => bare.set!(wrong, 1), TypeError);
        assert.throws(() => bare.cancel!(wrong), TypeError);
        assert.throws(() => bare.close!(wrong), TypeError);
      }
      for (const delay of [undefined, 'x', -1, Number.NaN, Number.POSITIVE_INFINITY, 3.7e9])
        assert.throws(() => bare.set!(alarm, delay), TypeError);
      alarms.close(alarm);
      alarms.close(alarm);
      assert.throws(() => alarms.set(alarm, 1), TypeError);
    });

    test('is freed with the timer that nobody holds any more', async () => {
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      const before = kernelTimers();
      makeAndForget(alarms, 20, () => assert.equal(kernelTimers(), before + 20));
      // Finalizers run some turns after the collection that found the object.
      for (let i = 0; i < 50 && kernelTimers() > before; i++) {
        collect();
        await turn();
      }
      assert.equal(kernelTimers(), before);
    });

    test('ends with its thread, set or not', async () => {
      const before = kernelTimers();
      const source = `
        const { parentPort, workerData } = require('node:worker_threads');
        const { alarm } = require(workerData);
        globalThis.kept = [alarm.create(() => {}), alarm.create(() => {})];
        alarm.set(globalThis.kept[0], 3e9);
        parentPort.postMessage('set');
        setInterval(() => {}, 1000);`;
      const { loadAddon } = await import('../../src/native/addon.ts');
      const loaded = loadAddon();
      assert.ok('path' in loaded);
      const worker = new Worker(source, { eval: true, workerData: loaded.path });
      await once(worker, 'message');
      assert.equal(kernelTimers(), before + 2);
      await worker.terminate();
      assert.equal(kernelTimers(), before);
    });
  });

  test('a precise timer that is set to the past after a later time calls once', async () => {
    let calls = 0;
    const timer = new PreciseTimer(systemClock, () => calls++, alarms);
    timer.at(systemClock.monoUs() + 2000);
    timer.at(systemClock.monoUs() - 1);
    await new Promise<void>(resolve => {
      const end: AlarmHandle = alarms.create(() => {
        alarms.close(end);
        setImmediate(resolve);
      });
      alarms.set(end, 10_000);
    });
    assert.equal(calls, 1);
  });
}
