/** A download of a clip, against a server that breaks off, waits and changes its mind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { CameraApi } from '../../src/web/api/camera-api.ts';
import { type ByteSink, ClipDownload, type DownloadState } from '../../src/web/export/clip-download.ts';

const clip = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3));
const range = { startUnixMs: 1_000_000, endUnixMs: 1_060_000 };

/** What was written, as the file would hold it. */
class MemorySink implements ByteSink {
  bytes = Buffer.alloc(0);
  closes = 0;
  clears = 0;
  /** Every write waits for it. */
  gate: Promise<void> = Promise.resolve();

  async write(bytes: Uint8Array): Promise<void> {
    await this.gate;
    this.bytes = Buffer.concat([this.bytes, bytes]);
  }

  close(): void {
    this.closes += 1;
  }

  clear(): void {
    this.clears += 1;
    this.bytes = Buffer.alloc(0);
  }
}

interface Asked {
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

type Answer = (request: IncomingMessage, response: ServerResponse, from: number) => void;

/** A server whose answers are these, one after the other; the last one again and again. */
async function serve(t: TestContext, ...answers: readonly Answer[]) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const { range: wanted, 'if-range': ifRange } = request.headers;
    asked.push({ range: wanted, ifRange: ifRange as string | undefined });
    const answer = answers[Math.min(asked.length, answers.length) - 1]!;
    answer(request, response, Number(/^bytes=(\d+)-$/.exec(wanted ?? '')?.[1] ?? 0));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const { fetch } = globalThis;
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  t.mock.method(globalThis, 'fetch', (path: string, init: RequestInit) => fetch(origin + path, init));
  const sink = new MemorySink();
  const ended: number[] = [];
  const api = new CameraApi('T0KEN', () => ended.push(1));
  return { asked, sink, ended, download: new ClipDownload(api, range, clip.length, sink) };
}

function head(response: ServerResponse, from: number, etag = '"one"'): void {
  response.writeHead(from > 0 ? 206 : 200, { etag, 'content-length': clip.length - from });
}

/** The rest of the clip. */
const whole: Answer = (_request, response, from) => {
  head(response, from);
  response.end(clip.subarray(from));
};

/** So many bytes, and then nothing more for now. */
function stalling(bytes: number): Answer {
  return (_request, response, from) => {
    head(response, from);
    response.write(clip.subarray(from, from + bytes));
  };
}

const breaking: Answer = (request, response, from) => {
  head(response, from);
  response.write(clip.subarray(from, from + 100_000), () => request.socket.destroy());
};

function reaches(download: ClipDownload, isThere: () => boolean): Promise<void> {
  return new Promise(resolve => {
    const look = (): void => {
      if (!isThere()) return;
      download.removeEventListener('change', look);
      resolve();
    };
    download.addEventListener('change', look);
    look();
  });
}

const stateIs = (download: ClipDownload, state: DownloadState): Promise<void> =>
  reaches(download, () => download.state === state);

test('a whole clip is written once and closed', async t => {
  const { download, sink, asked } = await serve(t, whole);
  download.start();
  await stateIs(download, 'done');
  assert.ok(sink.bytes.equals(clip));
  assert.equal(sink.closes, 1);
  assert.deepEqual(asked, [{ range: undefined, ifRange: undefined }]);
});

test('a connection that breaks is made again by itself, for the bytes that are missing', async t => {
  const { download, sink, asked } = await serve(t, breaking, whole);
  download.start();
  await stateIs(download, 'retrying');
  const had = download.receivedBytes;
  await stateIs(download, 'done');
  assert.ok(sink.bytes.equals(clip));
  assert.deepEqual(asked.at(-1), had > 0 ? { range: `bytes=${had}-`, ifRange: '"one"' } : asked[0]);
});

test('a pause ends the request; going on asks for the rest, behind a write that was under way', async t => {
  const { download, sink, asked } = await serve(t, stalling(100_000), whole);
  download.start();
  await reaches(download, () => download.receivedBytes === 100_000);
  download.pause();
  assert.equal(download.state, 'paused');
  download.start();
  await stateIs(download, 'done');
  assert.ok(sink.bytes.equals(clip));
  assert.deepEqual(asked[1], { range: 'bytes=100000-', ifRange: '"one"' });
});

test('a slow file gets every byte once, however quickly one pauses and goes on', async t => {
  const { download, sink } = await serve(t, stalling(60_000), whole);
  let open = (): void => undefined;
  sink.gate = new Promise(resolve => {
    open = resolve;
  });
  const written = t.mock.method(sink, 'write');
  download.start();
  while (written.mock.callCount() === 0) await new Promise(resolve => setImmediate(resolve));
  download.pause();
  download.start();
  open();
  await stateIs(download, 'done');
  assert.ok(sink.bytes.equals(clip));
});

test('a clip that has become another one meanwhile is fetched from its beginning', async t => {
  const another: Answer = (_request, response) => {
    head(response, 0, '"two"');
    response.end(clip);
  };
  const { download, sink } = await serve(t, stalling(1000), another);
  download.start();
  await reaches(download, () => download.receivedBytes === 1000);
  download.pause();
  download.start();
  await stateIs(download, 'done');
  assert.equal(sink.clears, 1);
  assert.ok(sink.bytes.equals(clip));
});

test('a cancelled download leaves nothing and cannot go on', async t => {
  const { download, sink, asked } = await serve(t, stalling(1000));
  download.start();
  await reaches(download, () => download.receivedBytes === 1000);
  download.cancel();
  download.start();
  assert.equal(download.state, 'cancelled');
  assert.deepEqual([sink.bytes.length, sink.closes, asked.length], [0, 0, 1]);
});

test('a log-in that ended is told to the page, and not tried again', async t => {
  const refused: Answer = (_request, response) => {
    response.writeHead(401, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ code: 'token-invalid' }));
  };
  const { download, asked, ended } = await serve(t, refused);
  download.start();
  await stateIs(download, 'failed');
  assert.equal(download.problem?.code, 'token-invalid');
  assert.deepEqual([asked.length, ended.length], [1, 1]);
});
