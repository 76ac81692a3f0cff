/** The document itself: valid, complete, and its examples are examples of what it says. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { loadApiDocument, type Schema } from '../../src/http/openapi/document.ts';
import { formats } from '../../src/http/openapi/formats.ts';
import { operationsOf } from '../../src/http/openapi/operation-table.ts';
import { SchemaSet } from '../../src/http/openapi/schemas.ts';

const document = loadApiDocument();
const operations = operationsOf(document);
const schemas = Object.entries(document.content.components.schemas);

/** Every object below a value, with a JSON Pointer. */
function* nodesOf(value: unknown, pointer = ''): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [pointer, value as Record<string, unknown>];
  for (const [key, each] of Object.entries(value)) yield* nodesOf(each, `${pointer}/${key}`);
}

test('is a valid OpenAPI 3.1 document', async () => {
  const result = await new Validator().validate(
    structuredClone(document.content) as unknown as Record<string, unknown>,
  );
  assert.deepEqual(result.errors, undefined);
  assert.equal(result.valid, true);
});

test('names the version of the API and this camera as the server', () => {
  const { info, servers } = document.content as unknown as {
    info: { version: string };
    servers: { url: string }[];
  };
  assert.equal(info.version, '1.0.0');
  assert.deepEqual(
    servers.map(({ url }) => url),
    ['/'],
  );
});

test('every schema is one by the schema of schemas, and strict', () => {
  const ajv = new Ajv2020({
    strict: true,
    allowUnionTypes: true,
    validateSchema: true,
    formats: { ...formats },
  });
  for (const [name, schema] of schemas) ajv.addSchema(schema as Schema, `#/components/schemas/${name}`);
  for (const [name] of schemas) assert.ok(ajv.getSchema(`#/components/schemas/${name}`), name);
});

test('no schema is composed of others, since answers are checked with every object closed', () => {
  const composed = [...nodesOf(document.content)].filter(
    ([pointer, node]) =>
      !pointer.endsWith('/properties') && ('allOf' in node || 'oneOf' in node || 'if' in node),
  );
  assert.deepEqual(
    composed.map(([pointer]) => pointer),
    [],
  );
});

describe('the examples', () => {
  const set = new SchemaSet(document.content);
  for (const [name, { examples }] of schemas)
    for (const example of (examples ?? []) as unknown[])
      test(`of ${name} are what it describes`, () => {
        assert.equal(set.check(`/components/schemas/${name}`, example), undefined);
      });

  test('of the seed are there, as the seed prints them where they can be true', () => {
    const of = (name: string): unknown =>
      (document.content.components.schemas[name]!.examples as unknown[])[0];
    assert.deepEqual(of('User'), {
      id: 10,
      firstName: 'John',
      lastName: 'James',
      email: 'john@email.com',
      password: 12345,
      phone: '12345',
    });
    assert.deepEqual(of('Password'), 123456);
    assert.deepEqual(of('SDP'), { type: 'offer', sdp: '', valid_until: '2022-02-02T00:00:00.000Z' });
    assert.deepEqual(of('LiveSessionConfig'), { ice_servers: ['stun.l.google.com:19302'] });
    assert.deepEqual(of('Token'), { access_token: 'string', valid_until: '2022-02-02T00:00:00.000Z' });
    // The seed prints a type in place of the uptime, and a typographic ×.
    assert.deepEqual(of('DeviceInfo'), {
      uuid: '123e4567-e89b-12d3-a456-426614174000',
      uptime: 86400,
      resolution: '1920x1080',
      fps: 30,
      video_codec: 'H.265',
      audio_codec: 'G.711',
    });
  });
});

test('the paths, methods and access are those of the contract', () => {
  const rows = operations.map(({ method, path, access }) => `${method} ${path} ${access}`);
  assert.deepEqual(rows.sort(), [
    'DELETE /api/v1/media/live/session/{id} session',
    'DELETE /api/v1/user/sessions/{id} session',
    'GET /api/v1/device session',
    'GET /api/v1/media/live/session/{id} session',
    'GET /api/v1/media/recordings session',
    'GET /api/v1/media/vod/{start}/{end} session-or-link',
    'GET /api/v1/openapi.json open',
    'GET /api/v1/system session',
    'GET /api/v1/system/logs session',
    'GET /api/v1/system/upgrade session',
    'GET /api/v1/user/logout session',
    'GET /api/v1/user/sessions session',
    'GET /api/v1/user/setup open',
    'GET /healthz open',
    'GET /metrics session',
    'POST /api/v1/media/live/config/test session',
    'POST /api/v1/media/live/session session',
    'POST /api/v1/media/vod/link session',
    'POST /api/v1/system/upgrade session',
    'POST /api/v1/system/upgrade/rollback session',
    'POST /api/v1/user setup',
    'POST /api/v1/user/token/obtain basic',
    'POST /api/v1/user/token/refresh session',
    'PUT /api/v1/media/live/config session',
    'PUT /api/v1/user/reset session',
  ]);
});

test('every JSON body is bounded, and an object of a body says whether it takes other members', () => {
  const set = document.content.components.schemas;
  for (const { id, body } of operations) {
    if (!body) continue;
    if (body.schema !== undefined) assert.ok(body.bytesMax! > 0 && body.bytesMax! <= 128 * 1024, id);
    else assert.equal(body.bytesMax, undefined);
  }
  for (const name of ['User', 'SDP', 'LiveSessionConfig', 'ClipRange'])
    assert.equal(set[name]?.additionalProperties, false, name);
});

test('every error is a problem document, every 401, 429 and 503 says what to do', () => {
  for (const { id, responses } of operations)
    for (const [status, { content, headers }] of responses) {
      assert.ok(headers.get('x-request-id')?.isRequired, `${id} ${status}`);
      if (status < 400) continue;
      assert.ok(content.has('application/problem+json'), `${id} ${status}`);
      if (status === 401) assert.ok(headers.get('www-authenticate')?.isRequired);
      if (status === 429 || status === 503) assert.ok(headers.get('retry-after')?.isRequired);
    }
});
