/** What is said of samples, and which files are reports. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReport, quantileOfSamples } from '../../bench/figures.ts';
import { figure, report } from './reports.ts';

test('a figure has the median, the bad end of its samples, and whether they spread too far', () => {
  const steady = figure('a.b', [10, 11, 12]);
  assert.equal(steady.median, 11);
  assert.equal(steady.p95, 11.9);
  assert.equal(steady.isNoisy, false);
  assert.equal(figure('a.b', [10, 11, 12], 'higher').p95, 10.1);
  assert.equal(figure('a.b', [5, 10, 15]).isNoisy, true);
  assert.equal(quantileOfSamples([1, 2, 3, 4], 0.5), 2.5);
});

test('a figure of a thousand samples keeps sixty-four of them, from all of the time', () => {
  const { samples, count } = figure(
    'a.b',
    Array.from({ length: 1000 }, (_, i) => i + 1),
  );
  assert.equal(count, 1000);
  assert.equal(samples.length, 64);
  assert.ok(samples.at(-1)! > 950);
});

test('samples that are no numbers are refused, with the name of the figure', () => {
  assert.throws(() => figure('a.b', []), /a\.b/);
  assert.throws(() => figure('a.b', [1, Number.NaN]), /a\.b/);
});

test('a report is read back as it was written; anything else is refused in words', () => {
  const written = report([figure('a.b', [1, 2, 3])], { notes: ['a note'] });
  assert.deepEqual(parseReport(JSON.stringify(written), 'f'), written);
  assert.throws(() => parseReport('{', 'f.json'), /f\.json is not JSON/);
  assert.throws(() => parseReport('null', 'f.json'), /f\.json is no report of version 1/);
  assert.throws(() => parseReport('{"schemaVersion":2}', 'f.json'), /no report of version 1/);
  const { median: _, ...broken } = figure('a.b', [1]);
  const damaged = { ...written, figures: [broken] };
  assert.throws(() => parseReport(JSON.stringify(damaged), 'f.json'), /f\.json is a damaged report/);
});
