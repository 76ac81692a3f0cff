/** The hint below a new password, against the camera's own rules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { acceptablePassword } from '../../src/auth/password-rules.ts';
import { loadConfiguration } from '../../src/config/load.ts';

const page = new URL('../../assets/page/', import.meta.url);
const { adviseOnPassword, lengthAdvised, lengthRequired } = await import(
  new URL('password-advice.js', page).href
);

const email = 'Owner@camera.example';

test('refuses exactly what the camera would refuse', () => {
  const password = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 140 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(email, ' OWNER@camera.example ', '🔑'.repeat(128), '🔑'.repeat(129), 'é'.repeat(5)),
  );
  fc.assert(
    fc.property(password, fc.integer({ min: 1, max: 20 }), (text, required) => {
      const { level } = adviseOnPassword({ password: text, email, required });
      let isTaken = true;
      try {
        acceptablePassword(text, { email, lengthMin: required });
      } catch {
        isTaken = false;
      }
      assert.equal(level === 'weak' || level === 'good', isTaken, level);
    }),
  );
});

test('asks for twelve characters and takes five', () => {
  const advise = (password: string): { level: string; text: string; meter: number } =>
    adviseOnPassword({ password, email });
  assert.equal(lengthAdvised, 12);
  assert.match(advise('').text, /Required: 5 .* Advised: 12/);
  assert.match(advise('abcd').text, /requires 5 .*12 are advised/);
  assert.equal(advise('abcd').level, 'refused');
  assert.equal(advise('abcde').level, 'weak');
  assert.match(advise('abcdefghijk').text, /12 characters or more are advised/);
  assert.equal(advise('abcdefghijkl').level, 'good');
  // One letter twelve times is long, and the first thing to be guessed.
  assert.equal(advise('aaaaaaaaaaaa').level, 'weak');
  assert.ok(advise('aaaaaaaaaaaa').meter < lengthAdvised);
  // Twelve characters are twelve that one sees, not the units that they are stored in.
  assert.equal(advise('🔑🗝️🚪🪟').level, 'weak');
});

test('requires what the camera requires as it is shipped', () => {
  assert.equal(lengthRequired, loadConfiguration().configuration.accounts.passwordLengthMin);
});
