/**
 * The statistics of all parts as one text for Prometheus (text exposition format 0.0.4).
 *
 * Each part posts a flat record now and then; the newest one stands until the next. The names become
 * `opencamera_<part>_<name>`; what ends in `_total` is a counter, the rest is untyped, because a part does not say
 * which is which. Histograms stay in microseconds, as their names say. Main thread only; rendering is done when somebody
 * asks, so that nobody asking costs nothing.
 */
import type { HistogramSnapshot, Stats } from '../ipc/messages.ts';

/** Names that one part may have; beyond it the rest is left out, for a part that makes up names would grow for ever. */
export const namesPerPartMax = 512;

/** Keeps the newest statistics of each part. */
export class Metrics {
  private readonly parts = new Map<string, Stats>();

  /** @param part `capture`, `live`, `main` …: one of a fixed few. */
  update(part: string, stats: Stats): void {
    this.parts.set(part, stats);
  }

  /** The part is gone, and its gauges with it. */
  forget(part: string): void {
    this.parts.delete(part);
  }

  /** The newest statistics of a part. */
  get(part: string): Stats | undefined {
    return this.parts.get(part);
  }

  /** Everything as Prometheus text, ending in a newline. */
  text(): string {
    const lines: string[] = [];
    for (const [part, stats] of this.parts) {
      const prefix = `opencamera_${metricName(part)}_`;
      for (const [name, value] of Object.entries(stats.values).slice(0, namesPerPartMax)) {
        if (typeof value !== 'number') continue;
        const full = prefix + metricName(name);
        lines.push(
          `# TYPE ${full} ${full.endsWith('_total') ? 'counter' : 'untyped'}`,
          `${full} ${numberText(value)}`,
        );
      }
      for (const [name, histogram] of Object.entries(stats.histograms ?? {}).slice(0, namesPerPartMax))
        pushHistogram(lines, prefix + metricName(name), histogram);
    }
    return `${lines.join('\n')}\n`;
  }
}

function pushHistogram(
  lines: string[],
  name: string,
  { bounds, counts, count, sum }: HistogramSnapshot,
): void {
  lines.push(`# TYPE ${name} histogram`);
  for (const [i, bound] of bounds.entries())
    lines.push(`${name}_bucket{le="${numberText(bound)}"} ${numberText(counts[i] ?? 0)}`);
  lines.push(
    `${name}_bucket{le="+Inf"} ${numberText(count)}`,
    `${name}_sum ${numberText(sum)}`,
    `${name}_count ${numberText(count)}`,
  );
}

function metricName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
