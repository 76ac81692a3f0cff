/**
 * What does a bad card do to the camera? The real daemon with fault-shim.c between it and its card: full, failing,
 * read-only, short writes, stalls of 2 s, a hang of 20 s, each switched on and off while it runs.
 *
 * Meanwhile the live picture must go on, GET /device must answer and /healthz must name the state; afterwards recording
 * must go on by itself. At the end every file on the card must decode without a word, and in the clip of the whole time
 * every picture must lie at its time (the source's numbers are a clock) and every gap be one that the manifest names.
 *
 * `npm run bench:faults`, about 4 minutes. Needs a C compiler. Ends with status 1 when anything was wrong.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { clipPath, downloadClip, manifestOf } from '../../test/support/clip-client.ts';
import { Daemon } from '../../test/support/daemon.ts';
import { decodeClip } from '../../test/support/decoded-clip.ts';
import { LightViewer } from '../../test/support/light-viewer.ts';
import { recorderState, recordingStart, timelineOf } from '../../test/support/recorded.ts';
import { mediaOf } from '../../test/support/test-media.ts';
import { printTable } from '../support/table.ts';

interface Fault {
  /** What fault-shim.c is told. */
  readonly control: string;
  /** The state that /healthz must come to. */
  readonly state: string;
  readonly seconds: number;
  /** Whether every picture must be recorded all the same: the ring holds them meanwhile. */
  readonly losesNothing: boolean;
}

const faults: readonly Fault[] = [
  { control: 'short', state: 'recording', seconds: 10, losesNothing: true },
  { control: 'stall 2000 12', state: 'recording', seconds: 25, losesNothing: true },
  { control: 'ENOSPC', state: 'card-full', seconds: 10, losesNothing: false },
  { control: 'EIO', state: 'card-failed', seconds: 10, losesNothing: false },
  { control: 'EROFS', state: 'card-read-only', seconds: 10, losesNothing: false },
  { control: 'stall 20000 3', state: 'card-stalled', seconds: 22, losesNothing: false },
];
const { values } = parseArgs({
  options: { clip: { type: 'string', default: 'demo' }, only: { type: 'string', default: '' } },
});
const media = mediaOf(values.clip);
const folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-faults-'));
const card = path.join(folder, 'card');
const control = path.join(folder, 'control');
const shim = path.join(folder, 'fault-shim.so');
const source = fileURLToPath(new URL('fault-shim.c', import.meta.url));
const failures: string[] = [];

function fail(text: string): void {
  failures.push(text);
  console.log(`  ${text}`);
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}

/** Waits for a state; undefined when it does not come, else how long it took. */
async function stateAfter(daemon: Daemon, state: string, withinMs: number): Promise<number | undefined> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < withinMs) {
    if ((await recorderState(daemon)) === state) return performance.now() - startedMs;
    await sleep(100);
  }
  return undefined;
}

/** Tries one fault; gives a row of the table, and when it lay on the card. */
async function tryFault(daemon: Daemon, live: { datagrams: number }, fault: Fault): Promise<string[]> {
  const quietFrom = live.datagrams;
  await sleep(4000);
  const quietRate = (live.datagrams - quietFrom) / 4;
  writeFileSync(control, fault.control);
  const startedMs = performance.now();
  const from = live.datagrams;
  const entered = await stateAfter(daemon, fault.state, 20_000);
  if (entered === undefined)
    fail(`${fault.control}: the state is ${await recorderState(daemon)}, not ${fault.state}`);
  const deviceMs: number[] = [];
  const states = new Set<string | undefined>();
  do {
    const askedMs = performance.now();
    await (await daemon.fetch('/api/v1/device')).arrayBuffer();
    deviceMs.push(performance.now() - askedMs);
    states.add(await recorderState(daemon));
    await sleep(100);
  } while (performance.now() - startedMs < fault.seconds * 1000);
  const rate = ((live.datagrams - from) * 1000) / (performance.now() - startedMs);
  writeFileSync(control, 'none');
  const left = await stateAfter(daemon, 'recording', 90_000);
  if (left === undefined) fail(`${fault.control}: no recording 90 s after it`);
  if (rate < quietRate * 0.8)
    fail(`${fault.control}: ${rate.toFixed(0)} live datagrams a second of ${quietRate.toFixed(0)}`);
  if (Math.max(...deviceMs) > 200)
    fail(`${fault.control}: GET /device took ${Math.max(...deviceMs).toFixed(0)} ms`);
  const ms = (value: number | undefined): string => (value === undefined ? 'never' : value.toFixed(0));
  return [
    fault.control,
    [...states].join(' '),
    ms(entered),
    ms(left),
    `${((100 * rate) / quietRate).toFixed(0)} %`,
    Math.max(...deviceMs).toFixed(0),
  ];
}

/** Looks at the clip of the whole time. */
async function checkWhole(
  daemon: Daemon,
  startUnixMs: number,
  marks: readonly { readonly fault: Fault; readonly from: number; readonly to: number }[],
): Promise<void> {
  const range = { startUnixMs, endUnixMs: Date.now() - 1500, format: 'mp4', audio: 'flac' } as const;
  const manifest = await manifestOf(daemon, clipPath(range));
  const file = path.join(folder, 'whole.mp4');
  writeFileSync(file, (await downloadClip(daemon, clipPath(range))).bytes);
  const { pictures } = await decodeClip(file, media, { hasSound: true });
  const start = Date.parse(manifest.start);
  const round = media.frames / media.framesPerSecond;
  const phaseOf = ({ number, seconds }: { number: number; seconds: number }): number => {
    const phase = seconds - number / media.framesPerSecond;
    return phase - round * Math.floor(phase / round);
  };
  const first = phaseOf(pictures[0]!);
  const strays = pictures.filter(picture => {
    const off = Math.abs(phaseOf(picture) - first);
    return picture.number < 0 || Math.min(off, round - off) > 0.01;
  });
  if (strays.length > 0)
    fail(`${strays.length} pictures are not at their time: ${JSON.stringify(strays.slice(0, 3))}`);
  const gaps = pictures.slice(1).flatMap((picture, i) => {
    const from = pictures[i]!.seconds + 1 / media.framesPerSecond;
    return picture.seconds - from > 0.25
      ? [{ from: start + from * 1000, to: start + picture.seconds * 1000 }]
      : [];
  });
  const told = manifest.gaps.map(gap => ({ from: Date.parse(gap.start), to: Date.parse(gap.end) }));
  const isSame = (one: { from: number; to: number }, other: { from: number; to: number }): boolean =>
    Math.abs(one.from - other.from) < 50 && Math.abs(one.to - other.to) < 50;
  for (const gap of gaps)
    if (!told.some(each => isSame(each, gap))) fail(`the manifest does not tell of the gap ${textOf(gap)}`);
  for (const gap of told)
    if (!gaps.some(each => isSame(each, gap)))
      fail(`the manifest tells of a gap ${textOf(gap)}: there is none`);
  // Shorter than what counts as a gap: the rest of a group of pictures whose file was given up.
  const skips = pictures.slice(1).flatMap((picture, i) => {
    const before = pictures[i]!;
    const missing = (picture.number - before.number - 1 + media.frames) % media.frames;
    if (missing === 0 || picture.seconds - before.seconds > 0.25) return [];
    return [{ missing, unixMs: start + picture.seconds * 1000 }];
  });
  for (const { missing, unixMs } of skips)
    if (!marks.some(({ fault, from, to }) => !fault.losesNothing && unixMs > from && unixMs < to))
      fail(`${missing} pictures are missing without a gap and without a fault`);
  for (const { fault, from, to } of marks) {
    const within = ({ unixMs }: { unixMs: number }): boolean => unixMs > from && unixMs < to;
    const lost = gaps.filter(gap => gap.from < to && gap.to > from);
    const seconds =
      lost.reduce((sum, gap) => sum + (gap.to - gap.from) / 1000, 0) +
      skips.filter(within).reduce((sum, { missing }) => sum + missing, 0) / media.framesPerSecond;
    console.log(
      `${fault.control}: ${seconds.toFixed(1)} s lost in ${lost.length} gaps, ${((to - from) / 1000).toFixed(1)} s`,
    );
    if (fault.losesNothing && seconds > 0) fail(`${fault.control}: the ring should have held it`);
  }
  const { spans } = await timelineOf(daemon);
  console.log(`${pictures.length} pictures, ${gaps.length} gaps; the timeline has ${spans.length} spans`);
}

async function checkFiles(): Promise<void> {
  const files = readdirSync(card, { recursive: true, encoding: 'utf8' }).filter(name =>
    name.endsWith('.mp4'),
  );
  for (const name of files)
    try {
      const { pictures } = await decodeClip(path.join(card, name), media, { hasSound: true });
      if (pictures.some(({ number }) => number < 0)) fail(`${name}: a picture cannot be read`);
    } catch (error) {
      fail(`${name}: ${String(error)}`);
    }
  console.log(`${files.length} files decoded`);
}

function textOf({ from, to }: { from: number; to: number }): string {
  return `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
}

const compiled = spawnSync('cc', ['-O2', '-shared', '-fPIC', '-o', shim, source, '-ldl'], {
  encoding: 'utf8',
});
if (compiled.error || compiled.status !== 0) {
  console.log(`no C compiler, so no faults: ${compiled.error?.message ?? compiled.stderr}`);
  process.exit(0);
}
mkdirSync(card);
writeFileSync(control, 'none');
const daemon = await Daemon.start({
  flags: [
    ...media.flags,
    ...['--recordings', card, '--recorder-guard', 'off', '--recorder-segment-seconds', '20'],
    ...['--live-addresses', '127.0.0.1'],
  ],
  env: { LD_PRELOAD: shim, FAULT_PREFIX: card, FAULT_CONTROL: control },
});
try {
  const live = { datagrams: 0 };
  const viewer = await LightViewer.open(daemon);
  viewer.onDatagram = () => {
    live.datagrams += 1;
  };
  await viewer.connected;
  const startUnixMs = await recordingStart(daemon);
  const rows: string[][] = [];
  const marks: { fault: Fault; from: number; to: number }[] = [];
  for (const fault of faults.filter(each => each.control.startsWith(values.only))) {
    const from = Date.now();
    rows.push(await tryFault(daemon, live, fault));
    await sleep(2000);
    marks.push({ fault, from, to: Date.now() });
  }
  await sleep(4000);
  printTable(
    ['fault', 'states seen', 'seen after ms', 'recording again after ms', 'live', 'GET /device max ms'],
    rows,
  );
  await checkWhole(daemon, startUnixMs, marks);
  await viewer.close();
  await daemon.end('SIGTERM');
  await checkFiles();
  const uncaught = daemon.log.filter(line => /unhandled|uncaught|worker died/i.test(line));
  for (const line of uncaught) fail(line.slice(0, 300));
} catch (error) {
  fail(String(error));
} finally {
  if (failures.length > 0) writeFileSync(path.join(folder, 'daemon.log'), daemon.log.join('\n'));
  await daemon.stop();
  if (failures.length === 0) rmSync(folder, { recursive: true, force: true });
}
console.log(failures.length === 0 ? 'no fault' : `${failures.length} faults; files in ${folder}`);
process.exitCode = failures.length === 0 ? 0 : 1;
