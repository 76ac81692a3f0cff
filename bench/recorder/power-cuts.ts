/**
 * What does a power cut cost? A recording of some seconds on a log of its writes and flushes, cut before and behind every
 * flush and at random moments, with torn writes; each time what is left is mended, and the power goes once more while
 * that is done.
 *
 * Nothing that was told of may be lost, nothing may be found that was not written, and every file must play (ffprobe, on
 * a share of them). The log is of calls, not of blocks: what a file system makes of them is modelled
 * (test/support/power-cut-log.ts), not run.
 *
 * `npm run bench:power-cuts -- --points 2000`, about 2 minutes. Ends with status 1 when anything was wrong.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { probeClip } from '../../test/support/decoded-clip.ts';
import { randomNumbers } from '../../test/support/power-cut-log.ts';
import { PowerCuts } from '../../test/support/power-cuts.ts';
import { printTable, quantileOf } from '../support/table.ts';

const { values } = parseArgs({
  options: {
    points: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '12' },
    seed: { type: 'string', default: '1' },
  },
});
/** Of so many cuts one has its files played. */
const playedEvery = 20;

const ends: (() => unknown)[] = [];
const folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-power-cuts-'));
ends.push(() => rmSync(folder, { recursive: true, force: true }));
const seed = Number(values.seed);
const random = randomNumbers(seed);
const cuts = await PowerCuts.record(
  { after: end => void ends.push(end as () => unknown) },
  Number(values.seconds),
  5000,
);
const moments = Array.from({ length: cuts.moments }, (_, moment) => moment).filter(moment =>
  cuts.isAtFlush(moment),
);
const atFlush = moments.length;
while (moments.length < Number(values.points)) moments.push(Math.floor(random() * cuts.moments));

const faults: string[] = [];
const lost: number[] = [];
let repairs = 0;
let told = 0;
let played = 0;
for (const [i, moment] of moments.entries()) {
  try {
    const result = await cuts.cut(folder, moment, seed * 100_000 + i);
    repairs += result.repairs;
    told += result.told;
    lost.push(result.lostPictures);
    if (i % playedEvery !== 0) continue;
    for (const file of result.files) {
      await probeClip(path.join(folder, file));
      played++;
    }
  } catch (error) {
    faults.push(`at ${moment}, seed ${seed * 100_000 + i}: ${String(error)}`);
    console.log(faults.at(-1));
  }
}
const lostAt = (q: number): number => quantileOf(Float64Array.from(lost), q);
printTable(
  ['what', 'figure'],
  [
    ['power cuts', String(moments.length)],
    ['of them before or behind a flush', String(atFlush)],
    ['changes that recovery made, each of them cut again', String(repairs)],
    ['fragments that had been told of, in all', String(told)],
    ['files that ffprobe read', String(played)],
    [
      'captured pictures that are lost: p50, p99, most (of 30 a second)',
      `${lostAt(0.5)}, ${lostAt(0.99)}, ${lostAt(1)}`,
    ],
    ['faults', String(faults.length)],
  ],
);
for (const end of ends.reverse()) await end();
process.exitCode = faults.length > 0 ? 1 : 0;
