/** The document and the camera say the same; and the walk that finds that would find the opposite. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CameraError } from '../../src/base/errors.ts';
import { docsFiles } from '../../src/http/docs-assets.ts';
import { type ApiDocument, loadApiDocument } from '../../src/http/openapi/document.ts';
import { loadPageAssets } from '../../src/http/page-assets.ts';
import { walk } from './openapi-walk.ts';

// biome-ignore lint/suspicious/noExplicitAny: the document is bent in any way.
type Bendable = any;

function bent(bend: (content: Bendable) => void): ApiDocument {
  const document = loadApiDocument();
  bend(document.content);
  return document;
}

const device = (content: Bendable): Bendable => content.paths['/api/v1/device'].get;

test('every documented status and member is served, and nothing else', async () => {
  assert.deepEqual(await walk(loadApiDocument()), []);
});

for (const [name, complaint, bend] of [
  [
    'a status that is never answered',
    /getDevice 418 is documented/,
    (content: Bendable) => {
      device(content).responses['418'] = { $ref: '#/components/responses/NotFound' };
    },
  ],
  [
    'a status that is not documented',
    /getDevice 200 is documented; the answer is 500/,
    (content: Bendable) => {
      device(content).responses['201'] = device(content).responses['200'];
      delete device(content).responses['200'];
      device(content).responses['200'] = { description: 'nothing' };
    },
  ],
  [
    'a member that is never answered',
    /DeviceInfo\.colour is documented and in no answer/,
    (content: Bendable) => {
      content.components.schemas.DeviceInfo.properties.colour = { type: 'string' };
    },
  ],
  [
    'a member that is not documented',
    /device: the body at '' breaks additionalProperties/,
    (content: Bendable) => {
      const { required, properties } = content.components.schemas.DeviceInfo;
      delete properties.fps;
      required.splice(required.indexOf('fps'), 1);
    },
  ],
  [
    'a member of another type',
    /the body at '\/fps' breaks type/,
    (content: Bendable) => {
      content.components.schemas.DeviceInfo.properties.fps = { type: 'string' };
    },
  ],
  [
    'a header field that does not come',
    /the header field x-colour is missing/,
    (content: Bendable) => {
      const colour = { required: true, schema: { type: 'string' } };
      device(content).responses['200'].headers['X-Colour'] = colour;
    },
  ],
  [
    'a content type that is not documented',
    /content type 'application\/json' is not documented/,
    (content: Bendable) => {
      device(content).responses['200'].content = { 'text/plain': { schema: { type: 'string' } } };
    },
  ],
] as const)
  test(`the walk finds ${name}`, async () => {
    assert.match((await walk(bent(bend))).join('\n'), complaint);
  });

test('a camera does not start with an operation that has no handler, or a handler without an operation', async () => {
  const isInternal = (error: unknown): boolean => error instanceof CameraError && error.code === 'internal';
  await assert.rejects(
    walk(
      bent(content => {
        content.paths['/api/v1/colour'] = { get: { ...device(content), operationId: 'getColour' } };
      }),
    ),
    isInternal,
  );
  await assert.rejects(
    walk(
      bent(content => {
        delete content.paths['/api/v1/device'];
      }),
    ),
    isInternal,
  );
});

test('what is served besides operations are the files of the pages, none of them below /api/v1', async () => {
  const paths = [...docsFiles, ...(await loadPageAssets())].map(({ path }) => path);
  assert.ok(paths.length > 5);
  assert.deepEqual(
    paths.filter(path => /^\/(api\/v1|healthz|metrics)(\/|$)/.test(path)),
    [],
  );
});
