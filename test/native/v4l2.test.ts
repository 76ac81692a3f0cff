import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { loadAddon } from '../../src/native/addon.ts';
import { type V4l2Binding, V4l2Device } from '../../src/native/v4l2.ts';
import { BufferType } from '../../src/native/v4l2-constants.ts';

/** The addon's functions; undefined, and the test is skipped, where it was not built. */
function bindingFor(t: TestContext): V4l2Binding | undefined {
  const loaded = loadAddon();
  if (!('missing' in loaded)) return loaded.addon.v4l2;
  if (process.env.OPENCAMERAD_REQUIRE_ALL) throw new Error(loaded.missing);
  t.skip(`needs the native addon: ${loaded.missing}`);
  return undefined;
}

/** What no argument may be: each function must refuse it by a TypeError or an error of the system, and live on. */
const hostile: readonly unknown[] = [
  ...[undefined, null, true, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, 2 ** 53, 10n ** 30n],
  ...['', '/dev/null', 'x\0y', 'x'.repeat(5000), Symbol('v4l2'), {}, [], () => undefined],
  ...[new Uint8Array(8), new Uint16Array(8), new DataView(new ArrayBuffer(8)), new ArrayBuffer(8)],
  ...[new Proxy({}, {}), Object.create(null), structuredClone(new Uint8Array(4))],
];

/** A list that the driver does not have is empty, a control undefined; everything else throws. */
function refusesOrGivesNothing(call: () => unknown, name: string): void {
  let given: unknown;
  try {
    given = call();
  } catch (error) {
    assert.ok(isRefusal(error), `${name}: ${error}`);
    return;
  }
  if (name.startsWith('enumerate')) assert.deepEqual(given, []);
  else assert.ok(name === 'queryControl' && given === undefined, name);
}

function isRefusal(error: unknown): boolean {
  const { code, errno, syscall } = error as { code?: string; errno?: number; syscall?: string };
  return error instanceof TypeError || (error instanceof Error && !!code && !!errno && !!syscall);
}

test('every function refuses arguments of every wrong kind, and none ends the process', t => {
  const binding = bindingFor(t);
  if (!binding) return;
  const open = binding.open('/dev/null');
  const functions = Object.entries(binding) as [string, (...values: unknown[]) => unknown][];
  assert.equal(functions.length, 19);
  for (const [name, call] of functions) {
    if (name === 'open' || name === 'close') continue;
    assert.throws(() => call(), TypeError, `${name} without arguments`);
    for (const other of hostile) {
      for (const last of [0, BufferType.videoCapture, open, other])
        for (const type of [BufferType.videoCapture, other]) {
          const values = [type, last, other, other, last, other, last];
          assert.throws(() => call(other, ...values), TypeError, `${name} of ${typeof other}`);
          refusesOrGivesNothing(() => call(open, ...values), name);
        }
    }
  }
  for (const value of hostile.filter(each => each !== '/dev/null'))
    assert.throws(() => (binding.open as (path: unknown) => unknown)(value), isRefusal);
  binding.close(open);
});

test('what is no V4L2 device is refused by the kernel, with its reason', t => {
  const binding = bindingFor(t);
  if (!binding) return;
  const device = new V4l2Device(binding, '/dev/null');
  assert.throws(() => device.queryCapabilities(), {
    code: 'ENOTTY',
    syscall: 'VIDIOC_QUERYCAP',
    errno: 25,
  });
  assert.throws(() => device.setFormat(BufferType.videoCapture, { width: 1, height: 1, pixelFormat: 1 }), {
    code: 'ENOTTY',
  });
  assert.throws(() => device.requestMapped(BufferType.videoCapture, 4), { code: 'ENOTTY' });
  assert.throws(() => device.requestMapped(BufferType.videoCapture, 17), TypeError);
  // Without buffers there is nothing to queue, to read or to start.
  assert.throws(() => device.queue(BufferType.videoCapture, 0), { code: 'EINVAL' });
  assert.throws(() => device.dequeue(BufferType.videoCapture), { code: 'EINVAL' });
  assert.throws(() => device.stream(BufferType.videoCapture, true), { code: 'EINVAL' });
  assert.throws(() => device.read(BufferType.videoCapture, 0, 0, new Uint8Array(1)), { code: 'ERANGE' });
  assert.throws(() => device.watch(() => undefined), { code: 'EPERM' });
  device.close();
});

test('a device that is closed stays closed, and closing it again does nothing', t => {
  const binding = bindingFor(t);
  if (!binding) return;
  const device = new V4l2Device(binding, '/dev/null');
  device.close();
  device.close();
  assert.throws(() => device.queryCapabilities(), { code: 'EBADF' });
  assert.throws(() => device.watch(() => undefined), { code: 'EBADF' });
  assert.throws(() => new V4l2Device(binding, '/dev/none'), { code: 'ENOENT', syscall: 'open' });
});
