/** Numbers, times and addresses as the page writes and reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firmwareProblems } from '../../src/http/firmware-problems.ts';
import { wordsOfCode } from '../../src/web/api/camera-problem.ts';
import { readRange } from '../../src/web/export/range-text.ts';
import { retryDelayMs } from '../../src/web/live/retry-delay.ts';
import { EventStreamReader, mayUpload, resultWords, slotWords } from '../../src/web/settings/firmware.ts';
import { parseRoute, routeTo } from '../../src/web/ui/routes.ts';
import { bitRateText, bytesText, clockText, durationText, localInputText } from '../../src/web/ui/texts.ts';
import { healthWords } from '../../src/web/views/health-words.ts';

test('sizes, rates and lengths are written as people say them', () => {
  assert.deepEqual([0, 999, 1000, 12_345, 999_500, 4_567_890, 123_456_789, 9.9e12].map(bytesText), [
    '0 bytes',
    '999 bytes',
    '1.0 kB',
    '12.3 kB',
    '1.0 MB',
    '4.6 MB',
    '123 MB',
    '9.9 TB',
  ]);
  assert.deepEqual([64_000, 2_500_000].map(bitRateText), ['64 kbit/s', '2.5 Mbit/s']);
  assert.deepEqual([400, 45_000, 61_000, 3_600_000, 5_000_000, 300_000_000].map(durationText), [
    '0 s',
    '45 s',
    '1 min 1 s',
    '1 h',
    '1 h 23 min',
    '3 days',
  ]);
});

test('a moment that is typed is the moment that was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_600_000_000, max: 2_000_000_000 }), seconds => {
      const read = new Date(localInputText(seconds * 1000));
      // An hour that a zone has twice may be read as the other one.
      assert.equal(clockText(read.getTime()), clockText(seconds * 1000));
    }),
  );
});

test('a range that makes no clip is told in words', () => {
  const now = Date.parse('2026-11-23T12:00:00');
  const read = (start: string, end: string): unknown => readRange(start, end, now);
  assert.deepEqual(read('2026-11-23T11:00:00', '2026-11-23T11:00:10'), {
    startUnixMs: now - 3_600_000,
    endUnixMs: now - 3_590_000,
  });
  assert.match(String(read('', '2026-11-23T11:00:00')), /when it begins/);
  assert.match(String(read('2026-11-23T11:00:00', '')), /when it ends/);
  assert.match(String(read('2026-11-23T11:00:00', '2026-11-23T11:00:00')), /after it begins/);
  assert.match(String(read('2026-11-01T11:00:00', '2026-11-23T11:00:00')), /24 hours/);
  assert.match(String(read('2026-11-24T11:00:00', '2026-11-24T11:00:10')), /not happened/);
});

test('a view and its moments are read from the address that names them', () => {
  assert.deepEqual(parseRoute(routeTo('timeline', 1_800_000_000_123)), {
    view: 'timeline',
    moments: [1_800_000_000_123],
  });
  assert.deepEqual(parseRoute(routeTo('export', 1, 2)).moments, [1, 2]);
  for (const other of ['', '#', '#nothing', '#<script>', '#%']) assert.equal(parseRoute(other).view, 'live');
  assert.deepEqual(parseRoute('#timeline/nonsense/%E0%A4%A').moments, []);
});

test('pauses between tries grow, keep to what the camera asks, and differ between viewers', () => {
  const pauses = [0, 1, 2, 3, 4, 5, 50].map(failures => retryDelayMs(failures, 0, 0.5));
  assert.deepEqual(pauses, [300, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  assert.ok(retryDelayMs(0, 60_000, 0) >= 60_000);
  assert.notEqual(retryDelayMs(3, 0, 0), retryDelayMs(3, 0, 1));
});

test('events are read from a stream wherever it is cut', () => {
  const text = ': hello\r\n\r\ndata: {"a":1}\r\n\r\nevent: x\ndata: one\ndata: two\n\ndata:3\n\n';
  for (let cut = 0; cut <= text.length; cut++) {
    const reader = new EventStreamReader();
    // A line end that is cut in two is not told from a short one; streams of the camera have short ones.
    if (text[cut - 1] === '\r') continue;
    const events = [...reader.take(text.slice(0, cut)), ...reader.take(text.slice(cut))];
    assert.deepEqual(events, ['{"a":1}', 'one\ntwo', '3'], `cut at ${cut}`);
  }
});

test('the last upgrade is told in words, and why it came to nothing', () => {
  const at = '2026-11-23T12:00:00.000Z';
  assert.equal(
    resultWords({ outcome: 'fell-back', version: '2.0.0', reason: 'there are no pictures', at }),
    'Version 2.0.0 did not prove itself, so the one before runs: there are no pictures.',
  );
  assert.equal(
    resultWords({ outcome: 'confirmed', version: '2.0.0', at }),
    'Version 2.0.0 proved itself and is kept.',
  );
  assert.equal(
    resultWords({ outcome: 'failed', version: '2.0.0', reason: 'firmware-no-room', at }),
    'Version 2.0.0 was not installed: The camera has no room left for this image.',
  );
  assert.equal(resultWords(null), undefined);
});

test('every refusal of an image has words of its own', () => {
  const codes = Object.keys(firmwareProblems);
  assert.ok(codes.length > 10);
  for (const code of codes) assert.ok(wordsOfCode(code), code);
});

test('what is in a slot is told, and only what is free takes another image', () => {
  assert.equal(slotWords({ version: '1.0.0', state: 'good' }), '1.0.0');
  assert.equal(slotWords({ version: '2.0.0', state: 'bad' }), '2.0.0, did not work');
  assert.equal(slotWords({ version: null, state: 'empty' }), 'empty');
  assert.equal(slotWords({ version: null, state: 'unknown' }), '–');
  for (const state of ['idle', 'confirmed', 'fell-back', 'failed']) assert.ok(mayUpload(state), state);
  for (const state of ['receiving', 'verifying', 'ready', 'restarting', 'trial'])
    assert.ok(!mayUpload(state), state);
});

test('what is wrong with the camera is told, the picture before the card', () => {
  const well = {
    status: 'ok',
    uptime: 1,
    workers: [],
    sources: [{ name: 'main', state: 'running' }],
  } as const;
  assert.equal(healthWords(well), undefined);
  const recorder = { state: 'card-missing', since: '', index: 'ok' } as const;
  assert.match(healthWords({ ...well, recorder }) ?? '', /card is missing/);
  assert.match(
    healthWords({ ...well, recorder, sources: [{ name: 'main', state: 'down' }] }) ?? '',
    /no picture/,
  );
});
