/**
 * The entry of the benchmark: `opencamerad bench` (src/commands/bench.ts loads it as dist/bench.js), `npm run bench`, and
 * by hand `node --import ./test/register.mjs bench/main.ts`.
 *
 * Progress goes to standard error, the table to standard output, the figures and the page to files. The first Ctrl-C ends the
 * run in order and writes what there is; the second one ends the process.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareReports, comparisonText } from './compare.ts';
import { parseReport, type Report, shownNumber } from './figures.ts';
import { comparisonPage, reportPage } from './html/page.ts';
import {
  type BenchOptions,
  BenchUsageError,
  type CompareOptions,
  helpText,
  type MeasureOptions,
  parseOptions,
} from './options.ts';
import { Progress } from './progress.ts';
import { runBenchmark } from './run.ts';
import { tableLines } from './support/table.ts';

const status = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Runs the command line behind the word `bench`; resolves to the exit status. */
export async function bench(argv: readonly string[]): Promise<number> {
  let options: BenchOptions;
  try {
    options = parseOptions(argv);
  } catch (error) {
    if (!(error instanceof BenchUsageError)) throw error;
    process.stderr.write(`opencamerad bench: ${error.message}\n`);
    return status.usage;
  }
  if (options.kind === 'help') {
    process.stdout.write(helpText);
    return status.ok;
  }
  try {
    return options.kind === 'compare' ? compare(options) : await measure(options);
  } catch (error) {
    process.stderr.write(`opencamerad bench: ${error instanceof Error ? error.message : String(error)}\n`);
    return status.failed;
  }
}

async function measure(options: MeasureOptions): Promise<number> {
  const json = path.resolve(options.json ?? path.join(options.out, 'bench.json'));
  const html = path.resolve(options.html ?? path.join(options.out, 'bench.html'));
  // Before anything is measured: a folder that cannot be written to is known at once.
  for (const file of [json, html]) mkdirSync(path.dirname(file), { recursive: true });
  const progress = new Progress();
  const ending = new AbortController();
  const onSignal = (): void => {
    if (ending.signal.aborted) process.exit(status.interrupted);
    progress.show('ending; once more to end at once');
    ending.abort(new Error('the run was ended'));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  try {
    const { report, failures } = await runBenchmark(options, {
      signal: ending.signal,
      onProgress: text => progress.show(text),
    });
    progress.clear();
    process.stdout.write(reportText(report));
    writeFileSync(json, `${JSON.stringify(report, null, 1)}\n`);
    writeFileSync(html, reportPage(report));
    process.stdout.write(`\n${json}\n${html}\n`);
    if (ending.signal.aborted) return status.interrupted;
    return failures > 0 ? status.failed : status.ok;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

function compare(options: CompareOptions): number {
  const [before, after] = [options.before, options.after].map(file =>
    parseReport(readFileSync(file, 'utf8'), file),
  ) as [Report, Report];
  const comparison = compareReports(before, after, options);
  process.stdout.write(`${comparisonText(comparison)}\n`);
  if (options.html !== undefined) writeFileSync(options.html, comparisonPage(before, after, comparison));
  return comparison.fails ? status.failed : status.ok;
}

/** The table at the end of a run. */
function reportText({ figures, notes, loadBefore, loadAfter, seconds }: Report): string {
  const rows = figures.map(figure => [
    figure.part,
    figure.name,
    figure.unit,
    shownNumber(figure.median),
    shownNumber(figure.p95),
    String(figure.count),
    `${Math.round(100 * figure.spread)} %`,
    figure.isNoisy ? 'noisy' : '',
  ]);
  const columns = ['part', 'figure', 'unit', 'median', 'p95', 'samples', 'spread', ''];
  const lines = rows.length > 0 ? tableLines(columns, rows, 3) : ['nothing was measured'];
  lines.push('', `${seconds} s; load average before ${loadBefore.join(' ')}, after ${loadAfter.join(' ')}`);
  for (const note of notes) lines.push(`note: ${note}`);
  return `${lines.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await bench(process.argv.slice(2));
