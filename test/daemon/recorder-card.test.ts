/** A card that is pulled and put back while the camera runs. */
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { clipPath, downloadClip, manifestOf } from '../support/clip-client.ts';
import { Daemon } from '../support/daemon.ts';
import { decodeClip } from '../support/decoded-clip.ts';
import { LightViewer } from '../support/light-viewer.ts';
import { recorderState, recordingStart, testFolder, timelineOf, until } from '../support/recorded.ts';
import { requireProgram } from '../support/requires.ts';
import { demoMedia } from '../support/test-media.ts';

test('without its card the camera shows the live picture, and records again when the card is back', async t => {
  if (!requireProgram(t, 'ffmpeg')) return;
  const folder = testFolder(t);
  const card = path.join(folder, 'card');
  mkdirSync(card);
  const daemon = await Daemon.start({
    flags: [...demoMedia.flags, '--recordings', card, '--live-addresses', '127.0.0.1'],
  });
  t.after(() => daemon.stop());
  const startUnixMs = await recordingStart(daemon);
  const viewer = await LightViewer.open(daemon);
  t.after(() => viewer.close());
  let datagrams = 0;
  viewer.onDatagram = () => {
    datagrams += 1;
  };
  await viewer.connected;
  await until(startUnixMs + 3000);
  assert.equal(await recorderState(daemon), 'recording');

  const pulledUnixMs = Date.now();
  renameSync(card, `${card}-pulled`);
  await daemon.until(
    async () => ((await recorderState(daemon)) === 'card-missing' ? true : undefined),
    'the card being missed',
  );
  const health = await daemon.fetch('/healthz');
  assert.equal(health.status, 503);
  assert.equal(((await health.json()) as { status: string }).status, 'degraded');
  const system = await daemon.json<{ sdcard_total: number; recorder: { state: string } }>('/api/v1/system');
  assert.equal(system.sdcard_total, 0);
  assert.equal(system.recorder.state, 'card-missing');
  const seen = datagrams;
  await daemon.until(() => (datagrams > seen + 100 ? true : undefined), 'live pictures without the card');
  const missing = await daemon.fetch(
    clipPath({ startUnixMs, endUnixMs: startUnixMs + 2000, format: 'mp4', audio: 'flac' }),
  );
  await missing.arrayBuffer();
  assert.notEqual(missing.status, 500);

  renameSync(`${card}-pulled`, card);
  await daemon.until(
    async () => ((await recorderState(daemon)) === 'recording' ? true : undefined),
    'recording on the card that is back',
  );
  const backUnixMs = Date.now();
  await until(backUnixMs + 3000);
  assert.equal((await daemon.fetch('/healthz')).status, 200);
  const range = { startUnixMs, endUnixMs: backUnixMs + 2000, format: 'mp4', audio: 'flac' } as const;
  const manifest = await manifestOf(daemon, clipPath(range));
  assert.ok(Date.parse(manifest.end) >= range.endUnixMs - 100, manifest.end);
  const { bytes } = await downloadClip(daemon, clipPath(range));
  const file = path.join(folder, 'clip.mp4');
  writeFileSync(file, bytes);
  const { pictures } = await decodeClip(file, demoMedia, { hasSound: true });
  assert.ok(pictures.every(({ number }) => number >= 0));
  const isThere = (unixMs: number): boolean =>
    pictures.some(({ seconds }) => Math.abs(startUnixMs + seconds * 1000 - unixMs) < 40);
  assert.ok(isThere(pulledUnixMs - 1200), 'what was recorded before the pull is missing');
  assert.ok(isThere(backUnixMs + 1000), 'what was recorded after the return is missing');
  const { spans } = await timelineOf(daemon);
  assert.equal(Date.parse(spans[0]!.start), startUnixMs);
});
