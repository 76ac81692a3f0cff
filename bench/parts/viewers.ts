/**
 * What do viewers cost, how late are they, and what do they take of the memory? A camera of 1080p60, 8 Mbit/s, with sound
 * (or of `--clip`), and receivers in this process that put every packet in order and open one in sixteen.
 *
 * CPU is the camera's alone, by the scheduler's count of its threads, with the kernel's work for its packets; on the
 * loopback that includes the receiving half of the path. Delays come from the histograms that /metrics shows, as they grow
 * while the viewers watch. Lost pictures are counted, and a run in which there are any says so.
 */
import type { HistogramSnapshot } from '../../src/ipc/messages.ts';
import { quantile } from '../../src/telemetry/histogram.ts';
import type { BenchContext, Part } from '../context.ts';
import type { PartName } from '../part-names.ts';
import { Camera } from '../support/camera.ts';
import { sourceFlags } from '../support/material.ts';
import { histogramBetween, metricOf } from '../support/metrics-text.ts';
import { nativeIsThere } from '../support/planes.ts';
import { proportionalBytes, residentBytes, runNanoseconds } from '../support/process-usage.ts';
import { Receiver } from '../support/receiver.ts';
import { median } from '../support/table.ts';

const planes = ['native', 'javascript'] as const;
type PlaneName = (typeof planes)[number];

/** Steps of a picture, in their order, by the name of their histogram. */
const stages = [
  { id: 'capture', name: 'capture to ring', metric: 'capture_to_commit_us' },
  { id: 'ring', name: 'ring to live thread', metric: 'commit_to_seen_us' },
  { id: 'split', name: 'split into packets', metric: 'split_us' },
  { id: 'encrypt', name: 'encryption for one viewer', metric: 'encrypt_us' },
  { id: 'send', name: 'handed to the kernel, one viewer', metric: 'hand_over_us' },
  { id: 'whole', name: 'capture to the last packet of a viewer', metric: 'capture_to_sent_us' },
] as const;

const quantiles = [
  { id: 'p50', q: 0.5 },
  { id: 'p95', q: 0.95 },
  { id: 'p99', q: 0.99 },
] as const;

/** Workers whose heaps /metrics tells of. */
const heaps = ['main', 'capture', 'live', 'recorder'] as const;
/** The statistics of a worker are posted once a second. */
const postMs = 1200;

export const viewersPart: Part = {
  names: ['viewers', 'latency', 'memory'],
  async run(context, wanted) {
    const isNative = nativeIsThere(context);
    for (const plane of planes) {
      if (plane === 'native' && !isNative) continue;
      // Memory and delays are those of the plane that a camera would use.
      const isUsual = plane === 'native' || !isNative;
      if (isUsual || wanted.has('viewers')) await measurePlane(context, plane, isUsual, wanted);
    }
  },
};

async function measurePlane(
  context: BenchContext,
  plane: PlaneName,
  isUsual: boolean,
  wanted: ReadonlySet<PartName>,
): Promise<void> {
  context.progress(`${plane}: starting a camera`);
  const camera = await Camera.start(context, [
    ...sourceFlags(context),
    ...['--recorder-enabled', 'false', '--live-data-plane', plane],
    ...['--live-max-viewers', String(context.options.viewers + 1), '--live-max-pending', '64'],
  ]);
  const receivers: Receiver[] = [];
  try {
    await camera.pictures();
    context.progress(`${plane}: no viewer`);
    await context.sleep(context.pick(2000, 6000));
    const idle = await cpuSamples(context, camera, context.pick(2, 4));
    if (isUsual && wanted.has('memory')) await addMemory(context, camera, 'idle', 'no viewer');

    const count = context.options.viewers;
    for (let i = 0; i < count; i++) {
      context.progress(`${plane}: viewer ${i + 1} of ${count}`);
      receivers.push(await Receiver.open(camera));
    }
    await Promise.all(receivers.map(({ firstPicture }) => firstPicture));
    context.progress(`${plane}: ${count} viewers`);
    await context.sleep(context.pick(1500, 6000));
    const before = await camera.metrics();
    for (const receiver of receivers) receiver.reset();
    const windows = context.pick(3, 8);
    const busy = await cpuSamples(context, camera, windows, () =>
      receivers.reduce((sum, { counts }) => sum + counts.packets, 0),
    );
    const lost = receivers.reduce((sum, { counts }) => sum + counts.incomplete, 0);
    const forged = receivers.reduce((sum, { counts }) => sum + counts.forged, 0);
    if (wanted.has('viewers')) addCosts(context, { plane, count, idle, busy, lost, forged });
    if (isUsual && wanted.has('memory')) await addMemory(context, camera, 'viewers', `${count} viewers`);
    if (isUsual && wanted.has('latency')) {
      await context.sleep(postMs);
      addDelays(context, plane, before, await camera.metrics());
    }
  } finally {
    await Promise.allSettled(receivers.map(receiver => receiver.close()));
    await camera.stop();
  }
}

/** One window of time. */
interface CpuSample {
  /** Milliseconds of CPU a second. */
  readonly cpuMs: number;
  readonly packets: number;
  readonly seconds: number;
}

async function cpuSamples(
  context: BenchContext,
  camera: Camera,
  windows: number,
  packetsSoFar: () => number = () => 0,
): Promise<CpuSample[]> {
  const samples: CpuSample[] = [];
  for (let i = 0; i < windows; i++) {
    const startedMs = performance.now();
    const [cpuBefore, packetsBefore] = [runNanoseconds(camera.pid), packetsSoFar()];
    await context.sleep(context.pick(1500, 3000));
    const seconds = (performance.now() - startedMs) / 1000;
    samples.push({
      cpuMs: (runNanoseconds(camera.pid) - cpuBefore) / 1e6 / seconds,
      packets: packetsSoFar() - packetsBefore,
      seconds,
    });
  }
  return samples;
}

function addCosts(
  context: BenchContext,
  run: {
    readonly plane: PlaneName;
    readonly count: number;
    readonly idle: readonly CpuSample[];
    readonly busy: readonly CpuSample[];
    readonly lost: number;
    readonly forged: number;
  },
): void {
  const { plane, count, idle, busy, lost, forged } = run;
  const idleMs = median(idle.map(({ cpuMs }) => cpuMs));
  const add = (id: string, name: string, unit: string, samples: number[]): void =>
    context.add('viewers', {
      id: `viewers.${plane}.${id}`,
      name: `${plane}: ${name}`,
      unit,
      better: id === 'percore' ? 'higher' : 'lower',
      samples,
    });
  add(
    'idle',
    'CPU with no viewer',
    'ms/s',
    idle.map(({ cpuMs }) => cpuMs),
  );
  add(
    'busy',
    `CPU with ${count} viewers`,
    'ms/s',
    busy.map(({ cpuMs }) => cpuMs),
  );
  add(
    'packets',
    'CPU for 1000 packets',
    'ms',
    busy.map(({ cpuMs, packets, seconds }) => (cpuMs * seconds * 1000) / packets),
  );
  add(
    'percore',
    'viewers that one core would carry',
    'viewers',
    // The two are measured a minute apart: where the machine was that noisy, a viewer costs something all the same.
    busy.map(({ cpuMs }) => ((1000 - idleMs) * count) / Math.max(cpuMs - idleMs, cpuMs / 10)),
  );
  add('lost', 'pictures that did not come whole', 'pictures', [lost]);
  if (lost > 0) context.note(`${plane}: ${lost} pictures did not come whole to ${count} viewers`);
  if (forged > 0) throw new Error(`${forged} packets were not authentic`);
}

async function addMemory(context: BenchContext, camera: Camera, id: string, when: string): Promise<void> {
  const rss: number[] = [];
  const pss: number[] = [];
  for (let i = 0; i < 5; i++) {
    rss.push(residentBytes(camera.pid) / 1e6);
    pss.push(proportionalBytes(camera.pid) / 1e6);
    await context.sleep(200);
  }
  const add = (name: string, figure: string, samples: number[]): void =>
    context.add('memory', {
      id: `memory.${id}.${figure}`,
      name: `${name}, ${when}`,
      unit: 'MB',
      better: 'lower',
      samples,
    });
  add('resident (RSS)', 'rss', rss);
  add('its share of what is resident (PSS)', 'pss', pss);
  const text = await camera.metrics();
  for (const worker of heaps) {
    const bytes = metricOf(text, `opencamera_${worker}_heap_used_bytes`);
    if (bytes !== undefined) add(`JavaScript heap of ${worker}`, `heap.${worker}`, [bytes / 1e6]);
  }
}

function addDelays(context: BenchContext, plane: PlaneName, before: string, after: string): void {
  for (const { id, name, metric } of stages) {
    const histogram: HistogramSnapshot | undefined = histogramBetween(
      before,
      after,
      `opencamera_live_${metric}`,
    );
    if (!histogram) {
      context.note(`no delays were counted: ${name}`);
      continue;
    }
    for (const share of quantiles)
      context.add('latency', {
        id: `latency.${plane}.${id}.${share.id}`,
        name: `${name}, ${share.id}`,
        unit: 'µs',
        better: 'lower',
        samples: [quantile(histogram, share.q)],
      });
  }
}
