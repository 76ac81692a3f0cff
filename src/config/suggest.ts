/**
 * "Did you mean": the known word that is nearest to a mistyped one, by optimal string alignment distance (insertion,
 * deletion, replacement, and two neighbours swapped, each 1). Pure; words are cut at a length that no known one has.
 */

const lengthMax = 64;

/** The nearest of `known`, or undefined when none is near enough to be meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const short = word.slice(0, lengthMax);
  let best: string | undefined;
  // A third of the letters may be wrong; beyond that a guess misleads.
  let bestDistance = Math.max(2, Math.floor(short.length / 3)) + 1;
  for (const candidate of known) {
    const distance = distanceOf(short.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function distanceOf(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, rows[i - 2]![j - 2]! + 1);
      row.push(cost);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
