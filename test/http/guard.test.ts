import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerHeaders, requestFault } from '../../src/http/guard.ts';
import { type HeaderField, HeaderFields } from '../../src/http/header-fields.ts';

function faultOf(fields: readonly HeaderField[], path = '/'): string | undefined {
  return requestFault(path, new HeaderFields(fields));
}

const host: HeaderField = ['host', 'camera.local:8080'];

test('passes an ordinary request', () => {
  assert.equal(faultOf([host, ['content-length', '0'], ['x-token', 'a b']]), undefined);
  assert.equal(faultOf([['host', '[fe80::1%25eth0]:80']]), undefined);
});

test('refuses two lengths, an empty one and one that is not a number', () => {
  assert.match(faultOf([host, ['content-length', '3'], ['content-length', '3']]) ?? '', /content-length/);
  for (const value of ['', '+3', '-3', '3, 3', '0x3', '3 3', '9'.repeat(16)])
    assert.match(faultOf([host, ['content-length', value]]) ?? '', /content-length/, value);
});

test('refuses any transfer-encoding', () => {
  for (const value of ['chunked', 'identity', '', 'gzip, chunked', 'chunked\t'])
    assert.match(faultOf([host, ['transfer-encoding', value]]) ?? '', /transfer-encoding/, value);
});

test('refuses a missing, second, empty or impossible host', () => {
  for (const fields of [
    [],
    [host, host],
    [['host', '']],
    [['host', 'a b']],
    [['host', 'a/b']],
    [['host', 'a@b']],
  ])
    assert.match(faultOf(fields as HeaderField[]) ?? '', /host/);
});

test('refuses a second token, media type or origin', () => {
  for (const name of ['x-token', 'authorization', 'content-type', 'origin'])
    assert.match(faultOf([host, [name, 'a'], [name, 'b']]) ?? '', new RegExp(name));
});

test('refuses control characters, broken names and targets that are no path', () => {
  assert.ok(faultOf([host, ['x', 'a\0b']]));
  assert.ok(faultOf([host, ['x', 'a\nb']]));
  assert.ok(faultOf([host, ['content-length ', '3']]));
  assert.ok(faultOf([host, ['', 'a']]));
  assert.ok(faultOf([host], 'http://a/'));
  assert.ok(faultOf([host], '*'));
  for (const path of ['', 'a', '/a b', '/\u0001', '/\u007f', '/é', '/\ud800'])
    assert.ok(faultOf([host], path), path);
});

test('an answer has the common fields, the gate’s and its own, each over the one before, and the sum of vary', () => {
  const headers = answerHeaders(
    { 'cache-control': 'no-cache', vary: 'Accept' },
    { vary: 'Origin', 'access-control-allow-origin': 'https://a' },
    'id-1',
  );
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
  assert.match(headers['permissions-policy'] ?? '', /camera=\(\)/);
  assert.equal(headers['cache-control'], 'no-cache');
  assert.equal(headers.vary, 'Origin, Accept');
  assert.equal(headers['access-control-allow-origin'], 'https://a');
  assert.equal(headers['x-request-id'], 'id-1');
  assert.equal(answerHeaders({}, { vary: 'Origin' }, 'id-2').vary, 'Origin');
});
