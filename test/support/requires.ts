/** Tests that need a program skip where it is missing, with a reason that is printed. */
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';

/**
 * Whether `program` runs here; if not, the test is skipped and has to return. With OPENCAMERAD_REQUIRE_ALL (CI, which
 * installs everything) a missing program fails the test instead.
 */
export function requireProgram(t: TestContext, program: string): boolean {
  const { error } = spawnSync(program, ['--version'], { stdio: 'ignore' });
  if (!error) return true;
  if (process.env.OPENCAMERAD_REQUIRE_ALL)
    throw new Error(`${program} is missing, and all tests are required`);
  t.skip(`needs ${program}, which is not installed here`);
  return false;
}
