import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatRfc3339, parseRfc3339 } from '../../src/http/rfc3339.ts';

test('reads back every moment that it writes', () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1, 0, 1), max: Date.UTC(9999, 11, 31) }), unixMs => {
      // toISOString writes years before 0 and after 9999 in another form; those are outside RFC 3339.
      assert.equal(parseRfc3339(formatRfc3339(unixMs)), unixMs);
    }),
  );
});

test('takes an offset, lower case and any fraction', () => {
  const noon = Date.UTC(2022, 1, 2, 12);
  assert.equal(parseRfc3339('2022-02-02T12:00:00Z'), noon);
  assert.equal(parseRfc3339('2022-02-02t12:00:00z'), noon);
  assert.equal(parseRfc3339('2022-02-02T13:30:00+01:30'), noon);
  assert.equal(parseRfc3339('2022-02-01T12:00:00-24:00'), undefined);
  assert.equal(parseRfc3339('2022-02-02T04:00:00-08:00'), noon);
  assert.equal(parseRfc3339('2022-02-02T12:00:00.5Z'), noon + 500);
  assert.equal(parseRfc3339('2022-02-02T12:00:00.123456789Z'), noon + 123);
});

test('knows the calendar', () => {
  assert.equal(parseRfc3339('2023-02-29T00:00:00Z'), undefined);
  assert.equal(parseRfc3339('2024-02-29T00:00:00Z'), Date.UTC(2024, 1, 29));
  assert.equal(parseRfc3339('1900-02-29T00:00:00Z'), undefined);
  assert.equal(parseRfc3339('2000-02-29T00:00:00Z'), Date.UTC(2000, 1, 29));
  assert.equal(parseRfc3339('2024-04-31T00:00:00Z'), undefined);
  assert.equal(parseRfc3339('2024-13-01T00:00:00Z'), undefined);
  assert.equal(parseRfc3339('2024-00-01T00:00:00Z'), undefined);
});

test('takes a leap second only at the end of a UTC day', () => {
  assert.equal(parseRfc3339('2016-12-31T23:59:60Z'), Date.UTC(2017, 0, 1));
  assert.equal(parseRfc3339('2017-01-01T00:59:60+01:00'), Date.UTC(2017, 0, 1));
  assert.equal(parseRfc3339('2016-12-31T12:00:60Z'), undefined);
});

test('refuses what cannot be written in UTC with a year of four digits', () => {
  assert.equal(parseRfc3339('9999-12-31T23:59:59.999Z'), 253_402_300_799_999);
  assert.equal(parseRfc3339('0000-01-01T00:00:00Z'), -62_167_219_200_000);
  for (const text of ['9999-12-31T23:00:00-23:59', '0000-01-01T00:00:00+00:01', '9999-12-31T23:59:60Z'])
    assert.equal(parseRfc3339(text), undefined, text);
});

test('refuses everything else', () => {
  for (const text of [
    '',
    '2',
    '2022-02-02',
    '2022-02-02T12:00:00',
    '2022-02-02 12:00:00Z',
    '2022-02-02T12:00Z',
  ])
    assert.equal(parseRfc3339(text), undefined, text);
  for (const text of [
    '2022-02-02T24:00:00Z',
    '2022-02-02T12:60:00Z',
    ' 2022-02-02T12:00:00Z',
    '2022-02-02T12:00:00Z\n',
  ])
    assert.equal(parseRfc3339(text), undefined, text);
  assert.equal(parseRfc3339('+022022-02-02T12:00:00Z'), undefined);
});
