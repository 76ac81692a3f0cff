/** The recorder worker dies in every way, and is back; what was recorded before stays, and recording goes on. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon } from '../support/daemon.ts';
import { recorderState, recordingStart, timelineOf } from '../support/recorded.ts';

interface Health {
  readonly workers: readonly { readonly name: string; readonly state: string; readonly restarts: number }[];
}

describe('a recorder that dies', () => {
  const crashFolder = mkdtempSync(path.join(os.tmpdir(), 'recorder-crashes-'));
  let daemon: Daemon;
  let startUnixMs: number;
  before(async () => {
    daemon = await Daemon.start({
      imports: ['./test/support/crash-hook.mjs'],
      env: { CRASH_FOLDER: crashFolder },
    });
    startUnixMs = await recordingStart(daemon);
  });
  after(async () => {
    await daemon.stop();
    rmSync(crashFolder, { recursive: true, force: true });
  });

  const workers = async (): Promise<Health['workers']> =>
    ((await (await daemon.fetch('/healthz')).json()) as Health).workers;

  for (const [kind, what] of [
    ['exit', 'its exit'],
    ['reject', 'an unhandled rejection'],
    ['loop', 'an endless loop'],
    ['memory', 'too much memory'],
  ] as const)
    test(`is back after ${what}, the others never noticed, and nothing that was recorded is lost`, async () => {
      const earlier = (await workers()).find(({ name }) => name === 'recorder')!.restarts;
      const { bytes } = await timelineOf(daemon);
      writeFileSync(path.join(crashFolder, `recorder-${kind}`), '');
      await daemon.until(async () => {
        const { restarts, state } = (await workers()).find(({ name }) => name === 'recorder')!;
        return (restarts > earlier && state === 'running') || undefined;
      }, 'the restart');
      await daemon.until(async () => {
        const after = await timelineOf(daemon);
        return (after.bytes > bytes && (await recorderState(daemon)) === 'recording') || undefined;
      }, 'more recordings');
      const { spans } = await timelineOf(daemon);
      assert.equal(Date.parse(spans[0]!.start), startUnixMs);
      for (const { name, restarts } of await workers())
        if (name !== 'recorder') assert.equal(restarts, 0, name);
    });
});
