import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  holdUsMax,
  holdUsMin,
  largePictureUs,
  PausePolicy,
  pieceBytes,
  quietUsFirst,
  quietUsMax,
} from '../../src/capture/pause-policy.ts';

test('ends a small picture after the first quiet time, a large one later', () => {
  const policy = new PausePolicy();
  assert.equal(policy.waitUs(5000, 77_777, 0x80), quietUsFirst);
  assert.equal(policy.waitUs(pieceBytes + 1, 77_777, 0x80), quietUsFirst + largePictureUs);
});

test('doubles the quiet time with each early flush, up to its limit', () => {
  const policy = new PausePolicy();
  policy.onEarlyFlush();
  assert.equal(policy.quietUs, 2 * quietUsFirst);
  for (let i = 0; i < 20; i++) policy.onEarlyFlush();
  assert.equal(policy.quietUs, quietUsMax);
});

test('does not take silence at the end of a writer buffer, or after a zero byte, as an end', () => {
  const policy = new PausePolicy();
  assert.equal(policy.waitUs(32_768, 99_999, 0x80), holdUsMin);
  assert.equal(policy.waitUs(5000, 8192, 0x80), holdUsMin);
  assert.equal(policy.waitUs(5000, 99_999, 0), holdUsMin);
});

test('holds such a picture for some frame periods, within limits', () => {
  const policy = new PausePolicy();
  for (let i = 0; i < 5; i++) policy.onPicture(i * 100_000);
  assert.equal(policy.waitUs(4096, 99_999, 0x80), 250_000);
  for (let i = 1; i < 200; i++) policy.onPicture(1e7 * i);
  assert.equal(policy.waitUs(4096, 99_999, 0x80), holdUsMax);
});
