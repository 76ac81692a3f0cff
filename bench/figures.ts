/**
 * What a benchmark says: figures, each from several samples, and the report that holds them all.
 *
 * Figures are compared between runs by their id, so an id is never given another meaning: a new way of measuring gets a
 * new id. Pure; no clock, no files. Left out: confidence intervals, because the samples of one run on a shared machine are
 * not independent; the spread is said instead, and what spreads widely is marked.
 */
import { type MachineFacts, machineKeys } from './machine-facts.ts';

/** Version of the report's form; a reader refuses another one. */
export const schemaVersion = 1;

/** Samples that a figure keeps; of more, evenly chosen ones, so that a report stays small. */
const samplesMax = 64;

/** Spread above which a figure is called noisy: 30 % of its median. */
export const noisySpread = 0.3;

/** Which direction is good. */
export type Better = 'lower' | 'higher';

/** What a part of the benchmark measured. */
export interface Measurement {
  /** Stable name for comparisons: `part.what.detail`. */
  readonly id: string;
  /** For people, without the part's name. */
  readonly name: string;
  readonly unit: string;
  readonly better: Better;
  /** One value a repetition, in the order they were taken; not empty. */
  readonly samples: readonly number[];
}

/** A measurement with what is said of its samples. */
export interface Figure extends Measurement {
  readonly part: string;
  readonly median: number;
  /** The value that 95 % of the samples are no worse than: the 95th percentile of what should be low, else the 5th. */
  readonly p95: number;
  /** How many samples there were. */
  readonly count: number;
  /** (90th − 10th percentile) / median; 0 for one sample. */
  readonly spread: number;
  readonly isNoisy: boolean;
}

/** A whole run. */
export interface Report {
  readonly schemaVersion: typeof schemaVersion;
  readonly opencamerad: string;
  /** Of the source tree; null where there is none. */
  readonly commit: string | null;
  readonly node: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly isQuick: boolean;
  /** Whether it was ended before all parts were through. */
  readonly isPartial: boolean;
  readonly machine: MachineFacts;
  /** Load averages of one, five and fifteen minutes. */
  readonly loadBefore: readonly number[];
  readonly loadAfter: readonly number[];
  readonly figures: readonly Figure[];
  /** What was left out, and why; what did not go well. */
  readonly notes: readonly string[];
}

/** The value below which the share `q` (0…1) of the samples lies, interpolated; NaN of none. */
export function quantileOfSamples(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const rank = q * (sorted.length - 1);
  const below = Math.floor(rank);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (rank - below);
}

/** Six digits are more than any of this is worth. */
export function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

/** @throws RangeError for a measurement without samples or with one that is no number. */
export function figureOf(part: string, measurement: Measurement): Figure {
  const { id, name, unit, better, samples } = measurement;
  if (samples.length === 0 || !samples.every(Number.isFinite))
    throw new RangeError(`the figure ${id} has no good samples: ${samples.join(', ')}`);
  const median = quantileOfSamples(samples, 0.5);
  const width = quantileOfSamples(samples, 0.9) - quantileOfSamples(samples, 0.1);
  const spread = median === 0 ? (width === 0 ? 0 : 1) : Math.abs(width / median);
  const step = Math.max(1, samples.length / samplesMax);
  const kept = Array.from({ length: Math.min(samples.length, samplesMax) }, (_, i) =>
    rounded(samples[Math.floor(i * step)]!),
  );
  return {
    ...{ id, part, name, unit, better },
    median: rounded(median),
    p95: rounded(quantileOfSamples(samples, better === 'lower' ? 0.95 : 0.05)),
    count: samples.length,
    samples: kept,
    spread: rounded(spread),
    isNoisy: spread > noisySpread,
  };
}

/** @throws Error in words for whoever named the file, when the text is no report of this version. */
export function parseReport(text: string, file: string): Report {
  let value: Partial<Report> | null;
  try {
    value = JSON.parse(text) as Partial<Report> | null;
  } catch (error) {
    throw new Error(`${file} is not JSON: ${(error as Error).message}`);
  }
  if (value?.schemaVersion !== schemaVersion)
    throw new Error(`${file} is no report of version ${schemaVersion}`);
  const { figures, machine, notes } = value;
  const isWhole =
    Array.isArray(figures) &&
    figures.every(isFigure) &&
    Array.isArray(notes) &&
    typeof machine === 'object' &&
    machineKeys.every(key => key in machine);
  if (!isWhole) throw new Error(`${file} is a damaged report`);
  return value as Report;
}

function isFigure(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const figure = value as Record<string, unknown>;
  return (
    ['id', 'part', 'name', 'unit'].every(key => typeof figure[key] === 'string') &&
    ['median', 'p95', 'count', 'spread'].every(key => Number.isFinite(figure[key])) &&
    (figure.better === 'lower' || figure.better === 'higher') &&
    typeof figure.isNoisy === 'boolean' &&
    Array.isArray(figure.samples)
  );
}

/** A value as people read it: three digits that count, thin groups for thousands. */
export function shownNumber(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return '–';
  if (size >= 1000) return Math.round(value).toLocaleString('en').replaceAll(',', '\u202f');
  if (size === 0) return '0';
  return String(Number(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)));
}
