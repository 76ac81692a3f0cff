// Given by --import: lets a test kill a worker from the inside. When CRASH_FOLDER holds `<worker>-exit` or
// `<worker>-throw`, that worker exits or throws; the file is removed first, so that its successor lives.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { isMainThread, workerData } from 'node:worker_threads';

const folder = process.env.CRASH_FOLDER;
if (!isMainThread && folder && workerData?.ring) {
  const name = workerData.live ? 'live' : 'capture';
  const take = kind => {
    try {
      rmSync(path.join(folder, `${name}-${kind}`));
      return true;
    } catch {
      return false;
    }
  };
  setInterval(() => {
    if (take('exit')) process.exit(3);
    if (take('throw')) throw new Error('thrown inside the worker by a test');
  }, 20).unref();
}
