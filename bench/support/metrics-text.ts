/**
 * Reads the text of /metrics: counters, and histograms as they are between two readings.
 *
 * The camera's parts post their statistics now and then, so an interval is exact to the time between two posts, which is
 * the same for both readings. Pure.
 */
import type { HistogramSnapshot } from '../../src/ipc/messages.ts';

/** A counter or gauge; undefined when it is not there. */
export function metricOf(text: string, name: string): number | undefined {
  const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(text) ?? [];
  return value === undefined ? undefined : Number(value);
}

/** Growth of a counter from one reading to the other; 0 when it is in neither. */
export function growthOf(before: string, after: string, name: string): number {
  return (metricOf(after, name) ?? 0) - (metricOf(before, name) ?? 0);
}

/** A histogram; undefined when it is not there. */
export function histogramOf(text: string, name: string): HistogramSnapshot | undefined {
  const bounds: number[] = [];
  const counts: number[] = [];
  for (const [, bound, count] of text.matchAll(
    new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\d+)$`, 'gm'),
  )) {
    if (bound === '+Inf') continue;
    bounds.push(Number(bound));
    counts.push(Number(count));
  }
  const count = metricOf(text, `${name}_count`);
  const sum = metricOf(text, `${name}_sum`);
  return count === undefined || sum === undefined || bounds.length === 0
    ? undefined
    : { bounds, counts, count, sum };
}

/** What was recorded between two readings; undefined when nothing was, or the histogram is missing. */
export function histogramBetween(before: string, after: string, name: string): HistogramSnapshot | undefined {
  const first = histogramOf(before, name);
  const last = histogramOf(after, name);
  if (!last) return undefined;
  const count = last.count - (first?.count ?? 0);
  if (count <= 0) return undefined;
  return {
    bounds: last.bounds,
    counts: last.counts.map((value, i) => value - (first?.counts[i] ?? 0)),
    count,
    sum: last.sum - (first?.sum ?? 0),
  };
}
