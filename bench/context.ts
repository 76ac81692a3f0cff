/**
 * What every part of a run is given: the options, where to put figures and notes, and how to wait and to stop.
 *
 * One object a run. Ctrl-C aborts `signal`; every wait of a part ends then by throwing, its `finally` blocks end its
 * cameras, and what was measured before is still reported.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Figure, figureOf, type Measurement } from './figures.ts';
import type { MeasureOptions } from './options.ts';
import type { PartName } from './part-names.ts';

export class BenchContext {
  readonly options: MeasureOptions;
  readonly signal: AbortSignal;
  /** A folder of this run, removed at its end. */
  readonly folder: string;
  readonly figures: Figure[] = [];
  readonly notes: string[] = [];
  private readonly onProgress: (text: string) => void;

  constructor(options: {
    options: MeasureOptions;
    signal: AbortSignal;
    folder: string;
    onProgress: (text: string) => void;
  }) {
    this.options = options.options;
    this.signal = options.signal;
    this.folder = options.folder;
    this.onProgress = options.onProgress;
  }

  get isQuick(): boolean {
    return this.options.isQuick;
  }

  /** One of two numbers: that of a quick run, or that of a whole one. */
  pick(quick: number, whole: number): number {
    return this.isQuick ? quick : whole;
  }

  /** Says what is being done, and throws when the run is being ended. */
  progress(text: string): void {
    this.signal.throwIfAborted();
    this.onProgress(text);
  }

  /** Keeps a figure. */
  add(part: PartName, measurement: Measurement): void {
    this.figures.push(figureOf(part, measurement));
  }

  /** Keeps a sentence for the report: what was left out, what did not go well. */
  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }

  /** Waits; rejects at once when the run is being ended. */
  async sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.signal });
  }
}

/** One part, or several that are measured together. */
export interface Part {
  readonly names: readonly PartName[];
  /** Measures those of its names that are wanted; rejects when it cannot. */
  run(context: BenchContext, wanted: ReadonlySet<PartName>): Promise<void>;
}
