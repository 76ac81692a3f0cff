// Given by --import: lets a test do harm to a worker from the inside. When CRASH_FOLDER holds a file named
// `<worker>-<kind>`, the worker does it; the file is removed first, so that its successor lives.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, workerData } from 'node:worker_threads';

const folder = process.env.CRASH_FOLDER;

const kinds = {
  exit() {
    process.exit(3);
  },
  throw() {
    throw new Error('thrown inside the worker by a test');
  },
  reject() {
    Promise.reject(new Error('rejected inside the worker by a test'));
  },
  loop() {
    for (;;);
  },
  memory() {
    const kept = [];
    for (;;) kept.push(new Array(1000).fill(kept.length));
  },
  // Long enough for a fast camera to go round a small ring several times, short enough not to count as hung.
  block() {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
  },
  collect() {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    collect();
    // What finalizers let go of is free after the second time.
    setTimeout(collect, 10);
  },
};

if (!isMainThread && folder && workerData?.ring) {
  const name = workerData.live ? 'live' : workerData.recorder ? 'recorder' : 'capture';
  setInterval(() => {
    for (const [kind, act] of Object.entries(kinds)) {
      try {
        rmSync(path.join(folder, `${name}-${kind}`));
      } catch {
        continue;
      }
      act();
    }
  }, 20).unref();
}
