/** POST /system/upgrade: no key is configured, so no image is read (contract; faults.md, status rule). */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import type { HttpServer } from '../../src/http/server.ts';
import { FakeCamera, token } from './fake-services.ts';
import { raw } from './raw-client.ts';

const path = '/api/v1/system/upgrade';
let camera: FakeCamera;
let server: HttpServer;
const servers: HttpServer[] = [];
beforeEach(async () => {
  camera = new FakeCamera();
  server = await camera.serve();
  servers.push(server);
});
after(async () => {
  for (const each of servers) await each.close();
});

function upload(bytes: number, key: string | null = token): Promise<Response> {
  const form = new FormData();
  form.set('img_file', new Blob([new Uint8Array(bytes)]), 'firmware.bin');
  return fetch(new URL(path, server.url), {
    method: 'POST',
    headers: key === null ? {} : { 'x-token': key },
    body: form,
  });
}

test('an image is refused with 403, and the audit log has it', async () => {
  const response = await upload(1000);
  assert.equal(response.status, 403);
  assert.equal(((await response.json()) as { code: string }).code, 'firmware-untrusted');
  assert.deepEqual(camera.audited, ['upgrade-refused']);
});

test('without a session it is 401, and nothing is in the audit log', async () => {
  assert.equal((await upload(1000, null)).status, 401);
  assert.equal((await upload(1000, 'wrong')).status, 401);
  assert.deepEqual(camera.audited, []);
});

test('another media type is 415', async () => {
  const response = await fetch(new URL(path, server.url), {
    method: 'POST',
    headers: { 'x-token': token, 'content-type': 'application/octet-stream' },
    body: new Uint8Array(10),
  });
  assert.equal(response.status, 415);
});

test('the answer to a large image comes before it and asks the client to close', async () => {
  const head =
    `POST ${path} HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\n` +
    'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1073741824\r\n\r\n--x\r\n';
  const { responses } = await raw(server.port, head, { expect: 1 });
  assert.equal(responses[0]?.status, 403);
  assert.equal(responses[0]?.headers.get('connection'), 'close');
});

test('a client that sends all before it reads gets its answer, whatever the size', async () => {
  for (const bytes of [100_000, 1_000_000, 64_000_000]) assert.equal((await upload(bytes)).status, 403);
});
