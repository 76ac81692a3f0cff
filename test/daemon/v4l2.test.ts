/** The real daemon with a V4L2 camera that there is not (test/support/v4l2-shim.c). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annexB, idr, inter, pps, sps } from '../capture/capture-fixture.ts';
import { Daemon } from '../support/daemon.ts';
import { makeFakeDevices, requestsOf } from '../support/v4l2-devices.ts';
import { WeriftViewer } from '../support/werift-viewer.ts';

test('a viewer gets the pictures of a V4L2 camera, and a key frame when there is none to begin at', async t => {
  const device = 'camera,h264';
  const forced = 'control 0x9909e5 1';
  // A camera that makes no key frame by itself, and a ring that holds a second.
  const pictures = [annexB(sps, pps, idr(400)), ...Array.from({ length: 5000 }, () => annexB(inter(300)))];
  const devices = makeFakeDevices(t, { plain: pictures });
  if (!devices) return;
  const { folder, env } = devices;
  const daemon = await Daemon.start({
    env,
    flags: [
      ...['--source', `v4l2:${folder}/${device}?fps=240&width=1280&height=720`],
      ...['--ring-slot-count', '256', '--recorder-enabled', 'false'],
      ...['--live-addresses', '127.0.0.1', '--audio-source', 'demo'],
    ],
  });
  t.after(() => daemon.stop());
  const records = 'opencamera_capture_main_access_units_total';
  await daemon.until(async () => ((await daemon.metric(records)) ?? 0) > 260 || undefined, 'pictures');
  assert.equal(await daemon.metric('opencamera_capture_main_source_up'), 1);
  assert.equal(((await daemon.json('/healthz')) as { status: string }).status, 'ok');
  assert.ok(!requestsOf(folder, device).includes(forced));
  const viewer = await WeriftViewer.open(daemon);
  await daemon.until(() => viewer.video.packets.length > 20 || undefined, 'video of the viewer');
  assert.ok(requestsOf(folder, device).includes(forced));
  await viewer.close();
  assert.equal(await daemon.stop(), 0);
});
