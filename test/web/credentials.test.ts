/** What the page sends at log-in, read by the camera's own parser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBasic } from '../../src/auth/basic-credentials.ts';
import { basicAuthorization, deviceLabel, isEmail } from '../../src/web/api/credentials.ts';

const email = 'jörg@kamera.example';

test('the camera reads password and device name as they were, whatever letters and colons they hold', () => {
  const typed = fc
    .array(fc.constantFrom(':', ' ', 'a', '5', 'ä', 'é', '密', '🔑', '"', '%', ': Firefox on Linux'))
    .map(parts => parts.join(''))
    .filter(password => password !== '');
  fc.assert(
    fc.property(typed, password => {
      const read = parseBasic(basicAuthorization(email, password, 'Firefox on Linux'));
      assert.equal(read?.email, email);
      assert.deepEqual(read?.candidates.at(-1), { password, label: 'Firefox on Linux' });
    }),
  );
});

test('a password with a colon is never also read without what follows the colon', () => {
  const read = parseBasic(basicAuthorization(email, 'secret:x', 'Chrome on Windows'));
  assert.ok(!read?.candidates.some(({ password }) => password === 'secret'));
});

test('a device name that could be misread or does not fit is left out', () => {
  for (const label of ['', 'a:b', 'name\nnext', 'Gerät', 'x'.repeat(65)])
    assert.deepEqual(
      parseBasic(basicAuthorization(email, 'secret', label))?.candidates,
      [{ password: 'secret', label: '' }],
      JSON.stringify(label),
    );
  // The camera takes 1024 bytes: the password goes before the name.
  const long = '🔑'.repeat(248);
  assert.deepEqual(parseBasic(basicAuthorization(email, long, 'Firefox on Linux'))?.candidates, [
    { password: long, label: '' },
  ]);
});

test('names the browser and the system of common devices', () => {
  const mozilla = 'Mozilla/5.0';
  const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)';
  const devices: readonly [string, string, number?][] = [
    ['Firefox on Linux', `${mozilla} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0`],
    [
      'Chrome on Windows',
      `${mozilla} (Windows NT 10.0; Win64; x64) ${webkit} Chrome/140.0.0.0 Safari/537.36`,
    ],
    [
      'Edge on Windows',
      `${mozilla} (Windows NT 10.0) ${webkit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0`,
    ],
    [
      'Chrome on Android',
      `${mozilla} (Linux; Android 10; K) ${webkit} Chrome/140.0.0.0 Mobile Safari/537.36`,
    ],
    [
      'Samsung Internet on Android',
      `${mozilla} (Linux; Android 10; K) SamsungBrowser/28.0 Chrome/130.0 Safari/537`,
    ],
    [
      'Safari on iPhone',
      `${mozilla} (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile Safari/604.1`,
    ],
    [
      'Firefox on iPhone',
      `${mozilla} (iPhone; CPU iPhone OS 18_5 like Mac OS X) FxiOS/140.0 Mobile Safari/604.1`,
    ],
    ['Safari on macOS', `${mozilla} (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1.15`, 0],
    ['Safari on iPad', `${mozilla} (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1.15`, 5],
    [
      'Chrome on ChromeOS',
      `${mozilla} (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/140.0.0.0 Safari/537.36`,
    ],
    ['Browser', 'something else'],
  ];
  for (const [name, userAgent, maxTouchPoints] of devices)
    assert.equal(
      deviceLabel({ userAgent, ...(maxTouchPoints === undefined ? {} : { maxTouchPoints }) }),
      name,
    );
});

test('takes for an e-mail address what the camera takes', () => {
  for (const text of ['a@b', email, 'owner+cam@sub.example.com', 'john@email.com'])
    assert.ok(isEmail(text), text);
  for (const text of ['', 'a', '@b', 'a@', 'a@b@c', 'a b@c', 'a:b@c', `${'a'.repeat(253)}@b`])
    assert.ok(!isEmail(text), text);
});
