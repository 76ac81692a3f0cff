/** When a manifest is the answer (RFC 9110 §12.5.1). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefersJson } from '../../src/http/prefers-json.ts';

for (const [accept, expected] of [
  [[], false],
  [['*/*'], false],
  [['video/mp4'], false],
  [['application/json'], true],
  [['Application/JSON'], true],
  [['application/*'], true],
  [['application/json, text/plain, */*'], false],
  [['application/json, */*;q=0.1'], true],
  [['application/json, video/mp4;q=0.5'], true],
  [['application/json;q=0.5, video/*'], false],
  [['application/json;q=0'], false],
  [['application/json;q=0, */*'], false],
  [['text/html', 'application/json'], true],
  [['application/json;charset=utf-8;q=1.0'], true],
  [['application/jsonp'], false],
  [[',;=/'], false],
] as const)
  test(`Accept: ${accept.join(' | ') || 'none'} is ${expected ? 'the manifest' : 'the file'}`, () => {
    assert.equal(prefersJson(accept), expected);
  });
