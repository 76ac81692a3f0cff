/** JSON bodies: what is refused before a schema is asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { depthMax, duplicateMember } from '../../src/http/duplicate-members.ts';
import { HeaderFields } from '../../src/http/header-fields.ts';
import { checkMediaType, parseJsonBody } from '../../src/http/json-body.ts';
import { RequestFault } from '../../src/http/problems.ts';

const parse = (text: string | Uint8Array): unknown => parseJsonBody(Buffer.from(text as string));

function ruleOf(text: string | Uint8Array): unknown {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof RequestFault && error.code === 'body-invalid');
    return error.details.rule;
  }
  return undefined;
}

test('takes one JSON value in UTF-8 and nothing around it', () => {
  assert.equal(parse(' "ä😀" '), 'ä😀');
  assert.equal(parse('123456'), 123456);
  for (const text of ['', '{', '01', "'x'", '{"a":1,}', '1 2', 'NaN', '// x\n1'])
    assert.equal(ruleOf(text), 'json', text);
  assert.equal(ruleOf('\ufeff1'), 'json');
  assert.equal(ruleOf(new Uint8Array([0x22, 0xff, 0x22])), 'utf-8');
  assert.equal(ruleOf(new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])), 'utf-8');
});

for (const text of [
  '{"email":1,"email":1}',
  '{"email":1,"a":{},"email":2}',
  '{"e\\u006dail":1,"email":2}',
  '{"a":[{"b":1,"b":2}]}',
  '{"":1,"":2}',
  '{"__proto__":1,"__proto__":2}',
  '{"a\\"":1,"a\\u0022":2}',
  '{"a"\n:1,"a"\t:2}',
  '{"\\ud83d\\ude00":1,"😀":2}',
])
  test(`refuses a name that comes twice: ${text}`, () => assert.equal(ruleOf(text), 'duplicate'));

for (const text of [
  '{"a":"a","b":"a"}',
  '{"a":{"a":{"a":1}},"b":{"a":1}}',
  '["a","a"]',
  '[{"a":1},{"a":1}]',
  '{"a":"\\\\","b":"\\"a\\":","c":"{\\"a\\":1,\\"a\\":2}"}',
  '{"a":["x:","a"],"A":1}',
  '"a"',
])
  test(`takes what only looks so: ${text}`, () => assert.deepEqual(parse(text), JSON.parse(text)));

test('refuses what is nested more deeply than anything the API takes', () => {
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  assert.equal(ruleOf(nested(depthMax)), undefined);
  assert.equal(ruleOf(nested(depthMax + 1)), 'depth');
  assert.equal(ruleOf(`${'{"a":'.repeat(8000)}1${'}'.repeat(8000)}`), 'depth');
});

test('finds no duplicate in anything that JSON.stringify writes, and the one that is put in', () => {
  const shallow = fc.jsonValue({ maxDepth: 4 });
  fc.assert(fc.property(shallow, value => duplicateMember(JSON.stringify(value, null, 1)) === undefined));
  fc.assert(
    fc.property(fc.string(), shallow, shallow, (name, first, second) => {
      const key = JSON.stringify(name);
      const text = `[{${key}:${JSON.stringify(first)},"${'x'.repeat(40)}":0,${key} :${JSON.stringify(second)}}]`;
      return duplicateMember(text)?.rule === 'duplicate';
    }),
  );
});

test('a body is declared as one of the types of its operation', () => {
  const declared = (type: string) => new HeaderFields([['content-type', type]]);
  const isTaken = (type: string, taken: string): boolean => {
    try {
      checkMediaType(declared(type), [taken]);
      return true;
    } catch (error) {
      assert.ok(error instanceof RequestFault && error.code === 'media-type-unsupported');
      return false;
    }
  };
  for (const type of [
    'application/json',
    'application/JSON; charset=UTF-8',
    'application/json;charset="utf-8"',
  ])
    assert.ok(isTaken(type, 'application/json'), type);
  for (const type of [
    '',
    'text/json',
    'application/json; charset=utf-7',
    'application/jsonp',
    'application/json, x/y',
  ])
    assert.ok(!isTaken(type, 'application/json'), type);
  assert.ok(isTaken('multipart/form-data; boundary=x', 'multipart/form-data'));
  assert.ok(!isTaken('multipart/form-data', 'multipart/form-data'));
  assert.ok(!isTaken('application/json', 'multipart/form-data'));
});
