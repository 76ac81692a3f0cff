/**
 * The addon's data plane against callers that break its contract: every wrong argument is a TypeError, and the process
 * lives on. Then threads that come and go. Skipped where the addon is not built.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { loadAddon } from '../../src/native/addon.ts';
import type { DataPlaneBinding, NativeStreamHandle } from '../../src/native/data-plane-binding.ts';
import { nativeAddon } from '../support/native-addon.ts';

const addon = nativeAddon();
if (addon) {
  describeArguments(addon.dataPlane);
  describeThreads();
}

/** What no parameter takes. */
function hostileValues(): unknown[] {
  const detached = new Uint8Array(8);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  return [
    ...[
      undefined,
      null,
      -1,
      0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 53,
      1n,
      '',
      'camera',
      Symbol('x'),
    ],
    ...[{}, [], () => 0, new Proxy({}, {}), Object.create(null), new ArrayBuffer(8), new Float64Array(8)],
    ...[new DataView(new ArrayBuffer(8)), new Int8Array(8), new Uint8ClampedArray(8), detached],
  ];
}

function refused(call: () => unknown, what: string): void {
  assert.throws(call, TypeError, what);
}

function describeArguments(binding: DataPlaneBinding): void {
  const stream = binding.openStream(0, new Uint8Array(16), new Uint8Array(0), new Uint8Array(12), 1);
  type Encrypt = Parameters<DataPlaneBinding['encrypt']>;
  const encryptArguments = (): Encrypt => [
    stream,
    new Uint8Array(2000),
    new Uint32Array(4),
    new Uint8Array(64),
    12,
    new Uint8Array(100),
    Int32Array.of(0, 2, 0, 50, 2, 2, 50, 50),
    new Uint8Array(8),
    0,
    2,
    7,
    true,
  ];
  const address = binding.socketAddress('127.0.0.1', 9);
  type Transmit = Parameters<DataPlaneBinding['transmit']>;
  const transmitArguments = (): Transmit => [0, address, new Uint8Array(10), Uint32Array.of(5, 10), 0, 2, 1];
  const openArguments = (): Parameters<DataPlaneBinding['openStream']> =>
    [...[1, new Uint8Array(16), new Uint8Array(20), new Uint8Array(14), 5]] as never;

  describe('the addon checks what it is given', () => {
    it('takes the arguments that the others are changed from', () => {
      assert.equal(binding.encrypt(...encryptArguments()), 2 * (12 + 2 + 50 + 16));
      assert.ok(binding.openStream(...openArguments()));
      // Standard input is no socket.
      assert.ok(binding.transmit(...transmitArguments()) < 0);
    });

    it('refuses arguments of every wrong kind, and too few', () => {
      for (const [name, make] of [
        ['encrypt', encryptArguments],
        ['transmit', transmitArguments],
        ['openStream', openArguments],
        ['socketAddress', () => ['127.0.0.1', 9]],
      ] as const) {
        const call = binding[name] as (...values: unknown[]) => unknown;
        const right = make() as unknown[];
        for (let i = 0; i < right.length; i++) {
          refused(() => call(...right.slice(0, i)), `${name} with ${i} arguments`);
          for (const value of hostileValues()) {
            const what = `${name}, argument ${i}: ${typeof value} ${Object.prototype.toString.call(value)}`;
            // A detached arena has no room, which is no mistake: see below.
            if (right[i] === right[1] && name === 'encrypt' && value instanceof Uint8Array) continue;
            refused(() => call(...right.with(i, value)), what);
          }
        }
      }
    });

    it('refuses rows outside of the frame and of the prefixes, and packets beyond a datagram', () => {
      const bytes = new Uint8Array(80_000);
      for (const row of [
        [-1, 1, 0, 1],
        [0, -1, 0, 1],
        [7, 2, 0, 1],
        [0, 2, -1, 1],
        [0, 2, 0, -1],
        [0, 2, 80_000, 1],
        [0, 2, 1, 80_000],
        [2 ** 31 - 1, 2 ** 31 - 1, 0, 0],
        [0, 0, 2 ** 31 - 1, 2 ** 31 - 1],
        [0, 0, 0, 65_507 - 12 - 16 + 1],
      ]) {
        const values: Encrypt = encryptArguments();
        values[1] = new Uint8Array(200_000).fill(9);
        values[5] = bytes;
        values[6] = Int32Array.from([0, 2, 0, 50, ...row]);
        refused(() => binding.encrypt(...values), row.join());
        assert.ok(
          values[1].every(byte => byte === 9),
          'nothing was written',
        );
      }
    });

    it('refuses runs outside of the table, of the ends and of the indexes, and headers that are none', () => {
      for (const [i, value] of [
        [4, 11],
        [4, 13],
        [4, 8],
        [4, 68],
        [8, 1],
        [8, 2 ** 32 - 1],
        [9, 0],
        [9, 3],
        [9, 2 ** 32 - 1],
        [10, 2 ** 48 - 1],
        [10, 2 ** 48],
        [2, new Uint32Array(1)],
      ] as const)
        refused(() => binding.encrypt(...(encryptArguments().with(i, value) as Encrypt)), `${i}: ${value}`);
    });

    it('writes nothing into an arena that is too small, and says what it needs', () => {
      const values: Encrypt = encryptArguments();
      values[1] = new Uint8Array(159).fill(9);
      assert.equal(binding.encrypt(...values), 160);
      assert.ok(values[1].every(byte => byte === 9));
      structuredClone(values[1].buffer, { transfer: [values[1].buffer as ArrayBuffer] });
      assert.equal(binding.encrypt(...values), 160);
    });

    it('writes nothing behind the packets', () => {
      for (const make of [() => stream, () => binding.openStream(...openArguments())]) {
        const values: Encrypt = encryptArguments();
        values[0] = make();
        values[1] = new Uint8Array(300).fill(9);
        const bytes = binding.encrypt(...values);
        assert.ok(values[1].subarray(bytes).every(byte => byte === 9));
        assert.deepEqual([...values[2]], [bytes / 2, bytes, 0, 0]);
      }
    });

    it('refuses datagrams outside of the arena, without an end, or beyond what UDP takes', () => {
      for (const [i, value] of [
        [3, Uint32Array.of(5, 11)],
        [3, Uint32Array.of(5, 5)],
        [3, Uint32Array.of(6, 5)],
        [3, Uint32Array.of(0, 5)],
        [3, Uint32Array.of(5)],
        [4, 2],
        [5, 0],
        [5, 3],
        [6, 3],
        [0, 2 ** 31],
        [1, new Uint8Array(16)],
        [1, new Uint8Array(27)],
        [1, new Uint8Array(200)],
      ] as const)
        refused(
          () => binding.transmit(...(transmitArguments().with(i, value) as Transmit)),
          `${i}: ${value}`,
        );
      refused(
        () => binding.transmit(0, address, new Uint8Array(70_000), Uint32Array.of(65_508), 0, 1, 1),
        'a datagram of 65,508 bytes',
      );
    });

    it('refuses keys of another length than the profile has, and addresses that are none', () => {
      const bytes = (length: number): Uint8Array => new Uint8Array(length);
      for (const [profile, key, authentication, salt] of [
        [0, 16, 20, 12],
        [0, 16, 0, 14],
        [0, 32, 0, 12],
        [1, 16, 0, 14],
        [1, 16, 20, 12],
        [1, 15, 20, 14],
        [2, 16, 20, 14],
      ] as const)
        refused(
          () => binding.openStream(profile, bytes(key), bytes(authentication), bytes(salt), 1),
          `${profile}, ${key}, ${authentication}, ${salt}`,
        );
      for (const text of ['', 'localhost', '1.2.3', '::1%nowhere', '1.2.3.4%lo', '::1\0', ':'.repeat(5000)])
        refused(() => binding.socketAddress(text, 1), text.slice(0, 40));
      refused(() => binding.socketAddress('::1', 65_536), 'port');
    });

    it('knows its own streams from others', () => {
      const like = Object.create(stream as object) as NativeStreamHandle;
      refused(() => binding.encrypt(...(encryptArguments().with(0, like) as Encrypt)), 'an heir');
      refused(
        () => binding.encrypt(...(encryptArguments().with(0, binding as never) as Encrypt)),
        'another object',
      );
    });
  });
}

function describeThreads(): void {
  it('loads in thread after thread, also in two at once and in one that is terminated in a call', async () => {
    const loaded = loadAddon();
    assert.ok('path' in loaded);
    const code = `
      const { workerData, parentPort } = require('node:worker_threads');
      const { dataPlane } = require(workerData);
      const arena = new Uint8Array(60000), ends = new Uint32Array(40);
      const rows = Int32Array.from({ length: 160 }, (_, i) => (i % 4 === 3 ? 1200 : 0));
      const none = new Uint8Array(0), header = new Uint8Array(12), body = new Uint8Array(1200);
      const run = () => {
        const stream = dataPlane.openStream(1, new Uint8Array(16), new Uint8Array(20), new Uint8Array(14), 5);
        dataPlane.encrypt(stream, arena, ends, header, 12, body, rows, none, 0, 40, 0, true);
      };
      run();
      parentPort.postMessage('ready');
      setImmediate(() => { for (;;) run(); });`;
    for (let round = 0; round < 3; round++) {
      const workers: Worker[] = [0, 1].map(() => new Worker(code, { eval: true, workerData: loaded.path }));
      await Promise.all(workers.map(worker => once(worker, 'message')));
      await Promise.all(workers.map(worker => worker.terminate()));
    }
  });
}
