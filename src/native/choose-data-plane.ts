/**
 * Which data plane runs: the native one where the addon is there and the setting allows it, else JavaScript.
 *
 * Live thread, once at its start. Both send the same bytes; what is chosen only costs more or less. A device without the
 * addon is a normal device, so the log says at level info why JavaScript is used, once.
 */

import { type LoadedAddon, loadAddon } from './addon.ts';
import type { DataPlane } from './data-plane.ts';
import { JavaScriptDataPlane } from './javascript-data-plane.ts';
import { NativeDataPlane } from './native-data-plane.ts';

/** The setting `live.dataPlane`. */
export type DataPlaneChoice = 'auto' | 'native' | 'javascript';

/** A plane, and why it is not the native one where that was wanted. */
export interface ChosenDataPlane {
  readonly plane: DataPlane;
  readonly fallbackReason: string | undefined;
}

/** `load` gives the addon; tests give their own. */
export function chooseDataPlane(
  choice: DataPlaneChoice,
  load: () => LoadedAddon = loadAddon,
): ChosenDataPlane {
  if (choice === 'javascript') return { plane: new JavaScriptDataPlane(), fallbackReason: undefined };
  const loaded = load();
  const missing = 'missing' in loaded ? loaded.missing : loaded.addon.dataPlane.missing;
  if ('missing' in loaded || missing !== undefined)
    return { plane: new JavaScriptDataPlane(), fallbackReason: missing };
  return { plane: new NativeDataPlane(loaded.addon.dataPlane), fallbackReason: undefined };
}
