/** Ranges and conditions (RFC 9110 §13, §14), in the terms of the standard. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderFields } from '../../src/http/header-fields.ts';
import { answerTo } from '../../src/http/ranges.ts';

const etag = '"abc"';
const lengthBytes = 1000;
const answer = (fields: Record<string, string>): ReturnType<typeof answerTo> =>
  answerTo(new HeaderFields(Object.entries(fields)), lengthBytes, etag);
const part = (from: number, to: number) => ({ status: 206, from, to });
const whole = { status: 200, from: 0, to: 1000 };

for (const [range, expected] of [
  ['bytes=0-', part(0, 1000)],
  ['bytes=0-0', part(0, 1)],
  ['bytes=10-19', part(10, 20)],
  ['bytes=999-', part(999, 1000)],
  ['bytes=999-5000', part(999, 1000)],
  ['bytes=0-999999999999999', part(0, 1000)],
  ['bytes=-1', part(999, 1000)],
  ['bytes=-1000', part(0, 1000)],
  ['bytes=-5000', part(0, 1000)],
  ['BYTES=5-6', part(5, 7)],
  ['bytes=1000-', { status: 416 }],
  ['bytes=5000-6000', { status: 416 }],
  ['bytes=-0', { status: 416 }],
  // Broken, several, or of another unit: as if it were not there.
  ['bytes=5-2', whole],
  ['bytes=-', whole],
  ['bytes=', whole],
  ['bytes', whole],
  ['', whole],
  ['bytes=a-b', whole],
  ['bytes=0x1-2', whole],
  ['bytes=1 2-3', whole],
  ['bytes=0-1,3-4', whole],
  [`bytes=${'0-,'.repeat(1000)}0-`, whole],
  ['bytes=0-99999999999999999999', whole],
  ['items=0-5', whole],
] as const)
  test(`Range: ${range.slice(0, 40)} is ${expected.status}`, () => {
    assert.deepEqual(answer({ range }), expected);
  });

test('a range that comes twice is none', () => {
  const headers = new HeaderFields([
    ['range', 'bytes=0-1'],
    ['range', 'bytes=2-3'],
  ]);
  assert.deepEqual(answerTo(headers, lengthBytes, etag), whole);
});

test('If-Range counts by the strong entity tag alone', () => {
  const range = 'bytes=5-';
  assert.deepEqual(answer({ range, 'if-range': etag }), part(5, 1000));
  for (const other of ['"abd"', 'W/"abc"', 'abc', '*', 'Tue, 14 Nov 2023 22:13:20 GMT', ''])
    assert.deepEqual(answer({ range, 'if-range': other }), whole, other);
  // Of a range that is not satisfiable it makes the whole, too.
  assert.deepEqual(answer({ range: 'bytes=5000-', 'if-range': '"old"' }), whole);
});

test('If-None-Match is 304, whatever the range', () => {
  for (const value of [etag, 'W/"abc"', '*', '"x", "abc"'])
    assert.deepEqual(answer({ 'if-none-match': value, range: 'bytes=0-1' }), { status: 304 }, value);
  assert.deepEqual(answer({ 'if-none-match': '"x"', range: 'bytes=0-1' }), part(0, 2));
});

test('If-Match that does not name it is 412, before all else', () => {
  for (const value of ['"x"', 'W/"abc"', ''])
    assert.deepEqual(answer({ 'if-match': value, 'if-none-match': etag }), { status: 412 }, value);
  for (const value of ['*', etag, '"x" , "abc"'])
    assert.deepEqual(answer({ 'if-match': value, range: 'bytes=0-1' }), part(0, 2), value);
});
