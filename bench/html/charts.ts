/**
 * The charts of the report, as HTML lines with SVG bars in them: text stays text, so that it wraps on a phone and is read
 * aloud; the bars alone are drawn. Pure.
 */
import type { ComparedFigure } from '../compare.ts';
import { shownRatio } from '../compare.ts';
import { type Figure, shownNumber } from '../figures.ts';
import { escapeText } from './escape.ts';

/** Width of a bar's drawing in its own units; it is stretched to the place there is. */
const width = 1000;
const height = 20;
/** Ratios beyond this are drawn at the end of the scale. */
const ratioMax = 4;

/** Bars of figures of one unit on one scale from 0, with a mark for every sample. */
export function barChart(figures: readonly Figure[], unit: string): string {
  const most = Math.max(...figures.flatMap(({ median, samples }) => [median, ...samples]), Number.MIN_VALUE);
  const goal = figures.every(({ better }) => better === 'higher') ? 'more is better' : 'less is better';
  const lines = figures.map(({ name, median, samples, isNoisy }) => {
    const x = (value: number): string => ((value / most) * width).toFixed(1);
    const marks = samples
      .map(sample => `<line x1="${x(sample)}" x2="${x(sample)}" y1="5" y2="15"></line>`)
      .join('');
    const bar = `<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="${width}" height="${height}"></rect><rect class="bar" width="${x(median)}" height="${height}"></rect>${samples.length > 1 ? marks : ''}</svg>`;
    const noisy = isNoisy ? ' <span class="noisy">noisy</span>' : '';
    return `<li><span class="name">${escapeText(name)}${noisy}</span>${bar}<span class="value">${shownNumber(median)}</span></li>`;
  });
  return `<figure><figcaption>${escapeText(unit)}, ${goal}</figcaption><ul class="bars">${lines.join('')}</ul></figure>`;
}

/** How many times worse each figure got: bars from the middle, on a logarithmic scale. */
export function ratioChart(figures: readonly ComparedFigure[]): string {
  const half = width / 2;
  const lines = figures.map(({ before, after, ratio, timesWorse, verdict }) => {
    const clamped = Math.min(Math.max(timesWorse, 1 / ratioMax), ratioMax);
    const reach = (Math.log(clamped) / Math.log(ratioMax)) * half;
    const x = Math.min(half, half + reach).toFixed(1);
    const bar = `<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="${width}" height="${height}"></rect><rect class="bar ${verdict}" x="${x}" width="${Math.max(Math.abs(reach), 2).toFixed(1)}" height="${height}"></rect></svg>`;
    return `<li><span class="name">${escapeText(`${before.part}: ${after.name}`)}</span>${bar}<span class="value">${shownRatio(ratio)}</span></li>`;
  });
  return `<figure><ul class="bars">${lines.join('')}</ul></figure>`;
}
