/**
 * A timer that is late by some tens of microseconds instead of the one to two milliseconds of `setTimeout`.
 *
 * The event loop counts whole milliseconds. So the timer sleeps in the loop until about two milliseconds before its
 * time, and the rest in naps of at most a quarter of a millisecond (`Atomics.wait` on a word that nobody touches: a
 * sleep of the kernel; spinning instead keeps the very writer off the processor whose silence is waited for, measured: early
 * flushes where the naps had none) with a turn of the event loop after each, so that other sources are served in
 * between. With the native addon the kernel's own timer wakes the loop instead, which costs a tenth of the naps (1080p60
 * with sound: 30 ms of CPU a second with naps). The callback always runs after the loop has looked for input: who waits for silence has then heard
 * everything. Worker threads alone, since a nap blocks. (The ring's own waits are in ring/ring-wait.ts; this is a clock,
 * not a wait for anybody.)
 */
import type { Clock } from '../base/clock.ts';
import { loadAddon } from '../native/addon.ts';
import type { AlarmBinding, AlarmHandle } from '../native/alarm-binding.ts';

/** Longest nap in microseconds: the most that input of another source can be delayed by one. */
const napUsMax = 250;
/** `setTimeout(n)` fires up to 1.1 ms after n milliseconds (measured); below this the naps take over. In µs. */
const coarseUsMin = 2200;

/** The kernel's timer is set again for what remains; an hour is the most that it takes. In µs. */
const alarmUsMax = 60_000_000;

const nobody = new Int32Array(new SharedArrayBuffer(4));

function loadAlarms(): AlarmBinding | undefined {
  const loaded = loadAddon();
  return 'addon' in loaded ? loaded.addon.alarm : undefined;
}

/**
 * Timers with a call to come: an alarm does not hold its timer, or neither would ever be freed. Not a Set: each of V8's
 * grows a new table every few entries that come and go, and a table that has grown old keeps all later ones alive until the
 * next great collection (measured: 10 KB a second at 60 pictures a second).
 */
const armedTimers: PreciseTimer[] = [];

export class PreciseTimer {
  private readonly clock: Clock;
  private readonly callback: () => void;
  private dueMonoUs = 0;
  /** Its place among the armed ones; below 0: none. */
  private place = -1;
  private timeout: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private readonly alarms: AlarmBinding | undefined;
  private readonly alarm: AlarmHandle | undefined;

  /**
   * @param callback called once per {@link at}, in the check phase of the event loop.
   * @param alarms of the native addon; undefined: naps.
   */
  constructor(clock: Clock, callback: () => void, alarms: AlarmBinding | undefined = loadAlarms()) {
    this.clock = clock;
    this.callback = callback;
    this.alarms = alarms;
    const self = new WeakRef(this);
    this.alarm = alarms?.create(() => self.deref()?.nextTurn());
  }

  /** Whether a call is to come. */
  get pending(): boolean {
    return this.place >= 0;
  }

  /** Calls at `monoUs`, or as soon as the loop has looked for input if that is past. Replaces a call to come. */
  at(monoUs: number): void {
    this.dueMonoUs = monoUs;
    this.arm();
    clearTimeout(this.timeout);
    this.sleep();
  }

  cancel(): void {
    this.disarm();
    clearTimeout(this.timeout);
    if (this.alarm) this.alarms!.cancel(this.alarm);
    if (this.immediate) clearImmediate(this.immediate);
    this.immediate = undefined;
  }

  private arm(): void {
    if (this.place >= 0) return;
    this.place = armedTimers.length;
    armedTimers.push(this);
  }

  /** The last one takes its place. */
  private disarm(): void {
    if (this.place < 0) return;
    const last = armedTimers.pop()!;
    if (last !== this) {
      last.place = this.place;
      armedTimers[this.place] = last;
    }
    this.place = -1;
  }

  private sleep(): void {
    const remainingUs = this.dueMonoUs - this.clock.monoUs();
    if (this.alarm && remainingUs > 0) this.alarms!.set(this.alarm, Math.min(remainingUs, alarmUsMax));
    else if (remainingUs >= coarseUsMin)
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
    if (!this.pending) return;
    const remainingUs = this.dueMonoUs - this.clock.monoUs();
    if (remainingUs <= 0) {
      this.disarm();
      this.callback();
    } else if (this.alarm || remainingUs >= coarseUsMin) {
      this.sleep();
    } else {
      Atomics.wait(nobody, 0, 0, Math.min(remainingUs, napUsMax) / 1000);
      this.nextTurn();
    }
  }
}
