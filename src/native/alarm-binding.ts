/**
 * The addon's functions for timers, with their types: native-bindings/src/alarm.cc.
 *
 * A timer that is late by some tens of microseconds, where those of the event loop count whole milliseconds. Any thread;
 * an alarm belongs to the one that made it. It is freed with its object, so whoever keeps the object keeps the alarm;
 * what it calls must not lead back to the object, or neither is ever freed.
 */

/** The kernel's timer of one alarm. */
export type AlarmHandle = object & { readonly handle: 'alarm' };

/** A wrong argument is a TypeError; what the kernel refuses an Error. */
export interface AlarmBinding {
  /** `callback` runs once for each {@link set}, while the event loop looks for input. */
  create(callback: () => void): AlarmHandle;
  /** Calls after `delayUs` (0 to an hour); replaces what was set. A set alarm keeps the event loop alive. */
  set(alarm: AlarmHandle, delayUs: number): void;
  cancel(alarm: AlarmHandle): void;
  /** Frees the kernel's timer; the alarm cannot be set any more. */
  close(alarm: AlarmHandle): void;
}
