/**
 * Says whether a thread may be ended now: one word of shared memory between a task and whoever wants to end its thread.
 *
 * To end a thread while a native library computes for it takes the whole process down: argon2 0.45 then throws where
 * nobody can catch (measured: an abort every time). So a task enters the section before such work and leaves it after,
 * and the thread is only ended once the section is condemned, which cannot happen in the middle; afterwards nobody
 * enters any more. Each step is one compare-and-exchange, so there is no moment between looking and doing.
 */
import { CameraError } from '../base/errors.ts';

const free = 0;
const native = 1;
const condemned = 2;

/** The shared word, made by who starts the task. */
export type NativeSection = Int32Array<SharedArrayBuffer>;

export function newNativeSection(): NativeSection {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** Task: native work begins. Throws `worker-unavailable` when the thread is about to be ended. */
export function enterNative(section: NativeSection): void {
  if (Atomics.compareExchange(section, 0, free, native) !== free)
    throw new CameraError('worker-unavailable', 'the task was ended');
}

/** Task: native work is over. */
export function leaveNative(section: NativeSection): void {
  Atomics.compareExchange(section, 0, native, free);
}

/** Other side: whether the thread may be ended, from now on for good. */
export function condemn(section: NativeSection): boolean {
  return Atomics.compareExchange(section, 0, free, condemned) !== native;
}
