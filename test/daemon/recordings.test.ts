/** Recordings of the real daemon: 20 s of the demo, and every way to ask for a part of them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { assembleClip, clipPath, downloadClip, manifestOf } from '../support/clip-client.ts';
import { Daemon } from '../support/daemon.ts';
import { decodeClip, probeClip } from '../support/decoded-clip.ts';
import { oracleOf, recordingStart, testFolder, timelineOf, until } from '../support/recorded.ts';
import type { ClipExpectation } from '../support/recording-oracle.ts';
import { requireProgram } from '../support/requires.ts';
import { demoMedia } from '../support/test-media.ts';

const recordedMs = 20_000;
const segmentMs = 10_000;

test('what a camera recorded is given out exactly, in every form', async t => {
  if (!requireProgram(t, 'ffmpeg')) return;
  const folder = testFolder(t);
  const daemon = await Daemon.start({
    flags: [...demoMedia.flags, '--recorder-segment-seconds', String(segmentMs / 1000)],
  });
  t.after(() => daemon.stop());
  const startUnixMs = await recordingStart(daemon);
  const endUnixMs = startUnixMs + recordedMs;
  await until(endUnixMs + 500);
  const oracle = await oracleOf(daemon, { startUnixMs, endUnixMs }, { media: demoMedia, folder });
  const whole = { startUnixMs, endUnixMs, format: 'mp4', audio: 'flac' } as const;
  const part = { ...whole, startUnixMs: startUnixMs + 3333, endUnixMs: startUnixMs + 8765 };
  /** Over the end of a segment, wherever it is. */
  const edgeUnixMs = Math.ceil((startUnixMs + 2000) / segmentMs) * segmentMs;
  const acrossSegments = { ...whole, startUnixMs: edgeUnixMs - 1234, endUnixMs: edgeUnixMs + 1111 };

  async function checkClip(expected: ClipExpectation): Promise<Buffer> {
    const file = path.join(folder, 'clip.mp4');
    const { bytes } = await downloadClip(daemon, clipPath(expected));
    writeFileSync(file, bytes);
    assert.deepEqual(await oracle.faultsOf(file, bytes, expected), [], clipPath(expected));
    return bytes;
  }

  await t.test('the recording has every picture of the source', () => {
    assert.deepEqual(oracle.jumps, []);
    const wanted = (recordedMs / 1000) * demoMedia.framesPerSecond;
    assert.ok(Math.abs(oracle.moments.length - wanted) <= 1, `${oracle.moments.length} pictures`);
  });

  await t.test('a range is cut to the picture, with its sound beside it', async () => {
    await checkClip(whole);
    await checkClip(part);
    for (let i = 0; i < 8; i++) {
      const lengthMs = 100 + Math.floor(Math.random() * 4000);
      const start = startUnixMs + Math.floor(Math.random() * (recordedMs - lengthMs));
      await checkClip({ ...whole, startUnixMs: start, endUnixMs: start + lengthMs });
    }
  });

  await t.test('a range over the end of a segment is one clip without a seam', async () => {
    await checkClip(acrossSegments);
  });

  await t.test('a range that begins before the first recording begins with it', async () => {
    await checkClip({ ...whole, startUnixMs: startUnixMs - 5000, endUnixMs: startUnixMs + 1500 });
  });

  await t.test('fragmented MP4, the sound as G.711 and no sound are the same clip', async () => {
    await checkClip({ ...acrossSegments, format: 'fmp4' });
    await checkClip({ ...part, audio: 'raw' });
    await checkClip({ ...part, audio: 'none' });
    await checkClip({ ...part, format: 'fmp4', audio: 'none' });
    await checkClip({ ...part, format: 'fmp4', audio: 'raw' });
  });

  await t.test('put together from pieces it is the same file, byte for byte', async () => {
    for (const expected of [
      acrossSegments,
      { ...part, format: 'fmp4' as const },
      { ...part, audio: 'raw' as const },
    ]) {
      const target = clipPath(expected);
      const { bytes, etag } = await downloadClip(daemon, target);
      const assembled = await assembleClip(daemon, target, { lengthBytes: bytes.length, etag });
      assert.ok(assembled.equals(bytes), target);
    }
  });

  await t.test('HEAD, conditions and ranges that cannot be answered', async () => {
    const target = clipPath(part);
    const { bytes, etag } = await downloadClip(daemon, target);
    const head = await daemon.fetch(target, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('content-length'), String(bytes.length));
    assert.equal(head.headers.get('etag'), etag);
    assert.equal((await head.arrayBuffer()).byteLength, 0);
    const unchanged = await daemon.fetch(target, { headers: { 'if-none-match': etag } });
    assert.equal(unchanged.status, 304);
    const behind = await daemon.fetch(target, { headers: { range: `bytes=${bytes.length}-` } });
    assert.equal(behind.status, 416);
    assert.equal(behind.headers.get('content-range'), `bytes */${bytes.length}`);
    const other = await daemon.fetch(target, { headers: { range: 'bytes=0-9', 'if-range': '"other"' } });
    assert.equal(other.status, 200);
    assert.ok(Buffer.from(await other.arrayBuffer()).equals(bytes));
    const tail = await daemon.fetch(target, { headers: { range: 'bytes=-1000' } });
    assert.equal(tail.status, 206);
    assert.ok(Buffer.from(await tail.arrayBuffer()).equals(bytes.subarray(-1000)));
  });

  await t.test('a clip that ends now has the last second in it', async () => {
    const askedUnixMs = Date.now();
    const response = await daemon.fetch(`/api/v1/media/vod/${askedUnixMs - 3000}/now`);
    assert.equal(response.status, 200);
    const file = path.join(folder, 'now.mp4');
    writeFileSync(file, Buffer.from(await response.arrayBuffer()));
    const { pictures } = await decodeClip(file, demoMedia, { hasSound: true });
    // 3 s long, but for the newest picture, whose end is not known yet.
    const lastSeconds = pictures.at(-1)!.seconds;
    assert.ok(lastSeconds > 2.5, `the last picture is at ${lastSeconds} s`);
    assert.ok(pictures.every(({ number }) => number >= 0));
  });

  await t.test('the manifest says what the file is', async () => {
    const manifest = await manifestOf(daemon, clipPath(part));
    const { bytes, etag } = await downloadClip(daemon, clipPath(part));
    assert.equal(manifest.length_bytes, bytes.length);
    assert.equal(manifest.etag, etag);
    assert.equal(manifest.video_codec, 'H.264');
    assert.equal(manifest.resolution, '1280x720');
    assert.equal(manifest.audio_codec, 'FLAC');
    assert.deepEqual(manifest.gaps, []);
    assert.deepEqual(manifest.left_out, []);
    assert.ok(Math.abs(Date.parse(manifest.start) - part.startUnixMs) <= 1, manifest.start);
    assert.ok(Math.abs(Date.parse(manifest.end) - part.endUnixMs) <= 34, manifest.end);
    const again = await daemon.fetch(manifest.url);
    assert.ok(Buffer.from(await again.arrayBuffer()).equals(bytes));
  });

  await t.test('the timeline is one span without a gap', async () => {
    const { spans, gaps, bytes, next } = await timelineOf(daemon);
    assert.equal(spans.length, 1);
    assert.equal(Date.parse(spans[0]!.start), startUnixMs);
    assert.ok(Date.parse(spans[0]!.end) >= endUnixMs);
    assert.deepEqual(gaps, []);
    assert.ok(bytes > 1_000_000, String(bytes));
    assert.equal(next, null);
  });

  await t.test('where nothing is recorded the answer names what is near', async () => {
    const response = await daemon.fetch(
      clipPath({ ...whole, startUnixMs: startUnixMs - 9000, endUnixMs: startUnixMs - 1000 }),
    );
    assert.equal(response.status, 404);
    const problem = (await response.json()) as { code: string; nearest_after?: string };
    assert.equal(problem.code, 'recording-not-found');
    assert.match(JSON.stringify(problem), new RegExp(new Date(startUnixMs).toISOString()));
  });

  await t.test(
    'a signed link opens the clip without a header, in ffprobe and in curl, which resumes',
    async t => {
      const target = clipPath(part);
      const { bytes } = await downloadClip(daemon, target);
      const answer = await daemon.fetch('/api/v1/media/vod/link', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ start: String(part.startUnixMs), end: String(part.endUnixMs) }),
      });
      assert.equal(answer.status, 200);
      const url = new URL(((await answer.json()) as { url: string }).url, daemon.url).href;
      const whole = await fetch(url);
      assert.ok(Buffer.from(await whole.arrayBuffer()).equals(bytes));
      assert.equal((await fetch(`${url}x`)).status, 401);
      const { videoCodec, audioCodec } = await probeClip(url);
      assert.deepEqual([videoCodec, audioCodec], ['h264', 'flac']);
      if (!requireProgram(t, 'curl')) return;
      const file = path.join(folder, 'resumed.mp4');
      writeFileSync(file, bytes.subarray(0, 100_001));
      const { status, stderr } = spawnSync('curl', ['-sS', '-f', '-C', '-', '-o', file, url], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
      assert.ok(readFileSync(file).equals(bytes), 'the resumed file is another');
    },
  );

  await t.test('each segment is a file that plays by itself', async () => {
    const recordings = path.join(daemon.state, 'recordings');
    const { stdout } = spawnSync('find', [recordings, '-name', '*.mp4'], { encoding: 'utf8' });
    const files = stdout.trim().split('\n').sort();
    assert.ok(files.length >= 2, stdout);
    // The last is being written.
    for (const file of files.slice(0, -1)) {
      const { pictures, sound } = await decodeClip(file, demoMedia, { hasSound: true });
      const steps = pictures.slice(1).map(({ number }, i) => (number - pictures[i]!.number + 300) % 300);
      assert.ok(pictures.length > 0 && steps.every(step => step === 1), file);
      assert.ok(sound!.samples.length > 0, file);
      await probeClip(file);
    }
  });
});
