/** What is recorded outlives the daemon, however it ends. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { clipPath, downloadClip, manifestOf } from '../support/clip-client.ts';
import { Daemon } from '../support/daemon.ts';
import { decodeClip } from '../support/decoded-clip.ts';
import { recordingStart, testFolder, timelineOf, until } from '../support/recorded.ts';
import { requireProgram } from '../support/requires.ts';
import { demoMedia } from '../support/test-media.ts';

/** What may be lost when the power goes (the configuration's default), and a little for the clock. */
const lossMsMax = 1000 + 100;

/** When the last recording ends. */
async function recordedUntil(daemon: Daemon): Promise<number> {
  return Math.max(...(await timelineOf(daemon)).spans.map(({ end }) => Date.parse(end)));
}

test('recordings are there after SIGTERM, SIGKILL and the loss of the index, the same to the byte', async t => {
  if (!requireProgram(t, 'ffmpeg')) return;
  const folder = testFolder(t);
  const daemon = await Daemon.start({
    flags: [...demoMedia.flags, '--recorder-segment-seconds', '10'],
  });
  t.after(() => daemon.stop());
  const startUnixMs = await recordingStart(daemon);
  await until(startUnixMs + 6000);
  const range = { startUnixMs, endUnixMs: startUnixMs + 5000, format: 'mp4', audio: 'flac' } as const;
  const before = await downloadClip(daemon, clipPath(range));
  let endUnixMs = 0;

  async function checkAfter(): Promise<void> {
    const after = await downloadClip(daemon, clipPath(range));
    assert.equal(after.etag, before.etag);
    assert.ok(after.bytes.equals(before.bytes), 'the clip of before is another');
    endUnixMs = await daemon.until(async () => {
      const end = await recordedUntil(daemon);
      return end > Date.now() - 1500 ? end : undefined;
    }, 'recording after the restart');
  }

  await t.test('after SIGTERM, with all that was captured', async () => {
    await daemon.end('SIGTERM');
    const stoppedUnixMs = Date.now();
    await daemon.restart();
    const { spans } = await timelineOf(daemon);
    const lost = stoppedUnixMs - Date.parse(spans[0]!.end);
    assert.ok(lost < lossMsMax, `${lost} ms are missing before the stop`);
    await checkAfter();
  });

  await t.test('after SIGKILL, with all but the last second', async () => {
    await until(endUnixMs + 2000);
    const killedUnixMs = Date.now();
    await daemon.restart('SIGKILL');
    await checkAfter();
    const ends = (await timelineOf(daemon)).spans.map(({ end }) => Date.parse(end));
    const lastBefore = Math.max(...ends.filter(end => end < killedUnixMs + 500));
    const lost = killedUnixMs - lastBefore;
    assert.ok(lost < lossMsMax, `${lost} ms are lost`);
  });

  await t.test('a clip over the gaps keeps them in time, and every picture in it is whole', async () => {
    await until(endUnixMs + 2000);
    const all = { ...range, endUnixMs };
    const manifest = await manifestOf(daemon, clipPath(all));
    assert.ok(manifest.gaps.length >= 2, JSON.stringify(manifest.gaps));
    const file = path.join(folder, 'gaps.mp4');
    writeFileSync(file, (await downloadClip(daemon, clipPath(all))).bytes);
    const { pictures } = await decodeClip(file, demoMedia, { hasSound: true });
    assert.ok(pictures.every(({ number }) => number >= 0));
    const steps = pictures.slice(1).map(({ seconds }, i) => seconds - pictures[i]!.seconds);
    const stretched = steps.filter(step => step > 0.2);
    assert.equal(stretched.length, manifest.gaps.length);
    const lastMs = startUnixMs + pictures.at(-1)!.seconds * 1000;
    assert.ok(
      Math.abs(lastMs - endUnixMs) < 100,
      `the last picture is ${endUnixMs - lastMs} ms before the end`,
    );
  });

  await t.test('after the index is lost', async () => {
    await daemon.end('SIGKILL');
    rmSync(path.join(daemon.state, 'recordings-index'), { recursive: true });
    await daemon.restart();
    await daemon.until(async () => {
      const { spans } = await timelineOf(daemon);
      return spans[0] && Date.parse(spans[0].start) === startUnixMs ? true : undefined;
    }, 'the index made anew');
    await checkAfter();
  });
});
