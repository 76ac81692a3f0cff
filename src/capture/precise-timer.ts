/**
 * A timer that is late by some tens of microseconds instead of the one to two milliseconds of `setTimeout`.
 *
 * The event loop counts whole milliseconds. So the timer sleeps in the loop until about two milliseconds before its
 * time, and the rest in naps of at most a quarter of a millisecond (`Atomics.wait` on a word that nobody touches: a
 * sleep of the kernel; spinning instead keeps the very writer off the processor whose silence is waited for, measured: early
 * flushes where the naps had none) with a turn of the event loop after each, so that other sources are served in
 * between. The callback always runs after the loop has looked for input: who waits for silence has then heard
 * everything. Worker threads alone, since a nap blocks. (The ring's own waits are in ring/ring-wait.ts; this is a clock,
 * not a wait for anybody.)
 */
import type { Clock } from '../base/clock.ts';

/** Longest nap in microseconds: the most that input of another source can be delayed by one. */
const napUsMax = 250;
/** `setTimeout(n)` fires up to 1.1 ms after n milliseconds (measured); below this the naps take over. In µs. */
const coarseUsMin = 2200;

const nobody = new Int32Array(new SharedArrayBuffer(4));

export class PreciseTimer {
  private readonly clock: Clock;
  private readonly callback: () => void;
  private dueMonoUs = 0;
  private armed = false;
  private timeout: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;

  /** @param callback called once per {@link at}, in the check phase of the event loop. */
  constructor(clock: Clock, callback: () => void) {
    this.clock = clock;
    this.callback = callback;
  }

  /** Whether a call is to come. */
  get pending(): boolean {
    return this.armed;
  }

  /** Calls at `monoUs`, or as soon as the loop has looked for input if that is past. Replaces a call to come. */
  at(monoUs: number): void {
    this.dueMonoUs = monoUs;
    this.armed = true;
    clearTimeout(this.timeout);
    this.sleep();
  }

  cancel(): void {
    this.armed = false;
    clearTimeout(this.timeout);
    if (this.immediate) clearImmediate(this.immediate);
    this.immediate = undefined;
  }

  private sleep(): void {
    const remainingUs = this.dueMonoUs - this.clock.monoUs();
    if (remainingUs >= coarseUsMin)
      this.timeout = setTimeout(() => this.nextTurn(), Math.floor((remainingUs - coarseUsMin) / 1000) + 1);
    else this.nextTurn();
  }

  private nextTurn(): void {
    this.immediate ??= setImmediate(() => {
      this.immediate = undefined;
      this.turn();
    });
  }

  private turn(): void {
    const remainingUs = this.dueMonoUs - this.clock.monoUs();
    if (remainingUs <= 0) {
      this.armed = false;
      this.callback();
    } else if (remainingUs >= coarseUsMin) {
      this.sleep();
    } else {
      Atomics.wait(nobody, 0, 0, Math.min(remainingUs, napUsMax) / 1000);
      this.nextTurn();
    }
  }
}
