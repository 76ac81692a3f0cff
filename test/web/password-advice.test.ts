/** The hint below a new password, against the camera's own rules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { acceptablePassword } from '../../src/auth/password-rules.ts';
import { adviseOnPassword, lengthRequired } from '../../src/web/session/password-advice.ts';

const email = 'Owner@camera.example';

test('never sends what the camera would refuse', () => {
  const password = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 140 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(email, ' OWNER@camera.example ', '🔑'.repeat(128), '🔑'.repeat(129), 'é'.repeat(5)),
  );
  fc.assert(
    fc.property(password, fc.integer({ min: 1, max: 20 }), (text, required) => {
      const { level } = adviseOnPassword({ password: text, email, required });
      if (level === 'refused' || level === 'none') return;
      acceptablePassword(text, { email, lengthMin: required });
    }),
  );
});

test('asks for twelve characters, or for as many as the camera has said', () => {
  const advise = (password: string, required = 0): ReturnType<typeof adviseOnPassword> =>
    adviseOnPassword({ password, email, required });
  assert.equal(lengthRequired, 12);
  assert.match(advise('').text, /At least 12/);
  assert.match(advise('abcd').text, /8 more characters/);
  assert.match(advise('abcdefghijk').text, /1 more character,/);
  assert.equal(advise('abcdefghijk').level, 'refused');
  assert.equal(advise('abcdefghijkl').level, 'good');
  assert.equal(advise('abcdefghijkl', 14).level, 'refused');
  assert.equal(advise('four words that rhyme').level, 'strong');
  // One letter twelve times is long, and the first thing to be guessed.
  assert.equal(advise('aaaaaaaaaaaa').level, 'refused');
  // Twelve characters are twelve that one sees, not the units that they are stored in.
  assert.equal(advise('🔑🗝️🚪🪟').level, 'refused');
});
