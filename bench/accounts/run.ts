/**
 * What does a password cost? Times and memory of the task pool with the passwords as shipped:
 *
 *   1. one hash, for the two costs that the documents name;
 *   2. the first comparison with a cold pool, and the next;
 *   3. the answer for a user's wrong password and for no user: medians of 300 each, taken in turns; and with a full queue;
 *   4. a hundred comparisons at once: how many were taken, how long all took;
 *   5. resident memory before, after these, and when the threads have gone.
 *
 * `node --expose-gc --import ./test/register.mjs bench/accounts/run.ts`; about 20 s.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { PooledPasswordHasher } from '../../src/auth/password-hasher.ts';
import { TaskPool } from '../../src/supervisor/task-pool.ts';
import { median, printTable } from '../support/table.ts';

const shipped = { argon2MemoryKib: 19456, argon2Iterations: 2, argon2Parallelism: 1 };
const small = { argon2MemoryKib: 7168, argon2Iterations: 5, argon2Parallelism: 1 };
const idleMs = 1000;
const silent = (): void => {};
const logger = { debug: silent, info: silent, warn: silent, error: silent };
const pool = new TaskPool({ logger, idleMs, threads: 2 });
const hasher = new PooledPasswordHasher(pool, shipped);

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work().catch(() => {});
  return performance.now() - startedMs;
}

function residentMb(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage.rss() / 1e6;
}

const figures: [string, string][] = [];
const tell = (what: string, figure: number, unit: string): void =>
  void figures.push([what, `${figure.toFixed(figure < 10 ? 2 : 1)} ${unit}`]);

tell('resident memory before', residentMb(), 'MB');
const phc = await new PooledPasswordHasher(pool, shipped).hash('a good long password');
await delay(idleMs * 2);
tell('cold pool: first comparison of one candidate', await timed(() => hasher.verify(phc, ['wrong'])), 'ms');
tell('warm pool: the next one', await timed(() => hasher.verify(phc, ['wrong'])), 'ms');
tell('resident memory with one thread', residentMb(), 'MB');

for (const [name, cost] of Object.entries({ '19456 KiB, t=2, p=1': shipped, '7168 KiB, t=5, p=1': small })) {
  const other = new PooledPasswordHasher(pool, cost);
  const times: number[] = [];
  for (let i = 0; i < 30; i++) times.push(await other.measure());
  tell(`one hash, ${name} (median of 30)`, median(times), 'ms');
}

const known: number[] = [];
const unknown: number[] = [];
for (let i = 0; i < 300; i++) {
  known.push(await timed(() => hasher.verify(phc, ['wrong'])));
  unknown.push(await timed(() => hasher.verify(undefined, ['wrong'], phc)));
}
tell('wrong password (median of 300)', median(known), 'ms');
tell('no such user (median of 300)', median(unknown), 'ms');

let refused = 0;
const all = await timed(() =>
  Promise.all(Array.from({ length: 100 }, () => hasher.verify(phc, ['x']).catch(() => refused++))),
);
tell('a hundred at once: refused', refused, '');
tell('a hundred at once: until the last answer', all, 'ms');
tell('resident memory after it', residentMb(), 'MB');

const full = Array.from({ length: 10 }, () => hasher.verify(phc, ['x']));
const fullKnown: number[] = [];
const fullUnknown: number[] = [];
for (let i = 0; i < 300; i++) {
  fullKnown.push((await timed(() => hasher.verify(phc, ['wrong']))) * 1000);
  fullUnknown.push((await timed(() => hasher.verify(undefined, ['wrong'], phc))) * 1000);
}
await Promise.all(full);
tell('full queue, wrong password (median of 300)', median(fullKnown), 'µs');
tell('full queue, no such user (median of 300)', median(fullUnknown), 'µs');

await delay(idleMs * 3);
tell('resident memory when the threads have gone', residentMb(), 'MB');
tell('threads then', pool.stats().values.threads!, '');
printTable(['', ''], figures);
await pool.stop(2000);
