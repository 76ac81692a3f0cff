/** Two runs of the benchmark side by side: what counts as worse, and what is only said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareReports, comparisonText } from '../../bench/compare.ts';
import { figure, report } from './reports.ts';

const rules = { threshold: 1.25, ignoresNoisy: false };

test('what should be low and grew beyond the threshold fails; what should be high and fell too', () => {
  const before = report([figure('a.low', [100]), figure('a.high', [100], 'higher'), figure('a.same', [100])]);
  const worse = compareReports(
    before,
    report([figure('a.low', [126]), figure('a.high', [79], 'higher'), figure('a.same', [124])]),
    rules,
  );
  assert.deepEqual(
    worse.figures.map(({ verdict, fails }) => [verdict, fails]),
    [
      ['worse', true],
      ['worse', true],
      ['same', false],
    ],
  );
  assert.equal(worse.fails, true);
  const better = compareReports(
    before,
    report([figure('a.low', [79]), figure('a.high', [126], 'higher'), figure('a.same', [100])]),
    rules,
  );
  assert.deepEqual(
    better.figures.map(({ verdict }) => verdict),
    ['better', 'better', 'same'],
  );
  assert.equal(better.fails, false);
});

test('a noisy figure fails as any other, unless it is said that it should not', () => {
  const before = report([figure('a.b', [50, 100, 150])]);
  const after = report([figure('a.b', [300])]);
  assert.equal(compareReports(before, after, rules).fails, true);
  const comparison = compareReports(before, after, { ...rules, ignoresNoisy: true });
  assert.equal(comparison.fails, false);
  assert.match(comparisonText(comparison), /worse \(noisy\)/);
});

test('zero in both is the same, zero before and something after is worse', () => {
  const lost = (count: number) => report([figure('viewers.lost', [count])]);
  assert.equal(compareReports(lost(0), lost(0), rules).fails, false);
  assert.equal(compareReports(lost(0), lost(1), rules).fails, true);
  assert.equal(compareReports(lost(1), lost(0), rules).figures[0]!.verdict, 'better');
});

test('figures that one run alone has, and other machines, are said and do not fail', () => {
  const before = report([figure('a.b', [1]), figure('a.gone', [1])]);
  const after = report([figure('a.b', [1]), figure('a.new', [1])], { node: 'v22.0.0' });
  const comparison = compareReports(before, after, rules);
  assert.equal(comparison.fails, false);
  const text = comparisonText(comparison);
  assert.match(text, /only before: a\.gone/);
  assert.match(text, /only after: a\.new/);
  assert.match(text, /careful: Node: v20\.20\.2, then v22\.0\.0/);
});
