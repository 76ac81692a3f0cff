import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CameraError } from '../../src/base/errors.ts';
import { Database } from '../../src/store/database.ts';
import { recordLengthMax } from '../../src/store/record.ts';
import { requireProgram } from '../support/requires.ts';
import { newFolder } from './database-fixture.ts';

const register = new URL('../register.mjs', import.meta.url).href;
const scriptOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const isStateFailed = (error: unknown): boolean => (error as CameraError).code === 'state-failed';

test('a change sees the newest records, writes what it changed, and is there when the database is opened again', async t => {
  const folder = newFolder(t);
  const first = Database.open(folder);
  await first.change(records => records.set('a', { n: 1 }).set('b', ['x']));
  const seen = await first.change(records => {
    records.delete('b');
    (records.get('a') as { n: number }).n += 1;
    return [...records.keys()];
  });
  assert.deepEqual(seen, ['a']);
  await first.close();
  const second = Database.open(folder);
  assert.deepEqual([...second.records()], [['a', { n: 2 }]]);
  await second.close();
});

test('a change that throws changes nothing, and those beside it hold', async t => {
  const database = Database.open(newFolder(t));
  const boom = new Error('boom');
  const results = await Promise.allSettled([
    database.change(records => records.set('a', 1)),
    database.change(records => {
      records.set('b', 2);
      throw boom;
    }),
    database.change(records => records.set('c', 'x'.repeat(recordLengthMax))),
    database.change(records => records.set('d', 4)),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  );
  assert.equal((results[1] as PromiseRejectedResult).reason, boom);
  assert.ok(isStateFailed((results[2] as PromiseRejectedResult).reason));
  assert.deepEqual([...database.records().keys()], ['a', 'd']);
  await database.close();
});

test('a hundred changes at once are done one after the other', async t => {
  const database = Database.open(newFolder(t));
  const add = (): Promise<number> =>
    database.change(records => {
      const n = ((records.get('n') as number | undefined) ?? 0) + 1;
      records.set('n', n);
      return n;
    });
  const results = await Promise.all(Array.from({ length: 100 }, add));
  assert.deepEqual(
    results,
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
  await database.close();
});

test('what another process holds up is given up in time; nothing else waits for it, and then all goes on', async t => {
  const folder = newFolder(t);
  const database = Database.open(folder, { timeoutMs: 500 });
  await database.change(records => records.set('a', 1));
  const argv = ['--import', register, scriptOf('lock-process.ts'), folder];
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(createInterface({ input: child.stdout }), 'line');
  const late = [
    database.change(records => records.set('b', 2)),
    database.change(records => records.set('c', 3)),
  ];
  for (const change of late) await assert.rejects(change, isStateFailed);
  // Without another wait: before the event loop turns.
  const refused = database.change(() => undefined).catch(String);
  const turned = new Promise(resolve => setImmediate(resolve, 'it waits'));
  assert.match(String(await Promise.race([refused, turned])), /does not answer/);
  assert.deepEqual([...database.records().keys()], ['a']);
  child.stdin.end();
  await once(child, 'exit');
  // The one that was under way is done late; the one behind it was given up before it began.
  // Its record is seen a moment before its commit is over; until then a change is refused at once.
  const isRefused = (error: unknown): boolean => /does not answer/.test(String(error));
  for (let isDone = false; !isDone; )
    isDone = await database
      .change(records => records.set('d', 4))
      .then(
        () => true,
        (error: unknown) => {
          assert.ok(isRefused(error), String(error));
          return new Promise(resolve => setTimeout(resolve, 5, false));
        },
      );
  assert.deepEqual([...database.records().keys()], ['a', 'b', 'd']);
  await database.close();
});

test('a full disk costs the change, with the reason, and neither the process nor what was there', async t => {
  const folder = newFolder(t);
  const argv = ['--import', register, scriptOf('full-disk-process.ts'), folder];
  // A limit on the size of files stands in for the disk; its signal is ignored, so that the writer gets an error.
  const command = `trap '' XFSZ; ulimit -f 80; exec "$0" "$@"`;
  const { stdout, status } = spawnSync('sh', ['-c', command, process.execPath, ...argv], {
    encoding: 'utf8',
  });
  const [failed, ...after] = stdout.trim().split('\n');
  assert.match(failed!, /^state-failed: the change is not on the disk: (File too large|Input\/output error)/);
  assert.deepEqual(after, ['records a', 'records a,c', 'unhandled 0']);
  assert.equal(status, 0);
});

/**
 * The calls in the order in which they were over, one a line. strace cuts a call in two where another thread's comes in
 * between; the answers stand where they began.
 */
function wholeCalls(trace: string): string[] {
  const begun = new Map<string, string>();
  return trace.split('\n').flatMap(line => {
    const [, pid = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const first = / <unfinished \.\.\.>$/.exec(text);
    if (first && text.includes('answered')) return text;
    if (first) begun.set(pid, text.slice(0, first.index));
    const rest = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    if (rest && begun.has(pid)) {
      const whole = begun.get(pid)! + rest[1]!;
      begun.delete(pid);
      return whole;
    }
    return first || rest ? [] : text;
  });
}

test('a change is answered after its data and its meta page are on the disk', async t => {
  if (!requireProgram(t, 'strace')) return;
  const folder = newFolder(t);
  const trace = path.join(path.dirname(folder), 'trace');
  const calls = 'trace=pwrite64,pwritev,writev,fdatasync,write,openat';
  const argv = [process.execPath, '--import', register, scriptOf('durable-process.ts'), folder];
  const { stdout } = spawnSync('strace', ['-f', '-y', '-e', calls, '-o', trace, ...argv], {
    encoding: 'utf8',
  });
  assert.equal(stdout, 'answered 1\nanswered 2\nanswered 3\n');
  const lines = wholeCalls(readFileSync(trace, 'utf8')).filter(
    line => line.includes('data.mdb') || line.includes('answered'),
  );
  const meta = lines.find(line => line.includes('O_DSYNC'))!;
  const metaDescriptor = /= (\d+)/.exec(meta)![1];
  const steps = lines.flatMap(line => {
    if (line.includes('answered')) return 'answer';
    if (line.includes('fdatasync(')) return 'flush';
    if (line.includes(`pwrite64(${metaDescriptor}<`)) return 'durable meta';
    return line.includes('write') ? 'write' : [];
  });
  const change = ['write', 'flush', 'durable meta', 'answer'];
  assert.deepEqual(steps.slice(-12), [...change, ...change, ...change]);
});
