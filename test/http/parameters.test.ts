/** Parameters of path, query and header, over a small document of this test's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderFields } from '../../src/http/header-fields.ts';
import type { ApiDocument } from '../../src/http/openapi/document.ts';
import { operationsOf } from '../../src/http/openapi/operation-table.ts';
import { type ParameterSource, queryValue, readParameters } from '../../src/http/openapi/parameters.ts';
import { SchemaSet } from '../../src/http/openapi/schemas.ts';
import { RequestFault } from '../../src/http/problems.ts';

const document = {
  content: {
    info: { version: '0' },
    paths: {
      '/things/{name}': {
        get: {
          operationId: 'getDevice',
          security: [],
          parameters: [
            { name: 'name', in: 'path', required: true, schema: { type: 'string', pattern: '^[a-zé/]+$' } },
            { name: 'since', in: 'query', schema: { type: 'string', format: 'date-time' } },
            { name: 'count', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100 } },
            { name: 'ratio', in: 'query', schema: { type: 'number' } },
            { name: 'all', in: 'query', schema: { type: 'boolean' } },
            { name: 'X-Size', in: 'header', schema: { type: 'integer' } },
          ],
          responses: {},
        },
      },
    },
    components: { schemas: {} },
  },
  bytes: new Uint8Array(0),
  etag: '""',
} as unknown as ApiDocument;
const { parameters } = operationsOf(document)[0]!;
const schemas = new SchemaSet(document.content);

function read(
  source: Partial<Omit<ParameterSource, 'path'>> & { name?: string },
  credentials?: readonly string[],
): ReturnType<typeof readParameters> {
  const { name = 'a', query = '', headers = new HeaderFields([]) } = source;
  return readParameters(parameters, schemas, { path: { name }, query, headers }, credentials);
}

function faultOf(...args: Parameters<typeof read>): unknown {
  try {
    read(...args);
  } catch (error) {
    assert.ok(error instanceof RequestFault && error.code === 'parameters-invalid');
    return error.details;
  }
  return undefined;
}

test('parses values by their declared type and decodes what is percent-encoded', () => {
  const { path, query } = read({
    name: '%C3%A9%2fa',
    query: 'count=7&all=true&since=2022-02-02T01:00:00%2B01:00',
  });
  assert.deepEqual({ ...path }, { name: 'é/a' });
  assert.deepEqual({ ...query }, { count: 7, all: true, since: '2022-02-02T01:00:00+01:00' });
  assert.deepEqual({ ...read({ query: 'ratio=-0.5' }).query }, { ratio: -0.5 });
  assert.deepEqual({ ...read({}).query }, {});
});

test('a plus sign is one', () => {
  assert.equal(read({ query: 'since=2022-02-02T01:00:00+01:00' }).query.since, '2022-02-02T01:00:00+01:00');
});

for (const [query, details] of [
  ['unknown=1', { in: 'query', rule: 'unknown' }],
  ['Count=1', { in: 'query', rule: 'unknown' }],
  ['__proto__=1', { in: 'query', rule: 'unknown' }],
  ['count=1&count=1', { in: 'query', parameter: 'count', rule: 'once' }],
  ['&', { in: 'query', rule: 'unknown' }],
  ['count=%', { in: 'query', rule: 'encoding' }],
  ['count=%ff', { in: 'query', rule: 'encoding' }],
  ['count=', { in: 'query', parameter: 'count', rule: 'type', expected: 'must be integer' }],
  ['count=0x10', { in: 'query', parameter: 'count', rule: 'type', expected: 'must be integer' }],
  ['count=1e1', { in: 'query', parameter: 'count', rule: 'type', expected: 'must be integer' }],
  ['count=1.5', { in: 'query', parameter: 'count', rule: 'type', expected: 'must be integer' }],
  ['count=0', { in: 'query', parameter: 'count', rule: 'minimum', expected: 'must be >= 1' }],
  ['all=1', { in: 'query', parameter: 'all', rule: 'type', expected: 'must be boolean' }],
  [
    'since=2022-02-30T00:00:00Z',
    { in: 'query', parameter: 'since', rule: 'format', expected: 'must match format "date-time"' },
  ],
] as const)
  test(`the query ${query} is refused`, () => assert.deepEqual(faultOf({ query }), details));

test('a path segment that breaks its schema or its encoding is refused', () => {
  assert.deepEqual(faultOf({ name: 'A' }), {
    in: 'path',
    parameter: 'name',
    rule: 'pattern',
    expected: 'must match pattern "^[a-zé/]+$"',
  });
  assert.deepEqual(faultOf({ name: '%' }), { in: 'path', parameter: 'name', rule: 'encoding' });
});

test('header parameters are checked under any spelling of their name', () => {
  const headers = (value: string) => new HeaderFields([['x-size', value]]);
  assert.equal(faultOf({ headers: headers('12') }), undefined);
  assert.deepEqual(faultOf({ headers: headers('twelve') }), {
    in: 'header',
    parameter: 'X-Size',
    rule: 'type',
    expected: 'must be integer',
  });
});

test('a credential in the query is handed on where the operation takes one, and else unknown', () => {
  assert.equal(read({ query: 'link=a%2Fb' }, ['link']).query.link, 'a/b');
  assert.deepEqual(faultOf({ query: 'link=a' }), { in: 'query', rule: 'unknown' });
  assert.equal(queryValue('a=1&link=x', 'link'), 'x');
  assert.equal(queryValue('link=x&link=y', 'link'), undefined);
  assert.equal(queryValue('', 'link'), undefined);
});
