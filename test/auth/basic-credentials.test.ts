import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { credentialsBytesMax, parseBasic } from '../../src/auth/basic-credentials.ts';

function basic(text: string | Uint8Array): string {
  return `Basic ${Buffer.from(text as string).toString('base64')}`;
}

test('no field, or one of another scheme, is missing credentials', () => {
  for (const field of [undefined, '', 'Bearer abc', 'Basics abc', 'Digest username="x"', 'dXNlcjpw'])
    assert.throws(() => parseBasic(field), { code: 'credentials-missing' }, String(field));
});

test("reads the RFC's example", () => {
  assert.deepEqual(parseBasic('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='), {
    email: 'Aladdin',
    candidates: [{ password: 'open sesame', label: '' }],
  });
});

test('takes the scheme in any case and several spaces after it', () => {
  const field = basic('a@b.c:secret').replace('Basic ', 'bAsIc   ');
  assert.equal(parseBasic(field)?.email, 'a@b.c');
});

test('a rest with a colon is first a password as a whole, then a password with a device label', () => {
  assert.deepEqual(parseBasic(basic('a@b.c:pass:word:Phone of Zoë 😀')), {
    email: 'a@b.c',
    candidates: [
      { password: 'pass:word:Phone of Zoë 😀', label: '' },
      { password: 'pass:word', label: 'Phone of Zoë 😀' },
    ],
  });
  assert.deepEqual(parseBasic(basic('a@b.c:secret:'))?.candidates, [
    { password: 'secret:', label: '' },
    { password: 'secret', label: '' },
  ]);
});

test('a label that cannot be shown or is too long is never a label, but costs the same', () => {
  for (const label of ['x\u202egnp.exe', 'zero\u200bwidth', 'x'.repeat(65), '\ufeffbom', 'line\u2028end']) {
    const candidates = parseBasic(basic(`a@b.c:secret:${label}`))?.candidates;
    const whole = { password: `secret:${label}`, label: '' };
    assert.deepEqual(candidates, [whole, whole], JSON.stringify(label));
  }
  assert.equal(parseBasic(basic(`a@b.c:secret:${'😀'.repeat(64)}`))?.candidates[1]?.password, 'secret');
});

test('the longest user name, password and label fit, composed and decomposed', () => {
  const longest = [
    ['字'.repeat(254), '😀'.repeat(128), '😀'.repeat(64)],
    // One syllable of three bytes is three letters of three bytes each in NFD.
    ['각'.repeat(254), '각'.repeat(128), '각'.repeat(64)].map(text => text.normalize('NFD')),
  ] as const;
  for (const [email, password, label] of longest)
    assert.equal(parseBasic(basic(`${email}:${password}:${label}`))?.candidates[1]?.password, password);
});

test('anything wrong inside is one and the same refusal', () => {
  const good = basic('a@b.c:secret');
  const wrong = {
    'nothing after the scheme': 'Basic',
    'an empty pair': 'Basic ',
    'no colon': basic('a@b.c'),
    'no user name': basic(':secret'),
    'a second word': `${good} x`,
    'a space at the end': `${good} `,
    'missing padding': basic('a@b.c:secrets').replace(/=+$/, ''),
    'padding in the middle': 'Basic YTo=YTpi',
    'three paddings': 'Basic Y===',
    'URL alphabet': basic('a@b.c:\u00ff\u00fe>>>???').replace(/\+/g, '-').replace(/\//g, '_'),
    'bits beyond the last byte': 'Basic YTpiYR==',
    'a line break': `Basic YTpi\nYTpi`,
    'a NUL': basic('a@b.c:sec\0ret'),
    'a control character in the name': basic('a\u001b@b.c:secret'),
    'a C1 control character': basic('a@b.c:se\u0085cret'),
    'Latin-1': basic(Buffer.from('a@b.c:caf\xe9', 'latin1')),
    'an overlong form': basic(new Uint8Array([0x61, 0x3a, 0xc0, 0xaf])),
    'a surrogate in UTF-8': basic(new Uint8Array([0x61, 0x3a, 0xed, 0xa0, 0x80])),
    'more than 4 KiB': basic(`a:${'x'.repeat(credentialsBytesMax - 1)}`),
    'a megabyte': basic(`a:${'x'.repeat(1e6)}`),
  };
  for (const [what, field] of Object.entries(wrong)) assert.equal(parseBasic(field), undefined, what);
});

test('takes exactly 1 KiB', () => {
  const password = 'x'.repeat(credentialsBytesMax - 2);
  assert.equal(parseBasic(basic(`a:${password}`))?.candidates[0]?.password, password);
});

test('an empty password is a password, which no user can have', () => {
  assert.deepEqual(parseBasic(basic('a@b.c:'))?.candidates, [{ password: '', label: '' }]);
});

test('gives back what was sent, for every name and password that may be', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 }).filter(value => !/\p{Cc}/u.test(value));
  fc.assert(
    fc.property(
      text.filter(name => name !== '' && !name.includes(':')),
      text,
      (name, password) => {
        const credentials = parseBasic(basic(`${name}:${password}`));
        assert.equal(credentials?.email, name);
        assert.equal(credentials?.candidates[0]?.password, password);
        assert.equal(credentials?.candidates.length, password.includes(':') ? 2 : 1);
      },
    ),
  );
});

test('no header field of any kind throws anything but missing credentials', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      for (const field of [text, `Basic ${text}`, basic(text)])
        try {
          parseBasic(field);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'credentials-missing');
        }
    }),
  );
});
