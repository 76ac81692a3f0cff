import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BitReader } from '../../src/base/bit-reader.ts';
import { BitWriter } from '../codec/streams.ts';

test('reads what was written: u(n) of 0 to 32 bits, ue(v) and se(v)', () => {
  const field = fc.oneof(
    fc.integer({ min: 0, max: 32 }).chain(count =>
      fc.record({
        kind: fc.constant('u' as const),
        count: fc.constant(count),
        value: fc.integer({ min: 0, max: 2 ** count - 1 }),
      }),
    ),
    fc.record({
      kind: fc.constant('ue' as const),
      count: fc.constant(0),
      value: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
    }),
    fc.record({
      kind: fc.constant('se' as const),
      count: fc.constant(0),
      value: fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(field, { maxLength: 40 }), fields => {
      const writer = new BitWriter();
      for (const { kind, count, value } of fields) {
        if (kind === 'u' && count > 0) writer.u(count, value);
        else if (kind !== 'u') writer[kind](value);
      }
      const reader = new BitReader(writer.end());
      for (const { kind, count, value } of fields) {
        const read =
          kind === 'u' ? reader.readBits(count) : kind === 'ue' ? reader.readUnsigned() : reader.readSigned();
        assert.equal(read, count === 0 && kind === 'u' ? 0 : value);
      }
      assert.equal(reader.readFlag(), true); // the stop bit
      assert.ok(reader.bitsLeft < 8);
    }),
  );
});

test('reads the table of Exp-Golomb codes of H.264 §9.1', () => {
  // 1 | 010 | 011 | 00100 | 00111 | 0001000
  const reader = new BitReader(Uint8Array.of(0b1010_0110, 0b0100_0011, 0b1000_1000));
  assert.deepEqual(
    [0, 1, 2, 3, 6, 7],
    Array.from({ length: 6 }, () => reader.readUnsigned()),
  );
});

test('throws stream-invalid at the end of its range, though the array goes on', () => {
  const reader = new BitReader(Uint8Array.of(0xff, 0xff), 0, 1);
  assert.equal(reader.readBits(7), 127);
  assert.throws(() => reader.readBits(2), { code: 'stream-invalid' });
  assert.throws(() => reader.skipBits(2), { code: 'stream-invalid' });
  assert.equal(reader.readBits(1), 1);
  assert.throws(() => reader.readFlag(), { code: 'stream-invalid' });
});

test('refuses an Exp-Golomb number of more than 32 bits and one above its bound', () => {
  assert.throws(() => new BitReader(new Uint8Array(100)).readUnsigned(), { code: 'stream-invalid' });
  assert.throws(() => new BitReader(Uint8Array.of(0b0010_0000)).readUnsignedUpTo(2, 'value'), {
    code: 'stream-invalid',
  });
});

test('starts over with other bytes after reset', () => {
  const reader = new BitReader(Uint8Array.of(0));
  reader.readBits(8);
  reader.reset(Uint8Array.of(0xff, 0xa5), 1, 2);
  assert.equal(reader.readBits(8), 0xa5);
});
