/** The real daemon on its demo source, seen from outside: command line, HTTP, and viewers over real sockets. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon } from '../support/daemon.ts';
import { WeriftViewer } from '../support/werift-viewer.ts';

interface Health {
  readonly status: string;
  readonly workers: readonly { readonly name: string; readonly state: string; readonly restarts: number }[];
}

describe('the daemon on its demo source', () => {
  const crashFolder = mkdtempSync(path.join(os.tmpdir(), 'crash-'));
  let daemon: Daemon;
  before(async () => {
    daemon = await Daemon.start({
      flags: ['--live-viewer-timeout-seconds', '5'],
      imports: ['./test/support/crash-hook.mjs'],
      env: { CRASH_FOLDER: crashFolder },
    });
  });
  after(async () => {
    await daemon.stop();
    rmSync(crashFolder, { recursive: true, force: true });
  });

  test('prints the ready line, alone, to standard output', () => {
    assert.equal(daemon.outputLines.length, 1);
    assert.match(daemon.outputLines[0]!, /^ready http:\/\/127\.0\.0\.1:\d+\/$/);
  });

  test('tells what it is, from the running stream', async () => {
    const device = await daemon.until(async () => {
      const response = await daemon.fetch('/api/v1/device');
      return response.ok ? ((await response.json()) as Record<string, unknown>) : undefined;
    }, 'device information');
    assert.equal(device.resolution, '1280x720');
    assert.equal(device.fps, 30);
    assert.equal(device.video_codec, 'H.264');
    assert.equal(device.audio_codec, 'G.711');
  });

  test('sends picture and sound to two viewers at once, without a gap', async () => {
    const viewers = await Promise.all([WeriftViewer.open(daemon), WeriftViewer.open(daemon)]);
    for (const viewer of viewers) {
      await daemon.until(() => viewer.video.packets.length > 150 || undefined, 'video at the viewer');
      await daemon.until(() => viewer.audio.packets.length > 30 || undefined, 'audio at the viewer');
      await daemon.until(
        () => viewer.video.gaps() === 0 || undefined,
        'video without gaps, resent packets included',
      );
      await daemon.until(
        () => viewer.audio.gaps() === 0 || undefined,
        'audio without gaps, resent packets included',
      );
      assert.ok(viewer.audio.packets.every(({ payload }) => payload.length === 160));
    }
    assert.equal(await daemon.metric('opencamera_live_ring_records_lost_total'), 0);
    await Promise.all(viewers.map(viewer => viewer.close()));
    await daemon.until(
      async () => (await daemon.metric('opencamera_live_viewers')) === 0 || undefined,
      'leaving',
    );
  });

  test('begins with a random access point, whatever the moment of joining', async () => {
    const viewer = await WeriftViewer.open(daemon);
    await daemon.until(() => viewer.video.packets.length > 10 || undefined, 'video at the viewer');
    // A STAP-A (24) with the parameter sets, or the SPS (7) itself: RFC 6184 §5.2.
    const type = viewer.video.packets[0]!.payload[0]! & 31;
    assert.ok(type === 24 || type === 7, `the first packet has type ${type}`);
    await viewer.close();
  });

  test('describes a session, and ends it when it is deleted', async () => {
    const viewer = await WeriftViewer.open(daemon);
    const target = `/api/v1/media/live/session/${viewer.sessionId}`;
    await daemon.until(() => viewer.video.packets.length > 10 || undefined, 'video at the viewer');
    const description = await daemon.json<Record<string, unknown>>(target);
    assert.equal(description.state, 'connected');
    assert.equal((await daemon.fetch(target, { method: 'DELETE' })).status, 200);
    assert.equal((await daemon.fetch(target)).status, 404);
    await viewer.close();
  });

  for (const [worker, kind] of [
    ['capture', 'exit'],
    ['capture', 'throw'],
    ['live', 'exit'],
    ['live', 'throw'],
  ] as const)
    test(`the ${worker} worker is back after ${kind === 'exit' ? 'process.exit' : 'a thrown error'}, and the others go on`, async () => {
      const restartsOf = async (): Promise<number> => {
        const health = (await (await daemon.fetch('/healthz')).json()) as Health;
        return health.workers.find(({ name }) => name === worker)!.restarts;
      };
      const earlier = await restartsOf();
      const viewers = await Promise.all([WeriftViewer.open(daemon), WeriftViewer.open(daemon)]);
      for (const viewer of viewers)
        await daemon.until(() => viewer.video.packets.length > 30 || undefined, 'video before the crash');
      writeFileSync(path.join(crashFolder, `${worker}-${kind}`), '');
      await daemon.until(async () => (await restartsOf()) > earlier || undefined, 'the restart');
      await daemon.until(async () => {
        const health = (await (await daemon.fetch('/healthz')).json()) as Health;
        return health.status === 'ok' || undefined;
      }, 'health after the restart');
      const survivors = worker === 'capture' ? viewers : [await WeriftViewer.open(daemon)];
      for (const viewer of survivors) {
        const seen = viewer.video.packets.length;
        await daemon.until(
          () => viewer.video.packets.length > seen + 60 || undefined,
          'video after the crash',
        );
        await daemon.until(
          () => viewer.video.gaps() === 0 || undefined,
          'video without gaps, resent packets included',
        );
      }
      await Promise.all([...viewers, ...survivors].map(viewer => viewer.close()));
    });

  test('ends with status 0 within 2 s of SIGTERM, with a viewer watching', async () => {
    const viewer = await WeriftViewer.open(daemon);
    await daemon.until(() => viewer.video.packets.length > 10 || undefined, 'video at the viewer');
    assert.equal(await daemon.stop(), 0);
    assert.equal(daemon.outputLines.length, 1, 'nothing but the ready line was printed');
    await viewer.close();
  });
});

test('the reference camera: H.265 main to who offers it, the H.264 sub stream to the others', async t => {
  const main = path.join(import.meta.dirname, '../fixtures/demo-720p30-hevc.h265');
  const daemon = await Daemon.start({
    flags: ['--source', `file:${main}`, '--sub-source', 'demo', '--audio-source', 'demo'],
  });
  t.after(() => daemon.stop());
  await daemon.until(async () => (await daemon.fetch('/api/v1/device')).ok || undefined, 'the main stream');
  for (const [codec, track] of [
    ['H265', 'main'],
    ['H264', 'sub'],
  ] as const) {
    const viewer = await daemon.until(
      () => WeriftViewer.open(daemon, { codec }).catch(() => undefined),
      'an answer',
    );
    await daemon.until(() => viewer.video.packets.length > 60 || undefined, `${codec} at the viewer`);
    const description = await daemon.json<Record<string, unknown>>(
      `/api/v1/media/live/session/${viewer.sessionId}`,
    );
    assert.equal(description.track, track);
    await daemon.until(
      () => viewer.video.gaps() === 0 || undefined,
      'video without gaps, resent packets included',
    );
    await viewer.close();
  }
});
