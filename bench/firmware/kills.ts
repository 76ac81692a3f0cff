/**
 * Can an upgrade brick the camera? Takes the power from it (kill -9 of launcher, camera, or both) at random moments of upload,
 * verification, switch, first start and roll-back, again and again on the same state, sometimes twice in a row; then starts it and
 * looks: it must serve within 30 s, a version of those that were ever there must run, its slot must be whole to the byte, the owner's
 * session must hold, and what was recorded before must be listed.
 *
 * `npm run bench:upgrade-kills -- --kills 200`. Some 7 s a kill. Ends with status 1 when anything was wrong.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readBootRecord } from '../../src/firmware/boot-record.ts';
import { checkSlotFolder } from '../../src/firmware/slot-folder.ts';
import { printTable, quantileOf } from '../support/table.ts';
import { LaunchedCamera, makeImages } from './launched-camera.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log('npm run bench:upgrade-kills -- [--kills 200] [--seed N]');
  process.exit(0);
}
const kills = Number(values.kills);

/** Mulberry32, so that a run can be had again. */
let seed = Number(values.seed);
function random(): number {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

const versions = ['0.2.0', '0.3.0'];
const folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-images-'));
const images = makeImages(folder, versions);
const camera = new LaunchedCamera(['--firmware-allow-downgrade', 'true', '--firmware-trial-seconds', '30']);
const faults: string[] = [];
const phases = new Map<string, number>();
const upMs: number[] = [];
const outcomes = new Map<string, number>();
let oldest: string | undefined;

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

/** What the camera says it is doing; `down` while none answers. */
async function phase(): Promise<string> {
  try {
    const response = await camera.fetch('/api/v1/system/upgrade', { signal: AbortSignal.timeout(300) });
    return ((await response.json()) as { state: string }).state;
  } catch {
    return camera.pids.camera === undefined ? 'between two versions' : 'starting or stopping';
  }
}

/** Begins an upgrade to another version, or now and then a roll-back. */
async function begin(): Promise<void> {
  const { version, state, canRollBack } = await camera.upgrade();
  if (state === 'trial') return;
  if (canRollBack && random() < 0.25) {
    void camera.fetch('/api/v1/system/upgrade/rollback', { method: 'POST' }).catch(() => undefined);
    return;
  }
  const others = versions.filter(each => each !== version);
  const next = others[Math.floor(random() * others.length)]!;
  void camera.upload(images.get(next)!).catch(() => undefined);
}

async function kill(): Promise<void> {
  const { launcher, camera: child } = camera.pids;
  const which = random();
  if (which < 0.5 || launcher === undefined || child === undefined) {
    await camera.killAll();
    return;
  }
  const pid = which < 0.75 ? launcher : child;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended in this moment.
  }
  // A camera that was killed alone ends its launcher, or is on trial and is started again.
  await camera.endsWithin(pid === launcher ? 5000 : 100);
}

async function serves(): Promise<boolean> {
  return (await phase()) !== 'starting or stopping' && camera.pids.camera !== undefined;
}

async function comeUp(): Promise<void> {
  const sinceMs = performance.now();
  if (camera.isUp && !(await serves())) await camera.ready().catch(() => undefined);
  if (!camera.isUp) await camera.start();
  upMs.push(performance.now() - sinceMs);
}

async function look(): Promise<void> {
  const { firmwareVersion } = await camera.json<{ firmwareVersion: string }>('/api/v1/system');
  if (!['0.1.0', ...versions].includes(firmwareVersion)) faults.push(`version ${firmwareVersion} runs`);
  const { activeSlot, lastResult } = await camera.upgrade();
  const { record, from } = readBootRecord(camera.slots);
  if (from === 'previous') faults.push('the boot record was damaged');
  if (activeSlot !== 'factory') await checkSlotFolder(path.join(camera.slots, activeSlot));
  const isGood = record.trial?.slot === activeSlot || record.active === activeSlot;
  if (!isGood) faults.push(`${activeSlot} runs, the record says ${JSON.stringify(record)}`);
  count(
    outcomes,
    `${firmwareVersion}${record.trial ? ' on trial' : ''}, last: ${lastResult?.outcome ?? 'none'}`,
  );
  const { spans } = await camera.json<{ spans: { start: string }[] }>('/api/v1/media/recordings');
  const first = spans[0]?.start;
  if (oldest !== undefined && (first === undefined || first > oldest))
    faults.push(`recordings began ${oldest} before, and ${first ?? 'are gone'} now`);
  oldest ??= first;
}

console.log(`seed ${values.seed}, ${kills} kills`);
try {
  await camera.start();
  await delay(3000);
  for (let i = 1; i <= kills; i++) {
    try {
      if (random() < 0.8) await begin();
      await delay(random() * 9000);
      count(phases, await phase());
      await kill();
      if (random() < 0.2 && i < kills) {
        // Again while it comes up.
        const up = comeUp().catch(() => undefined);
        await delay(random() * 2000);
        count(phases, 'coming up');
        await kill();
        await up;
        i++;
      }
      await comeUp();
      await look();
    } catch (error) {
      faults.push(`kill ${i}: ${(error as Error).message}`);
      await camera.killAll();
      await camera.start();
    }
    if (i % 10 === 0) console.log(`${i} kills, ${faults.length} faults`);
  }
  await camera.logIn();
} finally {
  await camera.remove();
  rmSync(folder, { recursive: true });
}
printTable(['killed while', 'times'], [...phases].sort());
printTable(['what ran then', 'times'], [...outcomes].sort());
const up = Float64Array.from(upMs);
console.log(
  `serves again after p50 ${Math.round(quantileOf(up, 0.5))} ms, max ${Math.round(Math.max(...up))} ms`,
);
for (const fault of faults) console.log(`FAULT ${fault}`);
console.log(`${kills} kills, ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
