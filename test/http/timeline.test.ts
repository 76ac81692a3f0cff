/** GET /api/v1/media/recordings on recordings of every shape. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Codec } from '../../src/base/tracks.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { nowUnixMs } from './fake-recordings.ts';
import { FakeCamera, token } from './fake-services.ts';

const camera = new FakeCamera();
const { recordings } = camera;
let server: HttpServer;
before(async () => {
  server = await camera.serve();
});
after(() => server?.close());
beforeEach(() => recordings.clear());

const second = 1000;
const startUnixMs = nowUnixMs - 3600 * second;

interface Answer {
  start: string | null;
  end: string;
  stream: string;
  spans: { start: string; end: string; bytes: number; video_codec: string; resolution: string }[];
  gaps: { start: string; end: string }[];
  bytes: number;
  next: string | null;
}

async function get(query = ''): Promise<{ status: number; answer: Answer }> {
  const response = await fetch(new URL(`/api/v1/media/recordings${query}`, server.url), {
    headers: { 'x-token': token },
  });
  return { status: response.status, answer: (await response.json()) as Answer };
}

/** Seconds since the start of the test's recordings. */
const at = (seconds: number): string => new Date(startUnixMs + seconds * second).toISOString();
const times = (list: readonly { start: string; end: string }[]): string[][] =>
  list.map(({ start, end }) => [start, end]);

test('nothing recorded is an empty page', async () => {
  assert.deepEqual((await get()).answer, {
    start: null,
    end: new Date(nowUnixMs).toISOString(),
    stream: 'main',
    spans: [],
    gaps: [],
    bytes: 0,
    next: null,
  });
});

test('segments that follow each other are one span', async () => {
  const segments = [0, 10, 20].map(from =>
    recordings.add({ baseWallUnixMs: startUnixMs + from * second, fragments: 10 }),
  );
  const { answer } = await get();
  const bytes = segments.reduce((sum, { endOffset, headBytes }) => sum + endOffset - headBytes, 0);
  assert.deepEqual(answer.spans, [
    { start: at(0), end: at(30), bytes, video_codec: 'H.264', resolution: '1280x720' },
  ]);
  assert.deepEqual(answer.gaps, []);
  assert.equal(answer.bytes, bytes);
});

test('a jitter of the clock is no gap, more is', async () => {
  recordings.add({ baseWallUnixMs: startUnixMs, fragments: 10 });
  recordings.add({ baseWallUnixMs: startUnixMs + 10_200, fragments: 10 });
  recordings.add({ baseWallUnixMs: startUnixMs + 21_000, fragments: 9 });
  const { answer } = await get();
  assert.deepEqual(times(answer.spans), [
    [at(0), at(20.2)],
    [at(21), at(30)],
  ]);
  assert.deepEqual(times(answer.gaps), [[at(20.2), at(21)]]);
});

test('a gap inside a segment is found', async () => {
  const segment = recordings.add({
    baseWallUnixMs: startUnixMs,
    fragments: 10,
    gaps: new Map([
      [3, 5],
      [7, 1],
    ]),
  });
  const { answer } = await get();
  assert.deepEqual(times(answer.spans), [
    [at(0), at(3)],
    [at(8), at(12)],
    [at(13), at(16)],
  ]);
  assert.deepEqual(times(answer.gaps), [
    [at(3), at(8)],
    [at(12), at(13)],
  ]);
  const bytes = segment.endOffset - segment.headBytes;
  assert.equal(
    answer.spans.reduce((sum, span) => sum + span.bytes, 0),
    bytes,
  );
  assert.equal(answer.bytes, bytes);
});

test('a change of codec or resolution begins a span without a gap', async () => {
  recordings.add({ baseWallUnixMs: startUnixMs, fragments: 5 });
  recordings.add({ baseWallUnixMs: startUnixMs + 5000, fragments: 5, format: { codec: Codec.h265 } });
  recordings.add({
    baseWallUnixMs: startUnixMs + 10_000,
    fragments: 5,
    format: { codec: Codec.h265, width: 640, height: 360 },
  });
  const { answer } = await get();
  assert.deepEqual(
    answer.spans.map(({ video_codec, resolution }) => `${video_codec} ${resolution}`),
    ['H.264 1280x720', 'H.265 1280x720', 'H.265 640x360'],
  );
  assert.deepEqual(answer.gaps, []);
});

test('spans are cut to the range, their bytes are those of the fragments that meet it', async () => {
  const { number } = recordings.add({ baseWallUnixMs: startUnixMs, fragments: 10 });
  const fragments = recordings.fragmentsOf(0, number);
  const { answer } = await get(`?start=${at(2.5)}&end=${at(4)}`);
  assert.deepEqual(times(answer.spans), [[at(2.5), at(4)]]);
  const bytes = fragments[2]!.lengthBytes + fragments[3]!.lengthBytes;
  assert.equal(answer.spans[0]!.bytes, bytes);
  assert.equal(answer.bytes, bytes);
  assert.equal(answer.start, at(2.5));
});

test('after a step of the clock backwards spans overlap, in the order of recording', async () => {
  recordings.add({ baseWallUnixMs: startUnixMs + 100_000, fragments: 10 });
  recordings.add({ baseWallUnixMs: startUnixMs, fragments: 10 });
  const { answer } = await get();
  assert.deepEqual(times(answer.spans), [
    [at(100), at(110)],
    [at(0), at(10)],
  ]);
  assert.deepEqual(answer.gaps, []);
});

test('the sub stream has a timeline of its own', async () => {
  recordings.add({ baseWallUnixMs: startUnixMs, fragments: 5 });
  recordings.add({ stream: 1, baseWallUnixMs: startUnixMs + 60_000, fragments: 5 });
  assert.deepEqual(times((await get('?stream=sub')).answer.spans), [[at(60), at(65)]]);
});

test('pages put together are the whole, wherever they are cut', async () => {
  for (let i = 0; i < 30; i++)
    recordings.add({
      baseWallUnixMs: startUnixMs + i * 60_000,
      fragments: 6,
      ...(i % 3 === 0
        ? {
            gaps: new Map([
              [2, 3],
              [4, 2],
            ]),
          }
        : {}),
    });
  const whole = (await get()).answer;
  assert.equal(whole.next, null);
  assert.equal(whole.spans.length, 20 + 10 * 3);
  for (const limit of [1, 2, 7, 49, 50]) {
    const spans: Answer['spans'] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { answer }: { answer: Answer } = await get(
        `?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      assert.ok(answer.spans.length <= limit && answer.spans.length > 0);
      assert.equal(answer.bytes, whole.bytes);
      spans.push(...answer.spans);
      cursor = answer.next;
    }
    assert.deepEqual(spans, whole.spans, String(limit));
  }
});

test('what cannot be asked is 400', async () => {
  for (const query of [
    '?start=2&end=1',
    '?start=x',
    '?end=yesterday',
    '?start=now',
    '?limit=0',
    '?limit=10001',
    '?limit=1.5',
    '?cursor=x',
    '?cursor=1.-1',
    '?stream=third',
    '?page=2',
  ])
    assert.equal((await get(query)).status, 400, query);
});

test('needs the token', async () => {
  assert.equal((await fetch(new URL('/api/v1/media/recordings', server.url))).status, 401);
});
