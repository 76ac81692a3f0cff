import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSetupToken, makeSetupToken, setupTokenHash } from '../../src/auth/setup-token.ts';

test('tokens differ and use all 32 characters evenly', () => {
  const tokens = Array.from({ length: 2000 }, makeSetupToken);
  assert.equal(new Set(tokens).size, tokens.length);
  const counts = new Map<string, number>();
  for (const character of tokens.join('')) counts.set(character, (counts.get(character) ?? 0) + 1);
  assert.equal(counts.size, 32);
  // 1000 expected of each; six standard deviations (31) are never left by chance.
  for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 190, String(count));
});

test('only the token itself fits its hash, however it is typed', () => {
  const hash = setupTokenHash('0123456789ABCDEF');
  for (const typed of ['0123456789ABCDEF', 'o123-4567 89ab-cdef', 'OI23456789ABCDEF', '0L23456789ABCDEF'])
    assert.ok(isSetupToken(typed, hash), typed);
  for (const typed of ['', '0123456789ABCDE', '0123456789ABCDEG', '0123456789ABCDEF0', hash])
    assert.equal(isSetupToken(typed, hash), false, typed);
  assert.equal(isSetupToken('', setupTokenHash('')), false);
  assert.equal(isSetupToken(`${' '.repeat(100)}0123456789ABCDEF`, hash), false);
});
