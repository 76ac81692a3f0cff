/** GET /system/upgrade as a stream of events (WHATWG HTML §9.2): what is told, to how many, and when it ends. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { UpgradeStatus } from '../../src/firmware/upgrades.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { FakeCamera, token } from './fake-services.ts';
import { raw } from './raw-client.ts';

const route = '/api/v1/system/upgrade';
let camera: FakeCamera;
let server: HttpServer;
const aborting: AbortController[] = [];

beforeEach(async () => {
  camera = new FakeCamera();
  camera.upgrades.setUp();
  server = await camera.serve();
});
afterEach(async () => {
  for (const each of aborting.splice(0)) each.abort();
  await server.close();
  camera.upgrades.restore();
});

async function watch(method = 'GET'): Promise<Response> {
  const { signal } = aborting[aborting.push(new AbortController()) - 1]!;
  const headers = { 'x-token': token, accept: 'application/json;q=0.5, text/event-stream' };
  return fetch(new URL(route, server.url), { method, headers, signal });
}

/** The documents of a stream, one after the other; ends with it. */
async function* documents({ body }: Response): AsyncGenerator<UpgradeStatus> {
  let text = '';
  for await (const piece of body!.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const events = text.split('\n\n');
    text = events.pop()!;
    for (const event of events)
      if (event.startsWith('data: ')) yield JSON.parse(event.slice(6)) as UpgradeStatus;
  }
}

test('the state comes at once, and every further one of an upload', async () => {
  const response = await watch();
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const told: string[] = [];
  const form = new FormData();
  for await (const { state } of documents(response)) {
    if (told.push(state) === 1) {
      form.set('img_file', new Blob([new Uint8Array(camera.upgrades.image())]), 'a');
      void fetch(new URL(route, server.url), { method: 'POST', headers: { 'x-token': token }, body: form });
    }
    if (state === 'ready') break;
  }
  assert.deepEqual([...new Set(told)], ['idle', 'receiving', 'verifying', 'ready']);
});

test('a ninth watcher is told to come again, and may when another has left', async () => {
  const first = await watch();
  const reader = first.body!.getReader();
  await reader.read();
  for (let i = 1; i < 8; i++) await documents(await watch()).next();
  const ninth = await watch();
  assert.equal(ninth.status, 503);
  assert.equal(((await ninth.json()) as { code: string }).code, 'watchers-limit');
  await reader.cancel();
  let again = await watch();
  // The server hears of the end a moment later.
  while (again.status === 503) again = await watch();
  assert.equal(again.status, 200);
});

test('a stream ends with the session of its user', async () => {
  const stream = documents(await watch());
  await stream.next();
  await camera.accounts.endSession('session-of-the-test');
  // Cut, not ended: a client that reads to the end must not take it for whole.
  await assert.rejects(async () => {
    for await (const _ of stream);
  });
});

test('HEAD is answered without a stream, and a client that does not ask for events gets JSON', async () => {
  const { responses } = await raw(
    server.port,
    `HEAD ${route} HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\nAccept: text/event-stream\r\n\r\n`,
    { expect: 1, head: true },
  );
  assert.equal(responses[0]?.status, 200);
  const headers = { 'x-token': token };
  const response = await fetch(new URL(route, server.url), { headers });
  assert.equal(((await response.json()) as UpgradeStatus).state, 'idle');
});

test('the streams of a server end with it', async () => {
  const stream = documents(await watch());
  await stream.next();
  const rest = assert.rejects(async () => {
    for await (const _ of stream);
  });
  await server.close();
  await rest;
});
