/** Device and system information while the world around them changes (faults.md, 24). */
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { HttpServer } from '../../src/http/server.ts';
import { FakeCamera, token } from './fake-services.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'card-'));
const camera = new FakeCamera();
camera.recordings.folder = path.join(folder, 'recordings');
let server: HttpServer;
before(async () => {
  server = await camera.serve();
});
after(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function get(operation: string): Promise<Record<string, unknown>> {
  const response = await fetch(new URL(`/api/v1/${operation}`, server.url), {
    headers: { 'x-token': token },
  });
  assert.equal(response.status, 200);
  return (await response.json()) as Record<string, unknown>;
}

test('uptime never falls, however the wall clock steps', async () => {
  let last = 0;
  for (let i = 0; i < 1000; i++) {
    camera.clock.nowWallUnixMs += i % 2 === 0 ? -7_200_000 : 56 * 365 * 86_400_000;
    const { uptime } = await get('device');
    assert.ok(Number.isInteger(uptime) && (uptime as number) >= last, `${uptime} after ${last}`);
    last = uptime as number;
    if (i % 2 === 1) camera.clock.nowWallUnixMs = 1_700_000_000_000;
  }
  assert.ok(last > 0);
});

test('a card that comes and goes changes the numbers, never the status', async () => {
  const card = mkdtempSync(path.join(tmpdir(), 'card-'));
  const totals: unknown[] = [];
  for (const isIn of [false, true, false]) {
    if (isIn) renameSync(card, camera.recordings.folder);
    else rmSync(camera.recordings.folder, { recursive: true, force: true });
    const { sdcard_free, sdcard_total } = await get('system');
    assert.ok(Number.isInteger(sdcard_free) && Number.isInteger(sdcard_total));
    totals.push((sdcard_total as number) > 0);
  }
  assert.deepEqual(totals, [false, true, false]);
});
