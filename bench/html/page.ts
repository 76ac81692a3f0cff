/**
 * The report as one page that needs nothing else: no script, no font, no address. Charts are SVG, drawn here; colours follow
 * the reader's light or dark setting; on a phone the columns become lines. Pure.
 *
 * A chart says one thing: within a part, figures of one unit are bars on one scale, with the samples as ticks on them, so
 * that a wide spread is seen before the number is believed.
 */
import type { ComparedFigure, Comparison } from '../compare.ts';
import { shownRatio } from '../compare.ts';
import { type Figure, type Report, shownNumber } from '../figures.ts';
import { barChart, ratioChart } from './charts.ts';
import { escapeText } from './escape.ts';
import { partTexts } from './part-texts.ts';
import { styles } from './styles.ts';

/** The report of a run. */
export function reportPage(report: Report): string {
  const { machine, figures, notes } = report;
  const parts = [...new Set(figures.map(({ part }) => part))];
  const facts: [string, string | null][] = [
    ['opencamerad', `${report.opencamerad}${report.commit === null ? '' : ` (${report.commit})`}`],
    ['Board', machine.board],
    ['Processor', `${machine.cpuModel ?? 'unknown'}, ${machine.cores} cores, ${machine.architecture}`],
    ['Memory', `${(machine.memoryBytes / 1e9).toFixed(1)} GB`],
    ['System', [machine.operatingSystem, machine.kernel, `Node ${report.node}`].filter(Boolean).join(', ')],
    ['Governor', machine.governor],
    ['Temperature', machine.temperatureC === null ? null : `${machine.temperatureC.toFixed(0)} °C`],
    ['Throttling', machine.throttled === null ? null : machine.throttled.join(', ') || 'none'],
    ['Measured', `${report.startedAt}, for ${report.seconds} s${report.isQuick ? ', a quick run' : ''}`],
    ['Load average', `${report.loadBefore.join(', ')} before, ${report.loadAfter.join(', ')} after`],
  ];
  return page(
    'opencamerad: what this camera can do',
    `${report.isPartial ? '<p class="warning">This run did not measure all that it should have.</p>' : ''}
<section aria-label="Machine"><dl class="facts">${facts
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeText(value!)}</dd></div>`)
      .join('')}</dl></section>
${notes.length === 0 ? '' : `<section aria-label="Notes"><ul class="notes">${notes.map(note => `<li>${escapeText(note)}</li>`).join('')}</ul></section>`}
${parts
  .map(part =>
    partSection(
      part,
      figures.filter(figure => figure.part === part),
    ),
  )
  .join('\n')}
<footer>Medians. The small marks on a bar are its samples. A figure is called noisy when eight tenths of its samples spread over more
than 30 % of the median: measure again on a quiet machine before you believe it.</footer>`,
  );
}

function partSection(part: string, figures: readonly Figure[]): string {
  const { title, text } = partTexts[part] ?? { title: part, text: '' };
  const units = [...new Set(figures.map(({ unit }) => unit))];
  const charts = units.map(unit =>
    barChart(
      figures.filter(figure => figure.unit === unit),
      unit,
    ),
  );
  return `<section><h2>${escapeText(title)}</h2><p>${escapeText(text)}</p>
${charts.join('\n')}
<details><summary>Numbers</summary><div class="scroll"><table><thead><tr><th>Figure</th><th>Unit</th><th>Median</th><th>95 %</th><th>Samples</th><th>Spread</th></tr></thead><tbody>
${figures.map(figureRow).join('\n')}
</tbody></table></div></details></section>`;
}

function figureRow({ name, unit, median, p95, count, spread, isNoisy }: Figure): string {
  const cells = [shownNumber(median), shownNumber(p95), String(count), `${Math.round(100 * spread)} %`];
  const noisy = isNoisy ? ' <span class="noisy">noisy</span>' : '';
  return `<tr><th scope="row">${escapeText(name)}${noisy}</th><td>${escapeText(unit)}</td>${cells.map(cell => `<td>${cell}</td>`).join('')}</tr>`;
}

/** The comparison of two runs. */
export function comparisonPage(before: Report, after: Report, comparison: Comparison): string {
  const { figures, threshold, doubts, fails } = comparison;
  const sorted = [...figures].sort((one, other) => other.timesWorse - one.timesWorse);
  const nameOf = ({ opencamerad, commit, startedAt }: Report): string =>
    escapeText(`${opencamerad}${commit === null ? '' : ` (${commit})`}, ${startedAt}`);
  const verdict = fails
    ? `Something got worse by more than ${threshold} times.`
    : `Nothing got worse by more than ${threshold} times.`;
  return page(
    'opencamerad: two runs compared',
    `<p class="${fails ? 'warning' : 'fine'}">${verdict}</p>
<section aria-label="Runs"><dl class="facts"><div><dt>Before</dt><dd>${nameOf(before)}</dd></div><div><dt>After</dt><dd>${nameOf(after)}</dd></div></dl></section>
${doubts.length === 0 ? '' : `<ul class="notes">${doubts.map(doubt => `<li>${escapeText(doubt)}</li>`).join('')}</ul>`}
<section><h2>How many times better or worse</h2><p>To the right is worse.</p>${ratioChart(sorted)}
<details open><summary>Numbers</summary><div class="scroll"><table><thead><tr><th>Figure</th><th>Unit</th><th>Before</th><th>After</th><th>Ratio</th></tr></thead><tbody>
${sorted.map(comparedRow).join('\n')}
</tbody></table></div></details></section>`,
  );
}

function comparedRow({ before, after, ratio, verdict, isNoisy }: ComparedFigure): string {
  const noisy = isNoisy ? ' <span class="noisy">noisy</span>' : '';
  const cells = [shownNumber(before.median), shownNumber(after.median), shownRatio(ratio)];
  return `<tr class="${verdict}"><th scope="row">${escapeText(`${after.part}: ${after.name}`)}${noisy}</th><td>${escapeText(after.unit)}</td>${cells.map(cell => `<td>${cell}</td>`).join('')}</tr>`;
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${escapeText(title)}</title><style>${styles}</style></head>
<body><main><h1>${escapeText(title)}</h1>
${content}
</main></body></html>
`;
}
