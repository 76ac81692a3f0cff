/**
 * The command line of the benchmark: strict, as the daemon's own, and with a sentence for every mistake.
 *
 * `bench [OPTIONS]` measures, `bench compare A.json B.json [OPTIONS]` compares two runs. Pure.
 */
import { parseArgs } from 'node:util';
import { partNames } from './part-names.ts';

/** A run to be measured. */
export interface MeasureOptions {
  readonly kind: 'measure';
  readonly isQuick: boolean;
  /** Names of parts, in the order of a run. */
  readonly parts: readonly string[];
  /** Folder for bench.json and bench.html. */
  readonly out: string;
  readonly json: string | undefined;
  readonly html: string | undefined;
  /** An H.264 file (Annex B) that cameras play instead of the synthetic one. */
  readonly clip: string | undefined;
  readonly clipFps: number;
  /** Where cameras keep their state and recordings meanwhile. */
  readonly folder: string | undefined;
  readonly viewers: number;
}

/** Two runs to be compared. */
export interface CompareOptions {
  readonly kind: 'compare';
  readonly before: string;
  readonly after: string;
  /** Ratio in the bad direction that fails. */
  readonly threshold: number;
  readonly ignoresNoisy: boolean;
  readonly html: string | undefined;
}

export type BenchOptions = MeasureOptions | CompareOptions | { readonly kind: 'help' };

/** Most viewers that one camera takes. */
const viewersMax = 256;

/** A mistake of whoever typed the command. */
export class BenchUsageError extends Error {}

export const helpText = `Usage
  opencamerad bench [OPTIONS]                     measure what the camera promises
  opencamerad bench compare A.json B.json [OPTIONS]  print the ratios of two runs

Measuring
  --quick            less than a minute instead of some ten; figures spread more
  --only PART,PART   only these parts (all of them: ${partNames.slice(0, 6).join(', ')},
                     ${partNames.slice(6).join(', ')})
  --out DIR          folder for bench.json and bench.html (default: bench-results)
  --json FILE        where the figures go instead
  --html FILE        where the report goes instead
  --clip FILE.h264   play this clip instead of a synthetic one of 1080p60, 8 Mbit/s
  --clip-fps N       pictures a second of the clip (default: 60)
  --folder DIR       keep state and recordings of the measured cameras there: name a
                     folder on the card to measure the card (default: the system's
                     folder for temporary files)
  --viewers N        viewers of the parts viewers, latency and memory (default: 16)

Comparing
  --threshold N      ratio in the bad direction that fails (default: 1.25)
  --ignore-noisy     figures that are noisy in one of the runs do not fail
  --html FILE        also write the comparison as a page

Exit status: 0; 1 when a part failed or a figure got worse than the threshold;
2 for bad usage; 130 after Ctrl-C, when what was measured is still written.
`;

/** @throws BenchUsageError */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parsed(argv);
  if (values.help) return { kind: 'help' };
  const [word, ...files] = positionals;
  if (word === 'compare') return compareOptions(values, files);
  if (word !== undefined) throw new BenchUsageError(`there is no ${JSON.stringify(word)}; try --help`);
  for (const name of ['threshold', 'ignore-noisy'] as const)
    if (values[name] !== undefined) throw new BenchUsageError(`--${name} belongs to bench compare`);
  return {
    kind: 'measure',
    isQuick: values.quick ?? false,
    parts: wantedParts(values.only),
    out: values.out ?? 'bench-results',
    json: values.json,
    html: values.html,
    clip: values.clip,
    clipFps: numberOf('--clip-fps', values['clip-fps'] ?? '60', 1, 240),
    folder: values.folder,
    viewers: numberOf('--viewers', values.viewers ?? '16', 1, viewersMax),
  };
}

function compareOptions(values: ParsedValues, files: readonly string[]): CompareOptions {
  const [before, after] = files;
  if (before === undefined || after === undefined || files.length > 2)
    throw new BenchUsageError('bench compare takes two files');
  const only = ['quick', 'only', 'out', 'json', 'clip', 'clip-fps', 'folder', 'viewers'] as const;
  for (const name of only)
    if (values[name] !== undefined) throw new BenchUsageError(`--${name} does not belong to bench compare`);
  return {
    kind: 'compare',
    before,
    after,
    threshold: numberOf('--threshold', values.threshold ?? '1.25', 1, 1000),
    ignoresNoisy: values['ignore-noisy'] ?? false,
    html: values.html,
  };
}

const declared = {
  help: { type: 'boolean', short: 'h' },
  quick: { type: 'boolean' },
  only: { type: 'string' },
  out: { type: 'string' },
  json: { type: 'string' },
  html: { type: 'string' },
  clip: { type: 'string' },
  'clip-fps': { type: 'string' },
  folder: { type: 'string' },
  viewers: { type: 'string' },
  threshold: { type: 'string' },
  'ignore-noisy': { type: 'boolean' },
} as const;

type ParsedValues = ReturnType<typeof parsed>['values'];

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: declared, allowPositionals: true, strict: true });
  } catch (error) {
    throw new BenchUsageError((error as Error).message.split('\n')[0]!);
  }
}

function wantedParts(text: string | undefined): readonly string[] {
  if (text === undefined) return partNames;
  const wanted = text.split(',');
  for (const name of wanted)
    if (!(partNames as readonly string[]).includes(name))
      throw new BenchUsageError(
        `there is no part ${JSON.stringify(name)}; there are ${partNames.join(', ')}`,
      );
  return partNames.filter(name => wanted.includes(name));
}

function numberOf(flag: string, text: string, minimum: number, maximum: number): number {
  const value = /^\d{1,4}(\.\d{1,4})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= minimum && value <= maximum))
    throw new BenchUsageError(`${flag} is a number from ${minimum} to ${maximum}`);
  return value;
}
