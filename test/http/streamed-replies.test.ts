/** Bodies that are streamed, on their way through the dispatcher: the deadline, the check against the document, the log. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CameraError } from '../../src/base/errors.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { nowUnixMs } from './fake-recordings.ts';
import { FakeCamera, token } from './fake-services.ts';

const deadlineMs = 300;
const camera = new FakeCamera();
const { recordings } = camera;
const startUnixMs = nowUnixMs - 600_000;
let server: HttpServer;
before(async () => {
  server = await camera.serve({ deadlineMs });
  recordings.add({ baseWallUnixMs: startUnixMs, fragments: 10 });
  recordings.writeFiles();
});
after(async () => {
  await server?.close();
  recordings.removeFiles();
});

const ask = (headers = {}): Promise<Response> =>
  fetch(new URL(`/api/v1/media/vod/${startUnixMs}/${startUnixMs + 10_000}`, server.url), {
    headers: { 'x-token': token, ...headers },
  });

test('a first byte that is late is 503, and the next request is served', async () => {
  recordings.pressureMs = 10_000;
  const late = await ask({ range: 'bytes=-100' });
  recordings.pressureMs = 0;
  assert.equal(late.status, 503);
  assert.equal(((await late.json()) as { code: string }).code, 'request-timeout');
  assert.equal((await ask({ range: 'bytes=-100' })).status, 206);
});

test('the deadline ends no body that has begun', async () => {
  const response = await ask();
  const reader = response.body!.getReader();
  const first = await reader.read();
  assert.ok(!first.done);
  recordings.pressureMs = 10_000;
  setTimeout(() => {
    recordings.pressureMs = 0;
  }, deadlineMs * 2);
  let bytes = first.value.length;
  for (let part = await reader.read(); !part.done; part = await reader.read()) bytes += part.value.length;
  assert.equal(bytes, Number(response.headers.get('content-length')));
});

test('too many downloads are told when to come again', async () => {
  const small = await camera.serve({ downloads: { downloadsMax: 0 } });
  try {
    const response = await fetch(
      new URL(`/api/v1/media/vod/${startUnixMs}/${startUnixMs + 10_000}`, small.url),
      { headers: { 'x-token': token } },
    );
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '2');
    assert.equal(((await response.json()) as { code: string }).code, 'clip-too-busy');
  } finally {
    await small.close();
  }
});

test('samples that cannot be read are told before the head', async () => {
  recordings.add({ baseWallUnixMs: startUnixMs + 100_000, fragments: 10 });
  const { loadSamples } = recordings;
  recordings.loadSamples = () => Promise.reject(new CameraError('card-failed', 'it does not answer'));
  try {
    const response = await fetch(
      new URL(`/api/v1/media/vod/${startUnixMs + 100_000}/${startUnixMs + 109_500}`, server.url),
      { headers: { 'x-token': token } },
    );
    assert.equal(response.status, 503);
  } finally {
    recordings.loadSamples = loadSamples;
  }
  assert.equal((await ask()).status, 200);
});

test('the log tells how a download ended', async () => {
  await (await ask()).arrayBuffer();
  // The line is written when the last byte is out.
  for (let i = 0; i < 50 && !camera.log.some(line => line.fields.end === 'sent'); i++)
    await ask({ range: 'bytes=0-0' });
  assert.ok(camera.log.some(line => line.fields.end === 'sent' && line.fields.status === 200));
});
