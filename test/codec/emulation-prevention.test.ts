import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findStartCode } from '../../src/codec/annexb.ts';
import {
  addEmulationPrevention,
  payloadOf,
  removeEmulationPrevention,
} from '../../src/codec/emulation-prevention.ts';
import { bytesOf, hex, payload } from './streams.ts';

test('escapes the four byte pairs of H.264 §7.4.1 and an ending zero', () => {
  const escaped = (text: string) => hex(addEmulationPrevention(bytesOf(text)));
  assert.equal(escaped('000000'), '0000030003');
  assert.equal(escaped('000001'), '00000301');
  assert.equal(escaped('000002'), '00000302');
  assert.equal(escaped('000003'), '00000303');
  assert.equal(escaped('000004'), '000004');
  assert.equal(escaped('00000000000001'), '00000300000300000301');
  assert.equal(escaped('800000'), '80000003');
});

test('gives the payload back, holds no start code and does not end in zero', () => {
  fc.assert(
    fc.property(payload, fc.nat(2), (data, cabacZeroWords) => {
      // A payload ends in the stop bit and, if at all, whole cabac_zero_words.
      const bytes = bytesOf(data, [0x80], new Uint8Array(2 * cabacZeroWords));
      const nalUnit = bytesOf([0x65], addEmulationPrevention(bytes));
      assert.equal(findStartCode(nalUnit, 1, nalUnit.length), -1);
      assert.notEqual(nalUnit.at(-1), 0);
      assert.deepEqual(payloadOf(nalUnit, 1), bytes);
    }),
    { numRuns: 1000 },
  );
});

test('stops when the target is full', () => {
  const target = new Uint8Array(3);
  assert.equal(removeEmulationPrevention(bytesOf('000003010203'), 0, 6, target), 3);
  assert.equal(hex(target), '000001');
});
