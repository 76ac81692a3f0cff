/** Rows of figures in columns, and the order statistics of a few measurements. */

/** The lines of a table, numbers to the right, or the first `leftColumns` columns to the left. */
export function tableLines(
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  leftColumns = 1,
): string[] {
  const cells = [columns, ...rows.map(row => row.map(String))];
  const widths = columns.map((_, i) => Math.max(...cells.map(row => row[i]!.length)));
  return cells.map(row =>
    row
      .map((cell, i) => (i < leftColumns ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** Prints a table. */
export function printTable(
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  for (const line of tableLines(columns, rows)) console.log(line);
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
