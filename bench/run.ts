/**
 * A run: its parts one after another, and the report of what they gave.
 *
 * A part that fails is told in the notes and the others go on. When the run is ended (Ctrl-C), the part under way ends its
 * cameras and the report holds what was measured so far. All that a run writes lies in one folder, which is removed.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageVersion } from '../src/supervisor/package-version.ts';
import { packageFolder } from '../src/supervisor/worker-entry.ts';
import { BenchContext } from './context.ts';
import { type Report, schemaVersion } from './figures.ts';
import { loadAverages, machineFacts } from './machine-facts.ts';
import type { MeasureOptions } from './options.ts';
import { partNames } from './part-names.ts';
import { parts } from './parts.ts';

/** What a run came to. */
export interface RunResult {
  readonly report: Report;
  /** How many parts failed. */
  readonly failures: number;
}

/** Measures; never rejects because of a part. */
export async function runBenchmark(
  options: MeasureOptions,
  how: { readonly signal: AbortSignal; readonly onProgress: (text: string) => void },
): Promise<RunResult> {
  const startedAt = new Date();
  const loadBefore = loadAverages();
  const folder = mkdtempSync(path.join(options.folder ?? os.tmpdir(), 'opencamerad-bench-'));
  let part = '';
  const context = new BenchContext({
    ...{ options, folder, signal: how.signal },
    onProgress: text => how.onProgress(`${part}: ${text}`),
  });
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  // The last resort, when the process is ended without waiting.
  process.once('exit', removeFolder);
  let failures = 0;
  try {
    for (const { names, run } of parts) {
      const wanted = new Set(names.filter(name => options.parts.includes(name)));
      if (wanted.size === 0 || how.signal.aborted) continue;
      part = [...wanted].join(', ');
      try {
        await run(context, wanted);
      } catch (error) {
        if (how.signal.aborted) break;
        failures++;
        context.note(`${part} failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  } finally {
    removeFolder();
    process.off('exit', removeFolder);
  }
  const isPartial = how.signal.aborted || failures > 0;
  if (how.signal.aborted) context.note('the run was ended before all parts were through');
  const report: Report = {
    schemaVersion,
    opencamerad: packageVersion(),
    commit: commitOf(fileURLToPath(packageFolder())),
    node: process.version,
    startedAt: startedAt.toISOString(),
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    isQuick: options.isQuick,
    isPartial,
    machine: machineFacts(),
    loadBefore,
    loadAfter: loadAverages(),
    figures: context.figures.sort((a, b) => orderOf(a.part) - orderOf(b.part)),
    notes: context.notes,
  };
  return { report, failures };
}

function orderOf(part: string): number {
  return (partNames as readonly string[]).indexOf(part);
}

/** The commit of the source tree, with a + when it was changed since; null where there is none. */
function commitOf(folder: string): string | null {
  const git = (...argv: string[]): string =>
    execFileSync('git', ['-C', folder, ...argv], {
      encoding: 'utf8',
      timeout: 5000,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    // A package that lies in somebody else's source tree has no commit of its own.
    if (path.resolve(git('rev-parse', '--show-toplevel')) !== path.resolve(folder)) return null;
    const commit = git('rev-parse', '--short=12', 'HEAD');
    return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}+`;
  } catch {
    return null;
  }
}
