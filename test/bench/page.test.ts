/** The pages of the benchmark: whole by themselves, and safe whatever a machine calls itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareReports } from '../../bench/compare.ts';
import { comparisonPage, reportPage } from '../../bench/html/page.ts';
import { figure, report } from './reports.ts';

const evil = '<img src=x onerror="alert(1)">&';
const before = report([figure('ring.a', [1, 2, 3]), figure('viewers.b', [5], 'higher')], {
  notes: [evil],
  commit: evil,
});
const after = report([figure('ring.a', [9]), figure('viewers.b', [5], 'higher')]);
const pages = {
  report: reportPage(before),
  comparison: comparisonPage(
    before,
    after,
    compareReports(before, after, { threshold: 1.25, ignoresNoisy: false }),
  ),
};

for (const [name, page] of Object.entries(pages)) {
  test(`the page of a ${name} asks nobody for anything and runs no script`, () => {
    assert.doesNotMatch(page, /https?:|\/\/|@import|url\(|<script|<link|<img|<[^>]*\son\w+=/i);
  });

  test(`the tags of the page of a ${name} close in order`, () => {
    const open: string[] = [];
    for (const [, slash, tag] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
      if (tag === 'meta') continue;
      if (slash === '') open.push(tag!);
      else assert.equal(open.pop(), tag);
    }
    assert.deepEqual(open, []);
  });
}

test('text of the machine is text on the page', () => {
  assert.ok(pages.report.includes('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;'));
});

test('figures of the page have their numbers, and what got worse is marked', () => {
  assert.match(pages.report, /the ring\.a/);
  assert.match(pages.comparison, /<tr class="worse"><th scope="row">ring: the ring\.a/);
  assert.match(pages.comparison, /9\.00|4\.50/);
});
