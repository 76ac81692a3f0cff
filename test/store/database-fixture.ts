/** A database in a folder of its own. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** An empty folder that is gone after the test. */
export function newFolder(t: TestContext): string {
  const root = mkdtempSync(path.join(tmpdir(), 'store-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const folder = path.join(root, 'database');
  mkdirSync(folder);
  return folder;
}
