/**
 * Compares two runs figure by figure: the ratio of the medians, and whether it lies in the bad direction beyond a threshold.
 *
 * Figures are matched by id. Those that one run lacks are told and do not fail, since parts may be left out; nor does a
 * figure that was exactly 0 in both. Pure.
 */
import { type Figure, type Report, shownNumber } from './figures.ts';
import { tableLines } from './support/table.ts';

export type Verdict = 'worse' | 'better' | 'same';

/** A figure of both runs. */
export interface ComparedFigure {
  readonly before: Figure;
  readonly after: Figure;
  /** after / before; Infinity when before is 0 and after is not. */
  readonly ratio: number;
  /** How many times worse: the ratio, or its inverse for what should be high. */
  readonly timesWorse: number;
  readonly verdict: Verdict;
  readonly isNoisy: boolean;
  /** Whether this figure fails the comparison. */
  readonly fails: boolean;
}

export interface Comparison {
  readonly threshold: number;
  readonly figures: readonly ComparedFigure[];
  /** Ids that one run alone has. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
  /** What makes the comparison doubtful: other machines, other loads. */
  readonly doubts: readonly string[];
  readonly fails: boolean;
}

export interface CompareRules {
  /** From 1 on. */
  readonly threshold: number;
  readonly ignoresNoisy: boolean;
}

export function compareReports(before: Report, after: Report, rules: CompareRules): Comparison {
  const afterById = new Map(after.figures.map(figure => [figure.id, figure]));
  const beforeIds = new Set(before.figures.map(({ id }) => id));
  const figures = before.figures.flatMap(figure => {
    const other = afterById.get(figure.id);
    return other ? [compared(figure, other, rules)] : [];
  });
  return {
    threshold: rules.threshold,
    figures,
    onlyBefore: before.figures.map(({ id }) => id).filter(id => !afterById.has(id)),
    onlyAfter: after.figures.map(({ id }) => id).filter(id => !beforeIds.has(id)),
    doubts: doubtsOf(before, after),
    fails: figures.some(({ fails }) => fails),
  };
}

function compared(before: Figure, after: Figure, { threshold, ignoresNoisy }: CompareRules): ComparedFigure {
  const ratio = ratioOf(after.median, before.median);
  const timesWorse = after.better === 'lower' ? ratio : ratioOf(before.median, after.median);
  const verdict = timesWorse > threshold ? 'worse' : timesWorse < 1 / threshold ? 'better' : 'same';
  const isNoisy = before.isNoisy || after.isNoisy;
  return {
    ...{ before, after, ratio, timesWorse, verdict, isNoisy },
    fails: verdict === 'worse' && !(isNoisy && ignoresNoisy),
  };
}

function ratioOf(a: number, b: number): number {
  if (a === b) return 1;
  return b === 0 ? Number.POSITIVE_INFINITY : a / b;
}

function doubtsOf(before: Report, after: Report): string[] {
  const doubts: string[] = [];
  const differs = (what: string, a: unknown, b: unknown): void => {
    if (a !== b) doubts.push(`${what}: ${String(a)}, then ${String(b)}`);
  };
  differs('board', before.machine.board, after.machine.board);
  differs('CPU', before.machine.cpuModel, after.machine.cpuModel);
  differs('cores', before.machine.cores, after.machine.cores);
  differs('governor', before.machine.governor, after.machine.governor);
  differs('kernel', before.machine.kernel, after.machine.kernel);
  differs('Node', before.node, after.node);
  if (before.isQuick || after.isQuick) doubts.push('quick runs spread more than whole ones');
  const [loadBefore = 0] = before.loadBefore;
  const [loadAfter = 0] = after.loadBefore;
  const busy = Math.max(loadBefore, loadAfter);
  if (busy > before.machine.cores / 2)
    doubts.push(`the machine was busy with something else: load ${loadBefore}, then ${loadAfter}`);
  return doubts;
}

/** The figures with their ratios, worst first, and what fails; without a newline at the end. */
export function comparisonText(comparison: Comparison): string {
  const { figures, threshold, onlyBefore, onlyAfter, doubts } = comparison;
  const rows = [...figures]
    .sort((a, b) => b.timesWorse - a.timesWorse)
    .map(({ before, after, ratio, verdict, isNoisy }) => [
      `${before.part}: ${after.name}`,
      after.unit,
      shownNumber(before.median),
      shownNumber(after.median),
      shownRatio(ratio),
      (verdict === 'same' ? '' : verdict) + (isNoisy ? ' (noisy)' : ''),
    ]);
  const lines = tableLines(['figure', 'unit', 'before', 'after', 'ratio', ''], rows, 2);
  for (const doubt of doubts) lines.push('', `careful: ${doubt}`);
  if (onlyBefore.length > 0) lines.push('', `only before: ${onlyBefore.join(', ')}`);
  if (onlyAfter.length > 0) lines.push('', `only after: ${onlyAfter.join(', ')}`);
  const worse = figures.filter(({ fails }) => fails).length;
  const beyond = `beyond ${threshold} times`;
  lines.push('', worse === 0 ? `nothing got worse ${beyond}` : `${worse} got worse ${beyond}`);
  return lines.join('\n');
}

/** A ratio with two digits. */
export function shownRatio(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : '∞';
}
