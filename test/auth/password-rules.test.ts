import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { acceptablePassword, passwordLengthMax } from '../../src/auth/password-rules.ts';

const options = { email: 'Owner@Camera.example', lengthMin: 5 };
const accept = (password: string, lengthMin = 5): string =>
  acceptablePassword(password, { ...options, lengthMin });
const refusedAs = (rule: string) => ({ code: 'password-unacceptable', details: { rule } });

test("takes the API's own examples, passphrases and 64 emoji", () => {
  for (const password of ['12345', '123456', 'good long one', '  spaces  ', '🎥'.repeat(64), 'päßwörd'])
    assert.equal(accept(password), password);
});

test('gives the composed form back', () => {
  assert.equal(accept('cafe\u0301 au lait'), 'caf\u00e9 au lait');
});

test('counts code points of the composed form, and says how many are needed', () => {
  assert.throws(() => accept('1234'), {
    message: /at least 5 characters/,
    code: 'password-unacceptable',
    details: { rule: 'too-short', lengthMin: 5 },
  });
  assert.throws(() => accept('🎥🎥🎥🎥'), /at least 5/);
  assert.throws(() => accept('e\u0301'.repeat(4)), /at least 5/);
  assert.throws(() => accept('12345678901', 12), /at least 12/);
  assert.throws(() => accept(''), /at least 5/);
});

test('takes 128 code points and refuses 129, however they are written', () => {
  assert.equal(accept('🎥'.repeat(passwordLengthMax)).length, 256);
  const tooLong = { code: 'password-unacceptable', details: { rule: 'too-long', lengthMax: 128 } };
  assert.throws(() => accept('x'.repeat(129)), tooLong);
  assert.throws(() => accept('x'.repeat(1_000_000)), tooLong);
  assert.equal(accept('e\u0301'.repeat(128)).length, 128);
});

test('refuses the e-mail itself in any case', () => {
  for (const password of ['owner@camera.example', 'Owner@Camera.example', 'OWNER@CAMERA.EXAMPLE'])
    assert.throws(() => accept(password), refusedAs('equals-email'));
  assert.equal(accept('owner@camera.example1'), 'owner@camera.example1');
});

test('refuses NUL, control characters and lone surrogates', () => {
  for (const character of ['\0', '\n', '\r', '\u001b', '\u007f', '\u0085', '\ud800', '\udc00'])
    assert.throws(() => accept(`good${character}long one`), refusedAs('text'));
});

test('whatever comes, it is refused with a rule or fits all rules', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => {
      try {
        const password = accept(text);
        const length = Array.from(password).length;
        assert.ok(length >= 5 && length <= passwordLengthMax);
        assert.equal(password, password.normalize('NFC'));
        assert.ok(Buffer.from(password, 'utf8').toString('utf8') === password);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'password-unacceptable');
      }
    }),
  );
});
