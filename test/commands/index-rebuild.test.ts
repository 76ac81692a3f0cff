/** `index rebuild`: the index of a stopped camera, made of the files on its card. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { indexRebuildCommand } from '../../src/commands/index-rebuild.ts';
import type { Configuration } from '../../src/config/configuration.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { openStateFolder } from '../../src/config/state-folder.ts';
import { segmentPath } from '../../src/recorder/segment-path.ts';
import { indexFolder } from '../../src/supervisor/recordings-part.ts';
import { fixtureClip, makeSegment } from '../isobmff/segments.ts';
import { openIndex, record, silentLogger } from '../store/recordings/index-fixture.ts';

const demo = fixtureClip('demo-720p30.h264', 30, true);

interface Camera {
  readonly configuration: Configuration;
  readonly card: string;
  readonly deviceUuid: string;
}

/** The folders of a camera that was stopped. */
function stoppedCamera(t: TestContext): Camera {
  const folder = mkdtempSync(path.join(tmpdir(), 'index-rebuild-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const [state, card] = [path.join(folder, 'state'), path.join(folder, 'card')];
  mkdirSync(card);
  const flags = new Map([
    ['state', state],
    ['recordings', card],
  ]);
  const { configuration } = loadConfiguration({ flags });
  return { configuration, card, deviceUuid: openStateFolder(state).deviceUuid };
}

function put({ card, deviceUuid }: Camera, number: number, isOpen = false, isHeadDamaged = false): void {
  const baseWallUnixMs = Date.UTC(2026, 10, 23, 5, 30) + number * 300_000;
  const { bytes } = makeSegment(demo, { deviceUuid, number, baseWallUnixMs, isOpen });
  if (isHeadDamaged) bytes.fill(0, 40, 200);
  const file = path.join(card, segmentPath({ deviceUuid, stream: 0, number, baseWallUnixMs }));
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}

async function rebuild({ configuration }: Camera): Promise<string> {
  const written: string[] = [];
  await indexRebuildCommand({ configuration, logger: silentLogger, write: text => written.push(text) });
  return written.join('');
}

test('every file of the card is in the new index, torn and damaged ones too, and the old index is put aside', async t => {
  const camera = stoppedCamera(t);
  const folder = indexFolder(camera.configuration);
  const before = await openIndex(folder);
  record(before, 0, 77, 3);
  await before.close();
  put(camera, 1);
  put(camera, 2, false, true);
  put(camera, 3, true);
  assert.match(await rebuild(camera), /The index has 3 files, \d+ fragments/);
  const index = await openIndex(folder);
  t.after(() => index.close());
  assert.deepEqual(
    index.segments(0).map(({ number, isClosed, counts }) => [number, isClosed, counts.videoSamples]),
    [1, 2, 3].map(number => [number, true, demo.pictures.length]),
  );
  assert.equal(index.fragments(0, 3).length, index.segments(0)[2]!.counts.fragments);
  assert.ok(existsSync(path.join(`${folder}.before`, 'database', 'data.mdb')));
});

test('a card without recordings makes an empty index', async t => {
  assert.match(await rebuild(stoppedCamera(t)), /The index has 0 files/);
});

test('more files than one commit takes are all in the index', async t => {
  const camera = stoppedCamera(t);
  for (let number = 1; number <= 25; number++) put(camera, number);
  assert.match(await rebuild(camera), /The index has 25 files/);
  const index = await openIndex(indexFolder(camera.configuration));
  t.after(() => index.close());
  assert.equal(index.segments(0).length, 25);
});

test('while the camera runs nothing is touched', async t => {
  const camera = stoppedCamera(t);
  put(camera, 1);
  const folder = indexFolder(camera.configuration);
  const running = await openIndex(folder);
  t.after(() => running.close());
  await assert.rejects(rebuild(camera), { code: 'state-failed' });
  assert.ok(!existsSync(`${folder}.before`));
});

test('without a camera, or without its card, it says so', async t => {
  const camera = stoppedCamera(t);
  rmSync(camera.card, { recursive: true });
  await assert.rejects(rebuild(camera), { code: 'card-failed' });
  rmSync(path.join(camera.configuration.state, 'device-uuid'));
  await assert.rejects(rebuild(camera), { code: 'state-failed' });
});
