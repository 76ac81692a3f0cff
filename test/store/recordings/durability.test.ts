/** What the index says is durable, is: kill -9, full disks, disks that fail and that hang. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type IndexStore, openIndexStore } from '../../../src/store/recordings/index-store.ts';
import { addsUp, emptySegment, indexFolder, openIndex, record } from './index-fixture.ts';

const register = new URL('../../register.mjs', import.meta.url).href;
const scriptOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const isStateFailed = (error: unknown): boolean => (error as { code?: string }).code === 'state-failed';

/** LMDB, of which commits fail, or never end, while that is so. */
class FailingStore {
  reason: string | undefined;
  isHanging = false;
  isPanicked = false;
  opened = 0;
  attempts = 0;
  private readonly released: (() => void)[] = [];

  open = (folder: string): IndexStore => {
    const store = openIndexStore(folder);
    this.opened += 1;
    this.isPanicked = false;
    return {
      ...store,
      commit: async change => {
        this.attempts += 1;
        if (this.isHanging) await new Promise<void>(resolve => this.released.push(resolve));
        if (this.reason !== undefined) throw new Error(this.reason);
        return store.commit(change);
      },
      isReadable: () => !this.isPanicked,
    };
  };

  release(): void {
    this.isHanging = false;
    for (const resolve of this.released.splice(0)) resolve();
  }
}

test('after kill -9 nothing that was durable is lost, nothing that was removed comes back, and all counts add up', async t => {
  const folder = indexFolder(t);
  const durable = new Map<number, number>();
  const removed = new Set<number>();
  const unsure = new Set<number>();
  const rounds = 6;
  for (let round = 0; round < rounds; round++) {
    const argv = ['--import', register, scriptOf('kill-process.ts'), folder];
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    let left = 10 + Math.floor(Math.random() * 60);
    lines.on('line', line => {
      const [what, , segment, count] = line.split(' ');
      const number = Number(segment);
      if (what === 'durable') durable.set(number, Number(count));
      if (what === 'removing') unsure.add(number);
      if (what === 'removed') removed.add(number);
      if (left-- === 0) child.kill('SIGKILL');
    });
    await Promise.all([once(child, 'exit'), once(lines, 'close')]);
    assert.equal(child.signalCode, 'SIGKILL');
    const index = await openIndex(folder, { openWaitMs: 30_000 });
    assert.equal(index.state(), 'ok');
    for (const [number, count] of durable) {
      const fragments = index.fragments(0, number);
      assert.ok(addsUp(fragments));
      if (removed.has(number)) assert.deepEqual(fragments, []);
      else if (!unsure.has(number)) assert.ok(fragments.length >= count, `segment ${number}`);
    }
    for (const segment of index.segments(0))
      assert.equal(index.fragments(0, segment.number).length, segment.counts.fragments);
    // As a process that is killed leaves it: the next one looks at the file again.
    await index.close();
    spawnSync('touch', [path.join(folder, 'running')]);
  }
  t.diagnostic(`${durable.size} segments, ${removed.size} removed, ${rounds} kills`);
  assert.ok(removed.size > 0);
});

test('a full disk takes the ballast; a removal goes through, and the ballast comes back', async t => {
  const folder = indexFolder(t);
  const disk = new FailingStore();
  const index = await openIndex(folder, { openStore: disk.open });
  const ballast = path.join(folder, 'ballast');
  record(index, 0, 1, 5);
  record(index, 0, 2, 5);
  await index.flush();
  while (!existsSync(ballast)) await new Promise(resolve => setTimeout(resolve, 5));
  disk.reason = 'No space left on device';
  const before = disk.attempts;
  await assert.rejects(index.removeSegments([{ stream: 0, number: 1 }]), isStateFailed);
  assert.ok(!existsSync(ballast));
  assert.equal(disk.attempts, before + 2);
  assert.equal(index.state(), 'failing');
  assert.deepEqual(
    index.segments(0).map(({ number }) => number),
    [1, 2],
  );
  disk.reason = undefined;
  await index.removeSegments([{ stream: 0, number: 1 }]);
  assert.deepEqual(
    index.segments(0).map(({ number }) => number),
    [2],
  );
  assert.equal(index.state(), 'ok');
  while (!existsSync(ballast)) await new Promise(resolve => setTimeout(resolve, 5));
  await index.close();
});

test('a really full disk costs durability alone; what is removed makes room', async t => {
  // A disk of 3 MB in memory, seen by the child alone.
  const mount = 'mount -t tmpfs -o size=3m tmpfs "$1"';
  const folder = indexFolder(t);
  mkdirSync(folder);
  if (spawnSync('unshare', ['-m', 'sh', '-c', mount, 'sh', folder]).status !== 0)
    return t.skip('a file system in memory cannot be mounted here');
  const argv = [process.execPath, '--import', register, scriptOf('full-disk-process.ts'), folder];
  const command = `${mount} && exec "$2" "$3" "$4" "$5" "$1"`;
  const { stdout, stderr, status } = spawnSync(
    'unshare',
    ['-m', 'sh', '-c', command, 'sh', folder, ...argv.slice(0, 4)],
    { encoding: 'utf8' },
  );
  const lines = stdout.trim().split('\n');
  assert.equal(status, 0, stderr);
  assert.match(lines[0]!, /^failing after \d+: state-failed: .*(No space left|Input\/output error)/);
  assert.deepEqual(lines.slice(1), ['answers whole', 'ballast there', 'removed', 'state ok', 'unhandled 0']);
});

test('while commits fail the tail grows to its bound; then the oldest segment is given up whole, and counted', async t => {
  const folder = indexFolder(t);
  const disk = new FailingStore();
  const options = { openStore: disk.open, tailFragmentsMax: 50 };
  const index = await openIndex(folder, options);
  record(index, 0, 1, 10, { isClosed: false });
  await index.flush();
  disk.reason = 'Input/output error';
  record(index, 0, 2, 20);
  await assert.rejects(index.flush(), isStateFailed);
  const kept = [record(index, 1, 1, 20), record(index, 0, 3, 20)];
  assert.equal(index.stats().segmentsDropped, 1);
  assert.equal(index.stats().fragmentsWaiting, 40);
  assert.deepEqual(index.fragments(0, 2), []);
  assert.deepEqual(index.fragments(1, 1), kept[0]!.fragments);
  disk.reason = undefined;
  await index.flush();
  await index.close();
  const again = await openIndex(folder);
  assert.deepEqual(
    again.segments(0).map(({ number }) => number),
    [1, 3],
  );
  assert.deepEqual(again.fragments(0, 3), kept[1]!.fragments);
  await again.close();
});

test('a disk that hangs costs each caller its time limit, and no second commit is begun', async t => {
  const disk = new FailingStore();
  const index = await openIndex(indexFolder(t), { openStore: disk.open, commitTimeoutMs: 50 });
  disk.isHanging = true;
  const one = record(index, 0, 1, 3);
  await assert.rejects(index.flush(), isStateFailed);
  await assert.rejects(index.flush(), isStateFailed);
  await assert.rejects(index.removeSegments([{ stream: 0, number: 1 }]), isStateFailed);
  assert.equal(disk.attempts, 1);
  assert.equal(index.state(), 'failing');
  assert.deepEqual(index.fragments(0, 1), one.fragments);
  disk.release();
  while (index.stats().commits === 0 && index.state() === 'failing')
    await index.flush().catch(() => new Promise(resolve => setTimeout(resolve, 5)));
  assert.equal(index.state(), 'ok');
  assert.deepEqual(index.fragments(0, 1), one.fragments);
  await index.close();
});

test('a library that refuses all that follows is opened anew, after a look, and nothing is lost', async t => {
  const folder = indexFolder(t);
  const disk = new FailingStore();
  let looks = 0;
  const scan = async () => {
    looks += 1;
    return { sound: true } as const;
  };
  const index = await openIndex(folder, { openStore: disk.open, scan });
  const first = record(index, 0, 1, 3);
  await index.flush();
  const second = record(index, 0, 2, 3);
  disk.reason = 'Input/output error';
  disk.isPanicked = true;
  await assert.rejects(index.flush(), isStateFailed);
  disk.reason = undefined;
  await index.flush();
  assert.equal(looks, 1);
  assert.equal(disk.opened, 2);
  assert.deepEqual(index.segments(0), [first.segment, second.segment]);
  assert.deepEqual(index.fragments(0, 1), first.fragments);
  await index.close();
});

test('a removed segment is in no answer at once, and durably gone when the promise resolves', async t => {
  const folder = indexFolder(t);
  const index = await openIndex(folder);
  record(index, 0, 1, 3);
  record(index, 0, 2, 3);
  const removal = index.removeSegments([{ stream: 0, number: 1 }]);
  assert.deepEqual(
    index.segments(0).map(({ number }) => number),
    [2],
  );
  assert.deepEqual(index.fragments(0, 1), []);
  await removal;
  const copy = `${folder}-copy`;
  spawnSync('cp', ['-r', folder, copy]);
  const other = await openIndex(copy, { openWaitMs: 30_000 });
  assert.deepEqual(
    other.segments(0).map(({ number }) => number),
    [2],
  );
  assert.deepEqual(other.fragments(0, 1), []);
  await other.close();
  await index.close();
});

test('an index in a folder that cannot be written answers from memory, and says that it fails', async t => {
  const index = await openIndex(indexFolder(t), {
    openStore: () => {
      throw new Error('Read-only file system');
    },
  });
  index.segmentOpened(emptySegment(0, 1));
  assert.equal(index.state(), 'failing');
  assert.equal(index.segments(0).length, 1);
  await assert.rejects(index.flush(), isStateFailed);
  await index.close();
});
