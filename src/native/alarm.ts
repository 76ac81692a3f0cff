/**
 * A timer that is late by some tens of microseconds, from the native addon (native-bindings/src/alarm.cc).
 *
 * Any thread; an alarm belongs to the one that made it. It is freed with its object, so whoever keeps the object keeps
 * the alarm; what it calls must not lead back to the object, or neither is ever freed.
 */
import { loadAddon } from './addon.ts';

/** The kernel's timer of one alarm. */
export type AlarmHandle = object & { readonly handle: 'alarm' };

/** The addon's functions. A wrong argument is a TypeError; what the kernel refuses an Error. */
export interface AlarmBinding {
  /** `callback` runs once for each {@link set}, while the event loop looks for input. */
  create(callback: () => void): AlarmHandle;
  /** Calls after `delayUs` (0 to an hour); replaces what was set. A set alarm keeps the event loop alive. */
  set(alarm: AlarmHandle, delayUs: number): void;
  cancel(alarm: AlarmHandle): void;
  /** Frees the kernel's timer; the alarm cannot be set any more. */
  close(alarm: AlarmHandle): void;
}

/** The addon's alarms, or undefined where it is not built. */
export function loadAlarms(): AlarmBinding | undefined {
  const loaded = loadAddon();
  return 'addon' in loaded ? loaded.addon.alarm : undefined;
}
