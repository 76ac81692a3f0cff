/** What doctor says of V4L2 devices; the fake ones are seen by a process of their own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { commandLine } from '../support/command-line.ts';
import { makeFakeDevices } from '../support/v4l2-devices.ts';

test('doctor names each device, what it gives, and what to put into --source', t => {
  const devices = makeFakeDevices(t, {});
  if (!devices) return;
  const { folder, env } = devices;
  const [raw, coded, encoder] = ['camera,yuyv', 'camera,h264', 'encoder,h264,yuyv'].map(name =>
    path.join(folder, name),
  );
  // The check of permissions looks at the files themselves.
  for (const file of [raw, coded, encoder]) writeFileSync(file!, '');
  const { stdout } = spawnSync(
    process.execPath,
    [...commandLine, 'doctor', '--source', `v4l2:${raw}?encoder=${encoder}`, '--sub-source', `v4l2:${coded}`],
    { env: { ...process.env, ...env }, encoding: 'utf8' },
  );
  const lines = stdout.split('\n').filter(line => /^ok +(devices|video|sub video) /.test(line));
  assert.equal(lines.length, 5, stdout);
  const about = (device: string) => lines.find(line => line.includes(`${device} (shim, Shim`)) ?? '';
  assert.match(
    about(raw!),
    /camera, gives YUYV 1920x1080@5 1280x720@240 128x96@240; use --source 'v4l2:.*encoder=/,
  );
  assert.match(about(coded!), /gives H264 .*; use --source v4l2:\S*camera,h264$/);
  assert.match(about(encoder!), /encoder, takes YUYV, gives H264; use \?encoder=/);
});
