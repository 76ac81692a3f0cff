/**
 * What an upgrade costs whoever watches, and the recording: version A runs with a viewer and the recorder, is upgraded to B
 * through the HTTP API, and rolled back. The viewer comes again by itself, as the page does.
 *
 * `npm run bench:upgrade`. Half a minute.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LightViewer } from '../../test/support/light-viewer.ts';
import { printTable } from '../support/table.ts';
import { LaunchedCamera, makeImages } from './launched-camera.ts';

/** The longest pause of datagrams counts as the gap of the live view; sound alone comes each 20 ms. */
class Watcher {
  private readonly camera: LaunchedCamera;
  private lastMs = performance.now();
  private isOver = false;
  gapMs = 0;
  views = 0;

  constructor(camera: LaunchedCamera) {
    this.camera = camera;
  }

  async watch(): Promise<void> {
    while (!this.isOver) {
      try {
        const viewer = await LightViewer.open(this.camera);
        this.views += 1;
        viewer.onDatagram = () => {
          const nowMs = performance.now();
          this.gapMs = Math.max(this.gapMs, nowMs - this.lastMs);
          this.lastMs = nowMs;
        };
        await viewer.closed;
      } catch {
        await delay(100);
      }
    }
  }

  /** The longest gap since this was last asked. */
  take(): number {
    const { gapMs } = this;
    this.gapMs = 0;
    return gapMs;
  }

  end(): void {
    this.isOver = true;
  }
}

interface Recordings {
  readonly spans: readonly { readonly start: string; readonly end: string }[];
  readonly gaps: readonly { readonly start: string; readonly end: string }[];
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-images-'));
const image = makeImages(folder, ['0.2.0']).get('0.2.0')!;
const camera = new LaunchedCamera(['--live-addresses', '127.0.0.1', '--recorder-segment-seconds', '10']);
const rows: (string | number)[][] = [];

/** Does something that ends in a restart; writes down how long its steps took. */
async function measure(name: string, watcher: Watcher, act: () => Promise<Response>): Promise<void> {
  watcher.take();
  const gapsBefore = (await camera.json<Recordings>('/api/v1/media/recordings')).gaps.length;
  const sinceMs = performance.now();
  const ready = camera.ready();
  const response = await act();
  if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
  const answeredMs = performance.now() - sinceMs;
  await ready;
  const readyMs = performance.now() - sinceMs;
  while ((await camera.upgrade()).state !== 'confirmed') await delay(50);
  const confirmedMs = performance.now() - sinceMs;
  const { firmwareVersion } = await camera.json<{ firmwareVersion: string }>('/api/v1/system');
  await delay(1500);
  const { gaps } = await camera.json<Recordings>('/api/v1/media/recordings');
  const lost = gaps.slice(gapsBefore).map(({ start, end }) => Date.parse(end) - Date.parse(start));
  const shown = [answeredMs, readyMs, confirmedMs, watcher.take(), Math.max(0, ...lost)];
  rows.push([name, firmwareVersion, ...shown.map(Math.round)]);
}

const watcher = new Watcher(camera);
try {
  await camera.start();
  const watching = watcher.watch();
  await delay(5000);
  await measure('upgrade', watcher, () => camera.upload(image));
  await measure('roll-back', watcher, () =>
    camera.fetch('/api/v1/system/upgrade/rollback', { method: 'POST' }),
  );
  watcher.end();
  await camera.remove();
  await watching;
} finally {
  await camera.remove();
  rmSync(folder, { recursive: true });
}
printTable(
  ['', 'then runs', 'answered ms', 'serves ms', 'confirmed ms', 'live gap ms', 'recording gap ms'],
  rows,
);
console.log(`the viewer connected ${watcher.views} times`);
