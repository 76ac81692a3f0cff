/**
 * Many sessions against one daemon, ended in every way there is, and then the question what is left of them: nothing
 * may be. (The peers alone are soaked in test/live/peer/soak.test.ts.)
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon } from '../support/daemon.ts';
import { LightViewer, newIdentity, offerSdp, postOffer } from '../support/light-viewer.ts';

/** Sessions before the first measurement: by then code is compiled and caches are full. */
const warmUpSessions = 60;
const sessions = 200;
const concurrency = 4;
/**
 * Growth of the collected heap that is allowed, bytes a session: compiled code and the engine's feedback still grow a
 * little, a session that is kept would be 20 KB and more.
 */
const heapBytesPerSessionMax = 4000;

const kinds = ['posted', 'deleted', 'left', 'vanished', 'killed while connecting', 'aborted post'] as const;

describe('200 sessions, opened and ended in every way', () => {
  const crashFolder = mkdtempSync(path.join(os.tmpdir(), 'soak-'));
  let daemon: Daemon;
  before(async () => {
    daemon = await Daemon.start({
      flags: [
        ...['--live-addresses', '127.0.0.1', '--live-max-pending', '64', '--live-max-viewers', '64'],
        ...['--live-connect-timeout-seconds', '2', '--live-viewer-timeout-seconds', '5'],
      ],
      imports: ['./test/support/crash-hook.mjs'],
      env: { CRASH_FOLDER: crashFolder },
    });
  });
  after(async () => {
    await daemon.stop();
    rmSync(crashFolder, { recursive: true, force: true });
  });

  test('leave no viewer, no pending offer, no socket and a flat heap behind', async t => {
    await soak(warmUpSessions);
    await quiet();
    const heapBefore = await collectedHeapBytes();
    const begin = performance.now();
    let mostSockets = 0;
    const slowestMs = await meanwhileDevice(async () => {
      const counting = setInterval(() => {
        mostSockets = Math.max(mostSockets, udpSockets());
      }, 100);
      await soak(sessions).finally(() => clearInterval(counting));
    });
    const soakMs = performance.now() - begin;
    await quiet();
    const heapAfter = await collectedHeapBytes();
    const perSession = (heapAfter - heapBefore) / sessions;
    t.diagnostic(
      `${sessions} sessions in ${Math.round(soakMs)} ms; heap ${heapBefore} → ${heapAfter}, ` +
        `${Math.round(perSession)} bytes a session; ` +
        `at most ${mostSockets} UDP sockets, slowest GET /device ${Math.round(slowestMs)} ms`,
    );
    assert.ok(mostSockets > 0, 'the sockets are counted');
    assert.ok(perSession < heapBytesPerSessionMax, `${perSession} bytes a session`);
    const health = (await (await daemon.fetch('/healthz')).json()) as {
      status: string;
      workers: { restarts: number }[];
    };
    assert.equal(health.status, 'ok');
    assert.ok(
      health.workers.every(({ restarts }) => restarts === 0),
      'a worker died',
    );
  });

  async function soak(count: number): Promise<void> {
    let next = 0;
    const run = async (): Promise<void> => {
      while (next < count) await session(next++);
    };
    await Promise.all(Array.from({ length: concurrency }, run));
  }

  async function session(number: number): Promise<void> {
    const kind = kinds[number % kinds.length]!;
    if (kind === 'posted') {
      await daemon.until(async () => {
        const { status } = await postOffer(daemon, offerSdp(await newIdentity()));
        return status === 200 || undefined;
      }, 'an answer');
      return;
    }
    if (kind === 'aborted post') {
      const signal = AbortSignal.timeout(number % 12);
      await postOffer(daemon, offerSdp(await newIdentity()), { signal }).then(
        response => response.text(),
        () => {},
      );
      return;
    }
    // Those that nobody comes for are pending for 2 s; where their limit is reached, the viewer tries again.
    const viewer = await daemon.until(
      () =>
        LightViewer.open(daemon).catch(error =>
          /offers-pending/.test(String(error)) ? undefined : raise(error),
        ),
      'an answer',
    );
    if (kind === 'killed while connecting') {
      for (let turn = 0; turn < number % 24; turn++) await new Promise(resolve => setImmediate(resolve));
      if (number % 4 < 2) await viewer.vanish();
      else assert.equal((await viewer.delete()).status, 200);
      await viewer.close();
      return;
    }
    await viewer.connected;
    await new Promise<void>(resolve => {
      viewer.onDatagram = () => viewer.datagrams >= 10 && resolve();
    });
    if (kind === 'deleted') {
      assert.equal((await viewer.delete()).status, 200);
      assert.equal(await viewer.closed, 'closed-by-viewer', 'the camera says close_notify');
    } else if (kind === 'vanished') await viewer.vanish();
    else await viewer.close();
  }

  /** Until the sessions have ended, those that nobody came for by their time limits. */
  async function quiet(): Promise<void> {
    // The sockets first: the statistics are up to a beat old.
    await daemon.until(() => udpSockets() === 0 || undefined, 'the closing of all UDP sockets');
    await daemon.until(async () => {
      const viewers = await daemon.metric('opencamera_live_viewers');
      const pending = await daemon.metric('opencamera_live_sessions_pending');
      return (viewers === 0 && pending === 0) || undefined;
    }, 'the end of all sessions');
  }

  async function collectedHeapBytes(): Promise<number> {
    // The second collection takes what the first one's finalizers let go; then the next statistics are waited for.
    for (let time = 0; time < 2; time++) {
      writeFileSync(path.join(crashFolder, 'live-collect'), '');
      await daemon.until(() => !readdirSync(crashFolder).length || undefined, 'the collection');
    }
    const beats = 3;
    let least = Number.POSITIVE_INFINITY;
    for (let beat = 0; beat < beats; beat++) {
      await new Promise(resolve => setTimeout(resolve, 500));
      least = Math.min(least, (await daemon.metric('opencamera_live_heap_used_bytes'))!);
    }
    return least;
  }

  /** UDP sockets of the daemon; those of HTTP come and go with the client's pool. */
  function udpSockets(): number {
    const { pid } = daemon.process;
    // proc(5): the tenth column is the inode.
    const all = new Set(
      ['udp', 'udp6'].flatMap(name =>
        readFileSync(`/proc/${pid}/net/${name}`, 'utf8')
          .split('\n')
          .map(line => line.trim().split(/\s+/)[9]),
      ),
    );
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).filter(name => {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(path.join(folder, name)))?.[1];
        return inode !== undefined && all.has(inode);
      } catch {
        return false; // Closed since the folder was listed.
      }
    }).length;
  }

  /** Runs the work and resolves to the longest that GET /device took meanwhile, ms. */
  async function meanwhileDevice(work: () => Promise<void>): Promise<number> {
    let isOver = false;
    let slowestMs = 0;
    const asking = (async () => {
      while (!isOver) {
        const begin = performance.now();
        const response = await daemon.fetch('/api/v1/device');
        await response.text();
        slowestMs = Math.max(slowestMs, performance.now() - begin);
        assert.equal(response.status, 200);
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    })();
    await work().finally(() => {
      isOver = true;
    });
    await asking;
    return slowestMs;
  }
});

function raise(error: unknown): never {
  throw error;
}
