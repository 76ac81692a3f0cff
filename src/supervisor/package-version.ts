/**
 * The version of the daemon, as package.json beside the code says it. Main thread, at start.
 */
import { readFileSync } from 'node:fs';
import { packageFolder } from './worker-entry.ts';

/** As `0.1.0`. */
export function packageVersion(): string {
  const text = readFileSync(new URL('package.json', packageFolder()), 'utf8');
  return String((JSON.parse(text) as { version?: unknown }).version);
}
