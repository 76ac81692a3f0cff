/** Clips from files over real sockets: the same bytes in every way of asking, and nothing left behind (contract §12). */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { CameraError } from '../../src/base/errors.ts';
import type { HttpServer } from '../../src/http/server.ts';
import type { SegmentRecord } from '../../src/isobmff/recorded-segment.ts';
import { nowUnixMs } from './fake-recordings.ts';
import { FakeCamera, token } from './fake-services.ts';

const execute = promisify(execFile);
const camera = new FakeCamera();
const { recordings } = camera;
const startUnixMs = nowUnixMs - 600_000;
const target = `/api/v1/media/vod/${startUnixMs + 3500}/${startUnixMs + 97_250}`;
let server: HttpServer;
let segments: SegmentRecord[];
before(async () => {
  server = await camera.serve();
});
after(async () => {
  await server?.close();
  recordings.removeFiles();
});
beforeEach(() => {
  recordings.clear();
  recordings.pressureMs = 0;
  recordings.onFlush = async () => undefined;
  segments = [0, 1, 2, 3].map(i =>
    recordings.add({ baseWallUnixMs: startUnixMs + i * 25_000, fragments: 25 }),
  );
  recordings.writeFiles();
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

async function ask(headers: Record<string, string> = {}, url = target, method = 'GET'): Promise<Answer> {
  const response = await fetch(new URL(url, server.url), {
    method,
    headers: { 'x-token': token, ...headers },
  });
  return {
    status: response.status,
    headers: response.headers,
    bytes: Buffer.from(await response.arrayBuffer()),
  };
}

/** Descriptors of this process on files of the recordings. */
function openFiles(): number {
  return readdirSync('/proc/self/fd').filter(descriptor => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(recordings.folder);
    } catch {
      return false;
    }
  }).length;
}

/** Resolves when no file is open and none is held: that comes just after the last byte, or after the client left. */
async function nothingOpen(): Promise<void> {
  for (let i = 0; openFiles() + recordings.held.length > 0 && i < 500; i++) await ask({}, target, 'HEAD');
  assert.equal(openFiles(), 0);
  assert.deepEqual(recordings.held, []);
}

test('the whole: status and header fields', async () => {
  const { status, headers, bytes } = await ask();
  assert.equal(status, 200);
  assert.equal(headers.get('content-type'), 'video/mp4');
  assert.equal(headers.get('content-length'), String(bytes.length));
  assert.equal(headers.get('accept-ranges'), 'bytes');
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.match(headers.get('etag')!, /^"[A-Za-z0-9_-]{27}"$/);
  assert.match(
    headers.get('content-disposition')!,
    /^attachment; filename="camera-20231114T2203\d\dZ\.mp4"$/,
  );
  assert.equal(headers.get('vary'), 'Origin, accept');
  assert.equal(
    decodeURIComponent(headers.get('content-location')!),
    '/api/v1/media/vod/2023-11-14T22:03:23.500Z/2023-11-14T22:04:57.250Z',
  );
});

test('HEAD says the same without a body, and knows no ranges', async () => {
  const whole = await ask();
  for (const headers of [{}, { range: 'bytes=5-9' }]) {
    const { status, headers: got, bytes } = await ask(headers, target, 'HEAD');
    assert.equal(status, 200);
    assert.equal(bytes.length, 0);
    for (const name of ['content-length', 'content-type', 'etag', 'accept-ranges', 'content-disposition'])
      assert.equal(got.get(name), whole.headers.get(name), name);
  }
});

for (const options of [
  '',
  '?audio=none',
  '?audio=raw',
  '?format=fmp4',
  '?format=fmp4&audio=raw',
  '?stream=main',
])
  test(`any parts put together are the whole, byte for byte ${options}`, async () => {
    const url = `${target}${options}`;
    const whole = await ask({}, url);
    assert.equal(whole.status, 200);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: whole.bytes.length - 1 }), { maxLength: 12 }),
        async cuts => {
          const edges = [0, ...[...new Set(cuts)].sort((a, b) => a - b), whole.bytes.length];
          const parts = await Promise.all(
            edges.slice(1).map(async (to, i) => {
              const from = edges[i]!;
              const { status, headers, bytes } = await ask({ range: `bytes=${from}-${to - 1}` }, url);
              assert.equal(status, 206);
              assert.equal(headers.get('content-range'), `bytes ${from}-${to - 1}/${whole.bytes.length}`);
              assert.equal(headers.get('content-length'), String(to - from));
              assert.equal(headers.get('etag'), whole.headers.get('etag'));
              return bytes;
            }),
          );
          assert.ok(Buffer.concat(parts).equals(whole.bytes));
        },
      ),
      { numRuns: 6 },
    );
  });

test('conditions: 304, 412, 416 and a range of another version', async () => {
  const { headers, bytes } = await ask();
  const etag = headers.get('etag')!;
  const fresh = await ask({ 'if-none-match': etag });
  assert.deepEqual([fresh.status, fresh.bytes.length], [304, 0]);
  assert.equal(fresh.headers.get('etag'), etag);
  assert.equal((await ask({ 'if-match': '"other"' })).status, 412);
  const behind = await ask({ range: `bytes=${bytes.length}-` });
  assert.equal(behind.status, 416);
  assert.equal(behind.headers.get('content-range'), `bytes */${bytes.length}`);
  assert.equal(JSON.parse(behind.bytes.toString()).code, 'range-unsatisfiable');
  assert.equal((await ask({ range: 'bytes=1-', 'if-range': etag })).status, 206);
  assert.equal((await ask({ range: 'bytes=1-', 'if-range': '"other"' })).status, 200);
  assert.equal((await ask({ range: 'bytes=1-2,4-5' })).status, 200);
});

test('a manifest says what the file is', async () => {
  const whole = await ask();
  const { status, headers, bytes } = await ask({ accept: 'application/json' });
  assert.equal(status, 200);
  assert.match(headers.get('content-type')!, /^application\/json/);
  const manifest = JSON.parse(bytes.toString());
  assert.equal(manifest.length_bytes, whole.bytes.length);
  assert.equal(manifest.etag, whole.headers.get('etag'));
  assert.equal(manifest.url, whole.headers.get('content-location'));
  assert.equal(manifest.video_codec, 'H.264');
  assert.equal(manifest.resolution, '1280x720');
  assert.ok((await ask({}, manifest.url)).bytes.equals(whole.bytes));
});

test('libraries that name JSON among all else get the file', async () => {
  for (const accept of [
    '*/*',
    'application/json, text/plain, */*',
    'video/mp4, application/json;q=0.5',
    'video/*',
  ])
    assert.equal((await ask({ accept })).headers.get('content-type'), 'video/mp4', accept);
});

test('a link opens the file and its parts for players, for its stream alone', async () => {
  const made = await fetch(new URL('/api/v1/media/vod/link', server.url), {
    method: 'POST',
    headers: { 'x-token': token, 'content-type': 'application/json' },
    body: JSON.stringify({ start: startUnixMs, end: startUnixMs + 20_000, stream: 'main' }),
  });
  const { url } = (await made.json()) as { url: string };
  const open = (address: string, headers = {}) => fetch(new URL(address, server.url), { headers });
  assert.equal((await open(url)).status, 200);
  const part = await open(url, { range: 'bytes=0-' });
  assert.equal(part.status, 206);
  assert.equal((await open(url.replace('main', 'sub'))).status, 401);
  const manifest = (await (await open(url, { accept: 'application/json' })).json()) as { url: string };
  const again = await open(manifest.url);
  assert.equal(again.status, 200);
  assert.equal(again.headers.get('etag'), part.headers.get('etag'));
});

test('clients that leave at any byte leave no file open and none held', async () => {
  const { bytes } = await ask();
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: bytes.length }), async stopAfter => {
      await new Promise<void>(resolve => {
        const socket = connect(server.port, '127.0.0.1');
        let got = 0;
        socket.on('data', chunk => {
          got += chunk.length;
          if (got >= stopAfter) socket.destroy();
        });
        socket.on('close', () => resolve());
        socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\n\r\n`);
      });
    }),
    { numRuns: 30 },
  );
  await nothingOpen();
});

test('a file that is gone is 503 when it is the first, and a short body when it is a later one', async () => {
  const whole = await ask();
  unlinkSync(recordings.fileOf(segments[2]!));
  await assert.rejects(ask());
  const { status, bytes } = await ask({ range: `bytes=0-${Math.floor(whole.bytes.length / 4)}` });
  assert.equal(status, 206);
  assert.ok(bytes.equals(whole.bytes.subarray(0, bytes.length)));
  unlinkSync(recordings.fileOf(segments[0]!));
  const failed = await ask({ range: 'bytes=-700000' });
  assert.equal(failed.status, 206);
  const lost = await ask({ range: `bytes=${Math.floor(whole.bytes.length / 2)}-` });
  assert.equal(lost.status, 503);
  assert.equal(JSON.parse(lost.bytes.toString()).code, 'card-failed');
  await nothingOpen();
});

test('a file that is shorter than it was gives no other bytes', async () => {
  truncateSync(recordings.fileOf(segments[1]!), 300_000);
  await assert.rejects(ask());
  await nothingOpen();
  assert.ok(
    camera.log.some(({ level, message }) => level === 'warn' && message === 'a download ended early'),
  );
});

test('a file that is being read is held, and read to its end when it is deleted from its folder meanwhile', async () => {
  recordings.clear();
  const segment = recordings.add({ baseWallUnixMs: startUnixMs, fragments: 400 });
  recordings.writeFiles();
  const url = `/api/v1/media/vod/${startUnixMs}/${startUnixMs + 400_000}`;
  const whole = await ask({}, url);
  assert.ok(whole.bytes.length > 15_000_000, `${whole.bytes.length}`);
  const socket = connect(server.port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.write(`GET ${url} HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\n\r\n`);
  let isDeleted = false;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    if (!isDeleted && openFiles() > 0) {
      assert.deepEqual(recordings.held, [segment.path]);
      unlinkSync(recordings.fileOf(segment));
      isDeleted = true;
    }
    chunks.push(chunk);
    if (chunks.reduce((sum, { length }) => sum + length, 0) > whole.bytes.length) {
      const end = Buffer.concat(chunks);
      if (end.length - end.indexOf('\r\n\r\n') - 4 === whole.bytes.length) break;
    }
  }
  assert.ok(isDeleted);
  assert.ok(Buffer.concat(chunks).subarray(-whole.bytes.length).equals(whole.bytes));
  await nothingOpen();
});

test('the end now, or just past, has the recorder write first; a recorder that cannot is no reason to fail', async () => {
  const flushes = (): number => recordings.flushes;
  let before = flushes();
  await ask({ accept: 'application/json' }, `/api/v1/media/vod/${startUnixMs}/now`);
  assert.equal(flushes(), before + 1);
  before = flushes();
  await ask({}, target);
  assert.equal(flushes(), before);
  recordings.onFlush = () => Promise.reject(new CameraError('worker-unavailable', 'away'));
  assert.equal((await ask({ range: 'bytes=0-9' }, `/api/v1/media/vod/${startUnixMs}/now`)).status, 206);
});

test('while the recorder is behind nothing is read from the card', async () => {
  recordings.pressureMs = 1000;
  let isThere = false;
  const answer = ask({ range: 'bytes=-10' }).then(result => {
    isThere = true;
    return result;
  });
  for (let i = 0; i < 5; i++) await ask({}, target, 'HEAD');
  assert.equal(isThere, false);
  recordings.pressureMs = 0;
  assert.equal((await answer).status, 206);
});

test('a download ends with the session that began it, and one by a link goes on', async () => {
  const whole = await ask();
  const other = camera.accounts.open('the-other', 'the-other');
  const { url } = await fetch(new URL('/api/v1/media/vod/link', server.url), {
    method: 'POST',
    headers: { 'x-token': 'the-other', 'content-type': 'application/json' },
    body: JSON.stringify({ start: startUnixMs + 3500, end: startUnixMs + 97_250 }),
  }).then(response => response.json() as Promise<{ url: string }>);
  const get = async (from: string, headers: Record<string, string>): Promise<Buffer> =>
    Buffer.from(await (await fetch(new URL(from, server.url), { headers })).arrayBuffer());
  const looked = recordings.holdReads();
  const others = get(target, { 'x-token': 'the-other' });
  await looked;
  const rest = Promise.all([get(target, { 'x-token': token }), get(url, {})]);
  camera.accounts.end(other.sid);
  await assert.rejects(others);
  recordings.pressureMs = 0;
  for (const bytes of await rest) assert.deepEqual(bytes, whole.bytes);
  await nothingOpen();
});

test('where nothing is recorded: 404 with the ends of what lies around', async () => {
  const missing = async (start: number, end: number): Promise<unknown> => {
    const { status, bytes } = await ask({}, `/api/v1/media/vod/${start}/${end}`);
    assert.equal(status, 404);
    return JSON.parse(bytes.toString()).details;
  };
  recordings.add({ baseWallUnixMs: startUnixMs + 200_000, fragments: 20, gaps: new Map([[5, 10]]) });
  const at = (ms: number): string => new Date(startUnixMs + ms).toISOString();
  assert.deepEqual(await missing(startUnixMs - 10_000, startUnixMs), {
    nearest_before: null,
    nearest_after: at(0),
  });
  assert.deepEqual(await missing(startUnixMs + 120_000, startUnixMs + 130_000), {
    nearest_before: at(100_000),
    nearest_after: at(200_000),
  });
  assert.deepEqual(await missing(startUnixMs + 300_000, startUnixMs + 310_000), {
    nearest_before: at(230_000),
    nearest_after: null,
  });
});

test('curl resumes', async () => {
  const { bytes } = await ask();
  const folder = mkdtempSync(path.join(tmpdir(), 'curl-'));
  try {
    const file = path.join(folder, 'clip.mp4');
    writeFileSync(file, bytes.subarray(0, 1_234_567));
    const url = new URL(target, server.url).href;
    await execute('curl', ['-sS', '-f', '-C', '-', '-H', `x-token: ${token}`, '-o', file, url]);
    assert.ok(readFileSync(file).equals(bytes));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
