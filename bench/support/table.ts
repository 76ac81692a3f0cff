/** Prints rows of figures in columns, numbers to the right. */
export function printTable(
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  const cells = [columns, ...rows.map(row => row.map(String))];
  const widths = columns.map((_, i) => Math.max(...cells.map(row => row[i]!.length)));
  for (const row of cells)
    console.log(
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
    );
}

/** The value below which the share q of the values lies; sorts a copy. */
export function quantileOf(values: Float64Array, q: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** The middle one of a few measurements. */
export function median(values: readonly number[]): number {
  return quantileOf(Float64Array.from(values), 0.5);
}
