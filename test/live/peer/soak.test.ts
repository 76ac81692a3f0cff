import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  activeResources,
  closeAll,
  connect,
  connected,
  makeCamera,
  makeEnds,
  makeViewer,
  vanish,
} from './peer-fixture.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Connects; or leaves the camera alone; or ends one side somewhere in the handshake. */
async function session(kind: number): Promise<void> {
  if (kind % 4 === 1) {
    const camera = await makeCamera();
    if (kind % 8 === 1) camera.start();
    await camera.close();
  } else if (kind % 4 === 3) {
    const camera = await makeCamera();
    const viewer = await makeViewer(camera);
    connected(camera).catch(() => {});
    connected(viewer).catch(() => {});
    camera.start();
    viewer.start();
    for (let turn = 0; turn < (kind >> 2) % 12; turn++) await new Promise(resolve => setImmediate(resolve));
    if (kind % 8 === 3) await vanish(viewer);
    await closeAll(camera, viewer);
  } else {
    const ends = await makeEnds();
    await connect(ends);
    if (kind % 8 === 0) await closeAll(ends.viewer, ends.camera);
    else await closeAll(ends.camera, ends.viewer);
  }
}

async function heapBytes(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise(resolve => setTimeout(resolve, 5));
    collect();
  }
  return process.memoryUsage().heapUsed;
}

describe('peers that come and go', () => {
  it('leave no socket and no timer, and a flat heap, after 200 of them', async () => {
    for (let kind = 0; kind < 120; kind++) await session(kind);
    const resources = await activeResources();
    const before = await heapBytes();
    for (let kind = 0; kind < 200; kind++) await session(kind);
    assert.deepEqual(await activeResources(), resources);
    const perSession = ((await heapBytes()) - before) / 200;
    // Compiled code and the engine's feedback still grow a little; a retained session would be 20 KB and more.
    assert.ok(perSession < 4000, `${perSession} bytes a session`);
  });
});
