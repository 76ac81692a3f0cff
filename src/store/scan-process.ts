/**
 * Has a database scanned by a child process, so that a damaged file ends the child and not the camera.
 *
 * The child is this Node.js with the flags that load modules (the tests run from TypeScript by `--import`), with a time
 * limit; sound is only what it calls sound. Whatever else happens (a signal, silence, a child that cannot be started)
 * is not sound: an account database that could not be looked at lets nobody in. Main thread; nothing blocks.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** A board needs about a second to start the child; a card that stalls some more. */
export const scanTimeoutMs = 30_000;

/** What the child prints when every record was read. */
export const soundWord = 'sound';

/** Node's flags that say how modules are loaded; the child needs the same. */
const loadingFlag = /^(--import|--require|-r|--loader|--experimental-loader|--conditions|-C)(=|$)/;
const outputLengthMax = 4096;

/** `reason` is a sentence for the log. */
export type ScanVerdict = { readonly sound: true } | { readonly sound: false; readonly reason: string };

export interface ScanOptions {
  /** Entry of the child: workers/scan-database. */
  readonly entry: URL;
  readonly timeoutMs?: number;
  /** Which database it is; the accounts when left out. */
  readonly kind?: 'recordings';
}

/** Never rejects. */
export async function scanInChild(folder: string, options: ScanOptions): Promise<ScanVerdict> {
  const timeoutMs = options.timeoutMs ?? scanTimeoutMs;
  // The index of the recordings is far too large for a copy.
  const copyFolder = options.kind === 'recordings' ? undefined : makeCopyFolder();
  const folders = copyFolder === undefined ? [folder] : [folder, copyFolder];
  const what = options.kind === 'recordings' ? ['--recordings'] : [];
  const argv = [...loadingFlags(process.execArgv), fileURLToPath(options.entry), ...what, ...folders];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'ignore'] });
  // The camera may end meanwhile; then so does the child.
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<ScanVerdict>(resolve => {
    timer = setTimeout(
      () => resolve({ sound: false, reason: `the check took longer than ${timeoutMs / 1000} s` }),
      timeoutMs,
    );
  });
  const verdict = await Promise.race([verdictOf(child), timeout]);
  clearTimeout(timer);
  kill();
  process.off('exit', kill);
  // Here and not in the child, which a signal may have ended.
  if (copyFolder !== undefined) await rm(copyFolder, { recursive: true, force: true }).catch(() => undefined);
  return verdict;
}

/** Where changes are rehearsed; a machine without room for it goes without. */
function makeCopyFolder(): string | undefined {
  try {
    return mkdtempSync(path.join(tmpdir(), 'opencamerad-scan-'));
  } catch {
    return undefined;
  }
}

function verdictOf(child: ChildProcess): Promise<ScanVerdict> {
  return new Promise(resolve => {
    const unsound = (reason: string): void => resolve({ sound: false, reason });
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < outputLengthMax) output += text;
    });
    child.on('error', error => unsound(`it could not be checked: ${error.message}`));
    child.on('close', (status, signal) => {
      if (signal) unsound(`reading it ends a process by ${signal}`);
      else if (status === 0 && output.trim() === soundWord) resolve({ sound: true });
      else unsound(output.trim() || `the check ended with status ${status}`);
    });
  });
}

/** Exported for its test. */
export function loadingFlags(execArgv: readonly string[]): string[] {
  const flags: string[] = [];
  for (let i = 0; i < execArgv.length; i++) {
    const found = loadingFlag.exec(execArgv[i]!);
    if (!found) continue;
    flags.push(execArgv[i]!);
    if (found[2] === '' && i + 1 < execArgv.length) flags.push(execArgv[++i]!);
  }
  return flags;
}
