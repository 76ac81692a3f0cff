/**
 * Short pieces of code measured by Benchmark.js: it finds how many calls a sample needs to be timed well, and takes
 * samples until there are enough of them.
 *
 * The library looks for its own two packages by a `require` that a bundler cannot see, so they are handed to it here; else
 * the bundle in dist/ would need node_modules. The samples are made between turns of the event loop, so that Ctrl-C is
 * heard. What is measured is throughput in a loop: caches and branch predictors are as warm as they get.
 */
import Benchmark from 'benchmark';
import lodash from 'lodash';
import platform from 'platform';
import type { BenchContext } from '../context.ts';
import type { Measurement } from '../figures.ts';
import type { PartName } from '../part-names.ts';

const Runner = Benchmark.runInContext({ _: lodash, platform }) as unknown as typeof Benchmark;

/** Seconds of sampling for a case, quick and whole; the time to find the number of calls comes on top. */
const quickSeconds = 0.15;
const wholeSeconds = 2;
/** Shortest sample, seconds. */
const quickSampleSeconds = 0.02;
const wholeSampleSeconds = 0.05;
const samplesMin = 5;

/** One case; `scale` makes the figure of the seconds that a call took. */
export interface MicroCase extends Omit<Measurement, 'samples'> {
  /** The code; what it returns is ignored. It must not throw. */
  readonly run: () => unknown;
  readonly scale: (secondsPerCall: number) => number;
}

/** Measures the cases one after another and keeps their figures; rejects when one throws, or the run is ended. */
export async function measureCases(
  context: BenchContext,
  part: PartName,
  cases: readonly MicroCase[],
): Promise<void> {
  for (const { run, scale, ...figure } of cases) {
    context.progress(figure.name);
    const seconds = await samplesOf(context, run);
    context.add(part, { ...figure, samples: seconds.map(scale) });
  }
}

function samplesOf(context: BenchContext, run: () => unknown): Promise<readonly number[]> {
  const { signal } = context;
  return new Promise((resolve, reject) => {
    const benchmark = new Runner('', run, {
      async: true,
      minSamples: samplesMin,
      maxTime: context.pick(quickSeconds, wholeSeconds),
      minTime: context.pick(quickSampleSeconds, wholeSampleSeconds),
    });
    const abort = (): void => {
      benchmark.abort();
    };
    signal.addEventListener('abort', abort, { once: true });
    benchmark.on('complete', () => {
      signal.removeEventListener('abort', abort);
      const { error } = benchmark as { error?: Error };
      if (signal.aborted) reject(signal.reason as Error);
      else if (error) reject(error);
      else resolve(benchmark.stats.sample);
    });
    benchmark.run();
  });
}

/** For figures in GB/s. */
export const gigabytesPerSecond =
  (bytes: number) =>
  (seconds: number): number =>
    bytes / seconds / 1e9;

/** For figures in µs. */
export const microseconds =
  (callsPerRun = 1) =>
  (seconds: number): number =>
    (seconds * 1e6) / callsPerRun;
