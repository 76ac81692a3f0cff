import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CameraError } from '../../src/base/errors.ts';
import { decodeRecord, encodeRecord, recordLengthMax } from '../../src/store/record.ts';

const isStateFailed = (error: unknown): boolean => (error as CameraError).code === 'state-failed';

test('a record comes back as it went in, with the version in front', () => {
  const content = { text: 'zwei\nZeilen \u0000 🎥', list: [1, null, true], nested: { a: {} } };
  const text = encodeRecord('key', content);
  assert.match(text, /^1 [0-9a-f]{16} \{/);
  assert.deepEqual(decodeRecord('key', text), content);
});

test('any changed character, another key and another version are refused', () => {
  const text = encodeRecord('key', { a: 'bc' });
  for (let i = 0; i < text.length; i++) {
    const other = text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ 1) + text.slice(i + 1);
    assert.throws(() => decodeRecord('key', other), isStateFailed, String(i));
  }
  assert.throws(() => decodeRecord('kez', text), isStateFailed);
  assert.throws(() => decodeRecord('key', ''), isStateFailed);
  assert.throws(() => decodeRecord('key', text.slice(0, -1)), isStateFailed);
  assert.throws(() => decodeRecord('key', `2${text.slice(1)}`), /later version/);
});

test('a record has a largest size', () => {
  assert.throws(() => encodeRecord('key', 'x'.repeat(recordLengthMax)), isStateFailed);
});
