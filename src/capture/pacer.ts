/**
 * Calls paced sources (demo, files) when their frames are due: one scheduler for all of them, without drift.
 *
 * Due times are start + offset on the monotonic clock, never "last time plus period", so lateness does not add up. After
 * a stall the frames that are late are sent at once, in order of their due times; after more than a second they are
 * skipped, so that the stream is live again instead of a burst of the past. Sources that were added before `start` share
 * one start, which keeps picture and sound of the demo together. Capture thread only.
 */
import type { Clock } from '../base/clock.ts';
import { catchUpUsMax, framesPerTurnMax } from './limits.ts';
import { PreciseTimer } from './precise-timer.ts';

/** A paced source. */
export interface PacedTask {
  /** When the next frame is due, in microseconds since the task's start; never falls. */
  readonly nextOffsetUs: number;
  /** Sends the next frame; moves `nextOffsetUs` on. `captureMonoUs` is its nominal time. Must not throw. */
  emit(captureMonoUs: number): void;
  /** Leaves out what was due before `offsetUs`: moves `nextOffsetUs` to it or behind it. Must not throw. */
  skipTo(offsetUs: number): void;
}

interface Entry {
  readonly task: PacedTask;
  startMonoUs: number;
}

export class Pacer {
  private readonly clock: Clock;
  private readonly timer: PreciseTimer;
  private readonly entries: Entry[] = [];
  private running = false;

  constructor(clock: Clock) {
    this.clock = clock;
    this.timer = new PreciseTimer(clock, () => this.turn());
  }

  /** Begins; the tasks added so far start now, later ones when they are added. */
  start(): void {
    this.running = true;
    const nowUs = this.clock.monoUs();
    for (const entry of this.entries) entry.startMonoUs = nowUs;
    this.arm();
  }

  /** Nothing is called any more. */
  stop(): void {
    this.running = false;
    this.timer.cancel();
  }

  add(task: PacedTask): void {
    this.entries.push({ task, startMonoUs: this.clock.monoUs() });
    if (this.running) this.arm();
  }

  /** The task is not called any more; unknown tasks are fine. */
  remove(task: PacedTask): void {
    const index = this.entries.findIndex(entry => entry.task === task);
    if (index >= 0) this.entries.splice(index, 1);
    if (this.entries.length === 0) this.timer.cancel();
  }

  private turn(): void {
    for (let sent = 0; sent < framesPerTurnMax && this.running; sent++) {
      const entry = this.earliest();
      if (!entry) return;
      const nowUs = this.clock.monoUs();
      const dueUs = dueOf(entry);
      if (dueUs > nowUs) break;
      if (nowUs - dueUs > catchUpUsMax) entry.task.skipTo(nowUs - entry.startMonoUs);
      else entry.task.emit(dueUs);
    }
    this.arm();
  }

  private arm(): void {
    const entry = this.earliest();
    if (entry && this.running) this.timer.at(dueOf(entry));
  }

  private earliest(): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.entries) if (!first || dueOf(entry) < dueOf(first)) first = entry;
    return first;
  }
}

function dueOf(entry: Entry): number {
  return entry.startMonoUs + entry.task.nextOffsetUs;
}
