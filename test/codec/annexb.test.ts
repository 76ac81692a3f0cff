import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findStartCode, trimTrailingZeros } from '../../src/codec/annexb.ts';
import { payload } from './streams.ts';

test('finds the same start codes as a search of every offset, in any range', () => {
  fc.assert(
    fc.property(payload, fc.nat(60), fc.nat(120), (bytes, from, to) => {
      const end = Math.min(bytes.length, to);
      let expected = -1;
      for (let i = from; i + 3 <= end && expected < 0; i++)
        if (bytes[i] === 0 && bytes[i + 1] === 0 && bytes[i + 2] === 1) expected = i;
      assert.equal(findStartCode(bytes, from, end), expected);
    }),
    { numRuns: 2000 },
  );
});

test('does not see a start code that begins before the range or ends behind it', () => {
  const bytes = Uint8Array.of(0, 0, 1, 0, 0, 1);
  assert.equal(findStartCode(bytes, 0, 6), 0);
  assert.equal(findStartCode(bytes, 1, 6), 3);
  assert.equal(findStartCode(bytes, 1, 5), -1);
});

test('trims zeros at the end, but neither a final 03 nor bytes before the start', () => {
  assert.equal(trimTrailingZeros(Uint8Array.of(1, 0, 0), 0, 3), 1);
  assert.equal(trimTrailingZeros(Uint8Array.of(1, 0, 0, 3), 0, 4), 4);
  assert.equal(trimTrailingZeros(Uint8Array.of(0, 0, 0), 1, 3), 1);
});
