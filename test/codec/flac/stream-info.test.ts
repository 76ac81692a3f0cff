import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flacStreamInfo } from '../../../src/codec/flac/stream-info.ts';

test('says 8 kHz, one channel, 16 bits, blocks of 16 to 4608 samples, the rest unknown', () => {
  const bits = [...flacStreamInfo()].map(byte => byte.toString(2).padStart(8, '0')).join('');
  const fields: number[] = [];
  let at = 0;
  // RFC 9639 §8.2: block sizes, frame sizes, sample rate, channels - 1, bits - 1, samples, MD5.
  for (const width of [16, 16, 24, 24, 20, 3, 5, 36]) {
    fields.push(Number.parseInt(bits.slice(at, at + width), 2));
    at += width;
  }
  assert.deepEqual(fields, [16, 4608, 0, 0, 8000, 0, 15, 0]);
  assert.match(bits.slice(at), /^0{128}$/);
});
