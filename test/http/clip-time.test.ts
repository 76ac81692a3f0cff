/** Start and end of a clip, in the forms that the contract names and in none besides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clipSecondsMax, parseClipRange, parseClipTime } from '../../src/http/clip-time.ts';

const nowUnixMs = 1_700_000_000_000;

for (const [text, unixMs] of [
  ['2023-11-14T22:13:20Z', nowUnixMs],
  ['2023-11-14T22:13:20.000Z', nowUnixMs],
  ['2023-11-14T23:13:20+01:00', nowUnixMs],
  ['2023-11-14t22:13:20.1239z', nowUnixMs + 123],
  ['1700000000', nowUnixMs],
  ['1700000000.29', nowUnixMs + 290],
  ['1700000000.0009', nowUnixMs],
  ['1700000000000', nowUnixMs],
  ['0', 0],
  ['9999999999', 9_999_999_999_000],
  ['9999999999999', 9_999_999_999_999],
] as const)
  test(`takes ${text}`, () => {
    assert.equal(parseClipTime(text), unixMs);
  });

for (const text of [
  '',
  'now',
  'yesterday',
  '2023-11-14',
  '2023-11-14T22:13:20',
  '2023-11-14 22:13:20Z',
  '2023-02-30T00:00:00Z',
  '-1',
  '+1700000000',
  '1e9',
  '0x10',
  '1700000000.',
  '.5',
  '1700000000,5',
  '17000000000',
  '170000000000',
  '17000000000000',
  '1700000000000.5',
  '1700000000.0123456789',
  ' 1700000000',
  '１７００００００００',
  '1'.repeat(121),
  '1700000000Z',
  '1700000000\n',
  '1700000000\0',
  '%31700000000',
])
  test(`refuses ${JSON.stringify(text).slice(0, 40)}`, () => {
    assert.equal(parseClipTime(text), undefined);
  });

test('the three forms of one moment are the same moment', () => {
  fc.assert(
    fc.property(fc.integer({ min: 10 ** 12, max: 9_999_999_999_999 }), unixMs => {
      const seconds = `${Math.floor(unixMs / 1000)}.${String(unixMs % 1000).padStart(3, '0')}`;
      for (const form of [String(unixMs), seconds, new Date(unixMs).toISOString()])
        assert.equal(parseClipTime(form), unixMs);
    }),
  );
});

const start = '1699999940';

test('the end may be now, the start may not', () => {
  assert.deepEqual(parseClipRange(start, 'now', nowUnixMs), {
    startUnixMs: nowUnixMs - 60_000,
    endUnixMs: nowUnixMs,
  });
  assert.throws(() => parseClipRange('now', '1700000060', nowUnixMs), {
    code: 'clip-range-invalid',
    details: { parameter: 'start', rule: 'format' },
  });
});

test('one millisecond is a range, none and less are not', () => {
  const range = parseClipRange('1700000000000', '1700000000001', nowUnixMs);
  assert.equal(range.endUnixMs - range.startUnixMs, 1);
  for (const end of ['1700000000000', '1700000000.0009', '1699999999'])
    assert.throws(() => parseClipRange('1700000000000', end, nowUnixMs), { details: { rule: 'order' } });
  assert.throws(() => parseClipRange('1700000000', 'now', nowUnixMs), { details: { rule: 'order' } });
});

test('the longest clip is a range, a millisecond more is not', () => {
  const longest = nowUnixMs + clipSecondsMax * 1000;
  assert.ok(parseClipRange(String(nowUnixMs), String(longest), nowUnixMs));
  assert.throws(() => parseClipRange(String(nowUnixMs), String(longest + 1), nowUnixMs), {
    code: 'clip-range-invalid',
    details: { rule: 'length', clipSecondsMax },
  });
});

test('a fault names the parameter and never repeats it', () => {
  assert.throws(() => parseClipRange('1700000000', '<script>', nowUnixMs), {
    details: { parameter: 'end', rule: 'format' },
  });
});
