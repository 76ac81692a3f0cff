/** Clips of a real recording, read over HTTP as players do: by parts, by ffprobe, and against the bytes of the plan. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import type { HttpServer } from '../../src/http/server.ts';
import { readSamples } from '../../src/recorder/read-samples.ts';
import { baseUnixMs, demoClip, demoSound, MadeRecording } from '../clips/made-recording.ts';
import { requireProgram } from '../support/requires.ts';
import { FakeCamera, token } from './fake-services.ts';

const execute = promisify(execFile);
const camera = new FakeCamera();
const folder = mkdtempSync(path.join(tmpdir(), 'played-'));
let server: HttpServer | undefined;

async function start(): Promise<HttpServer> {
  const made = new MadeRecording();
  const sound = demoSound;
  for (const options of [
    {},
    { baseWallUnixMs: baseUnixMs + 10_000 },
    { baseWallUnixMs: baseUnixMs + 23_000, isOpen: true },
  ])
    made.add(demoClip(), { sound, ...options });
  const { recordings } = camera;
  recordings.folder = folder;
  const index = {
    ...recordings.index,
    segments: () => made.segments,
    segmentsIn: (stream: 0 | 1, from: number, to: number) => [...made.segmentsIn(stream, from, to)],
    fragments: made.fragments.bind(made),
    fragmentAt: made.fragmentAt.bind(made),
    syncFragmentAt: made.syncFragmentAt.bind(made),
  };
  Object.assign(recordings.index, index);
  recordings.loadSamples = (segment, fragments) =>
    readSamples({ file: recordings.fileOf(segment), segment, ...(fragments ? { fragments } : {}) });
  for (const segment of made.segments) {
    const file = recordings.fileOf(segment);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, made.fileOf(segment));
  }
  return camera.serve();
}

after(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

for (const options of [
  '',
  '?audio=raw',
  '?audio=none',
  '?format=fmp4',
  '?format=fmp4&audio=raw',
  '?format=fmp4&audio=none',
])
  test(`ffprobe reads the clip over HTTP, of the length asked for ${options}`, async t => {
    if (!requireProgram(t, 'ffmpeg') || !requireProgram(t, 'ffprobe')) return;
    server ??= await start();
    const target = `/api/v1/media/vod/${baseUnixMs + 2_400}/${baseUnixMs + 28_100}${options}`;
    const url = new URL(target, server.url).href;
    const whole = await fetch(url, { headers: { 'x-token': token } });
    const bytes = Buffer.from(await whole.arrayBuffer());
    assert.equal(bytes.length, Number(whole.headers.get('content-length')));
    const part = await fetch(url, { headers: { 'x-token': token, range: 'bytes=1001-200000' } });
    assert.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1001, 200_001)));
    const { stdout, stderr } = await execute('ffprobe', [
      '-v',
      'warning',
      '-headers',
      `x-token: ${token}\r\n`,
      '-count_packets',
      '-show_entries',
      'format=duration:stream=codec_name,nb_read_packets',
      '-of',
      'json',
      url,
    ]);
    assert.equal(stderr, '');
    const { format, streams } = JSON.parse(stdout) as {
      format: { duration: string };
      streams: { codec_name: string }[];
    };
    assert.ok(Math.abs(Number(format.duration) - 25.7) < 0.2, format.duration);
    const names = streams.map(({ codec_name }) => codec_name);
    const sound = options.includes('none') ? [] : [options.includes('raw') ? 'pcm_mulaw' : 'flac'];
    assert.deepEqual(names, ['h264', ...sound]);
  });
