/**
 * Reads the fragments of a segment: from the database by key, and from the tail what is not there yet. A fragment's key
 * is its number, so a time is found by halving: some ten seeks. Main thread; microseconds.
 */
import type { FragmentRecord, RecordedStream } from '../../isobmff/recorded-segment.ts';
import { decodeFragment } from './fragment-layout.ts';
import type { IndexStore } from './index-store.ts';
import { fragmentKey, numberMax } from './keys.ts';
import type { FragmentRun, Tail } from './tail.ts';

/** See the head of the file. */
export class FragmentReader {
  private readonly tail: Tail;
  private readonly storeOf: () => IndexStore | undefined;
  private readonly onDamage: (stream: RecordedStream, segment: number, error: unknown) => void;

  /** @param onDamage what cannot be read is answered as if it were not there. */
  constructor(
    tail: Tail,
    storeOf: () => IndexStore | undefined,
    onDamage: (stream: RecordedStream, segment: number, error: unknown) => void,
  ) {
    this.tail = tail;
    this.storeOf = storeOf;
    this.onDamage = onDamage;
  }

  /** By number, from the first to the last that is wanted. */
  range(stream: RecordedStream, segment: number, from = 0, to = numberMax): FragmentRecord[] {
    return this.read(stream, segment, [], () => {
      const { run, store } = this.sources(stream, segment);
      const found: FragmentRecord[] = [];
      const start = fragmentKey(stream, segment, from);
      const end = endOf(stream, segment, Math.min(to, firstOf(run) - 1));
      if (store && start.compare(end) < 0)
        for (const { key, value } of store.range({ start, end })) found.push(decodeFragment(key, value));
      if (run)
        for (let i = run.countBelow(from); i < run.length && run.numberAt(i) <= to; i++)
          found.push(run.at(i));
      return found;
    });
  }

  /** The last that starts at or before the time. */
  at(stream: RecordedStream, segment: number, media90k: number): FragmentRecord | undefined {
    return this.read(stream, segment, undefined, () => {
      let best: FragmentRecord | undefined;
      let low = 0;
      let high = this.floor(stream, segment, numberMax)?.number ?? -1;
      while (low <= high) {
        const found = this.floor(stream, segment, Math.floor((low + high) / 2));
        // Numbers may skip: nothing lies from low to the middle.
        if (!found || found.number < low) low = Math.floor((low + high) / 2) + 1;
        else if (found.videoStart90k <= media90k) {
          best = found;
          low = Math.floor((low + high) / 2) + 1;
        } else high = found.number - 1;
      }
      return best;
    });
  }

  /** The last that starts at or before the time and with a random access point. */
  syncAt(stream: RecordedStream, segment: number, media90k: number): FragmentRecord | undefined {
    return this.read(stream, segment, undefined, () => {
      let found = this.at(stream, segment, media90k);
      while (found && !found.startsWithSync)
        found = found.number > 0 ? this.floor(stream, segment, found.number - 1) : undefined;
      return found;
    });
  }

  /** The last with this number or a smaller one. */
  private floor(stream: RecordedStream, segment: number, number: number): FragmentRecord | undefined {
    const { run, store } = this.sources(stream, segment);
    const inTail = run ? run.countBelow(number + 1) : 0;
    if (inTail > 0) return run!.at(inTail - 1);
    if (!store || number < 0) return undefined;
    const start = fragmentKey(stream, segment, number);
    // Below the first fragment: the end of a range that goes down is not in it.
    const end = fragmentKey(stream, segment - 1, numberMax);
    for (const { key, value } of store.range({ start, end, reverse: true, limit: 1 }))
      return decodeFragment(key, value);
    return undefined;
  }

  private sources(
    stream: RecordedStream,
    segment: number,
  ): { run: FragmentRun | undefined; store: IndexStore | undefined } {
    const waiting = this.tail.get(stream, segment);
    return { run: waiting?.fragments, store: waiting?.isReplaced ? undefined : this.storeOf() };
  }

  private read<T>(stream: RecordedStream, segment: number, none: T, read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.onDamage(stream, segment, error);
      return none;
    }
  }
}

function firstOf(run: FragmentRun | undefined): number {
  return run && run.length > 0 ? run.numberAt(0) : numberMax + 1;
}

/** Behind the fragment of this number. */
function endOf(stream: RecordedStream, segment: number, number: number): Buffer {
  return number < numberMax
    ? fragmentKey(stream, segment, Math.max(number + 1, 0))
    : fragmentKey(stream, segment + 1, 0);
}
