import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc8, crc16 } from '../../../src/codec/flac/checksums.ts';

/** The frame of the first example of RFC 9639 (appendix D.1.3). */
const example = Buffer.from('fff869180000bf0358fd03128baa9a', 'hex');

test("computes both checksums of RFC 9639's example", () => {
  assert.equal(crc8(example, 6), 0xbf);
  assert.equal(crc16(example, 13), 0xaa9a);
});

test('is 0 over a frame with its checksum', () => {
  assert.equal(crc8(example, 7), 0);
  assert.equal(crc16(example, 15), 0);
});
