/** Tests that need the native addon skip where it is not built, with a reason that is printed. */
import { it } from 'node:test';
import { type Addon, loadAddon } from '../../src/native/addon.ts';

/**
 * The addon of this checkout (`npm run build:native`). Undefined where it is not built: a skipped test says so then. With
 * OPENCAMERAD_REQUIRE_ALL (CI, which builds it) a missing addon is an error instead.
 */
export function nativeAddon(): Addon | undefined {
  const loaded = loadAddon();
  if ('addon' in loaded) return loaded.addon;
  if (process.env.OPENCAMERAD_REQUIRE_ALL)
    throw new Error(`the native addon is missing, and all tests are required: ${loaded.missing}`);
  it('is tested with the native addon', t => t.skip(`needs the native addon: ${loaded.missing}`));
  return undefined;
}
