/**
 * What was reported and is not in the database yet: per segment, the packed fragments behind those that are committed,
 * and what is to be done with the segment's own record. Bounded; pure but for the checksums.
 *
 * A commit takes everything as it is when it begins; what comes meanwhile waits for the next. The `version` of a segment
 * here says whether it was changed so that what was committed is no longer what it is.
 */
import type { FragmentRecord, RecordedStream } from '../../isobmff/recorded-segment.ts';
import { decodeFragment, encodeFragment, fragmentBytes } from './fragment-layout.ts';
import { fragmentKey } from './keys.ts';

/** 6 hours of two streams with a fragment a second: 3 MB. What is older is found again on the card. */
export const tailFragmentsMax = 2 * 6 * 3600;

const growthMin = 16;

/** Fragments of one segment, 64 bytes and a number each. */
export class FragmentRun {
  length = 0;
  private numbers = new Uint32Array(0);
  private bytes = Buffer.alloc(0);
  private readonly stream: RecordedStream;
  private readonly segment: number;

  constructor(stream: RecordedStream, segment: number) {
    this.stream = stream;
    this.segment = segment;
  }

  /** Throws `state-failed` when a value of it does not fit its record. */
  push(fragment: FragmentRecord): void {
    const record = encodeFragment(this.keyOf(fragment.number), fragment);
    if (this.length === this.numbers.length) this.resize(Math.max(2 * this.length, growthMin));
    this.numbers[this.length] = fragment.number;
    record.copy(this.bytes, this.length * fragmentBytes);
    this.length += 1;
  }

  numberAt(i: number): number {
    return this.numbers[i]!;
  }

  /** Borrowed until the next change. */
  bytesAt(i: number): Buffer {
    return this.bytes.subarray(i * fragmentBytes, (i + 1) * fragmentBytes);
  }

  at(i: number): FragmentRecord {
    return decodeFragment(this.keyOf(this.numbers[i]!), this.bytesAt(i));
  }

  /** How many have a number below this one. */
  countBelow(number: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.numbers[middle]! < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  dropFirst(count: number): void {
    this.numbers.copyWithin(0, count, this.length);
    this.bytes.copyWithin(0, count * fragmentBytes, this.length * fragmentBytes);
    this.length -= count;
  }

  private keyOf(number: number): Buffer {
    return fragmentKey(this.stream, this.segment, number);
  }

  private resize(capacity: number): void {
    const numbers = new Uint32Array(capacity);
    numbers.set(this.numbers.subarray(0, this.length));
    const bytes = Buffer.alloc(capacity * fragmentBytes);
    this.bytes.copy(bytes, 0, 0, this.length * fragmentBytes);
    this.numbers = numbers;
    this.bytes = bytes;
  }
}

/** What is to be done with one segment. */
export interface TailSegment {
  readonly stream: RecordedStream;
  readonly number: number;
  fragments: FragmentRun;
  /** All that the database has of it is void: removed before anything else is written. */
  isReplaced: boolean;
  /** It is gone; `isReplaced` is set, too. */
  isRemoved: boolean;
  /** Its own record is to be written. */
  hasRecord: boolean;
  version: number;
}

/** See the head of the file. */
export class Tail {
  private readonly segments = new Map<string, TailSegment>();
  private versions = 0;

  get(stream: RecordedStream, number: number): TailSegment | undefined {
    return this.segments.get(keyOf(stream, number));
  }

  /** That of a segment, made when it is not there. */
  of(stream: RecordedStream, number: number): TailSegment {
    const key = keyOf(stream, number);
    let found = this.segments.get(key);
    if (!found) {
      const fragments = new FragmentRun(stream, number);
      found = {
        ...{ stream, number, fragments, isReplaced: false, isRemoved: false, hasRecord: false },
        version: this.versions++,
      };
      this.segments.set(key, found);
    }
    return found;
  }

  /** A segment anew: whatever is here or in the database of it is void. */
  replace(stream: RecordedStream, number: number): TailSegment {
    const segment = this.of(stream, number);
    segment.fragments = new FragmentRun(stream, number);
    segment.isReplaced = true;
    segment.isRemoved = false;
    segment.hasRecord = true;
    segment.version = this.versions++;
    return segment;
  }

  /** A segment is gone. Returns what undoes that as long as it is not committed, and says whether it could. */
  remove(stream: RecordedStream, number: number): () => boolean {
    const known = this.get(stream, number);
    const before = known ? { ...known } : undefined;
    const segment = this.replace(stream, number);
    segment.isRemoved = true;
    segment.hasRecord = false;
    const { version } = segment;
    return () => {
      if (segment.version !== version || this.get(stream, number) !== segment) return false;
      if (before) Object.assign(segment, before, { version: this.versions++ });
      else this.forget(segment);
      return true;
    };
  }

  /** Nothing is left to be done with it. */
  forget({ stream, number }: TailSegment): void {
    this.segments.delete(keyOf(stream, number));
  }

  /** The record of a segment differs from the one in the database. */
  touch(stream: RecordedStream, number: number): void {
    const segment = this.of(stream, number);
    segment.hasRecord = true;
    segment.version = this.versions++;
  }

  /** From the one that waits longest. */
  all(): IterableIterator<TailSegment> {
    return this.segments.values();
  }

  get isEmpty(): boolean {
    return this.segments.size === 0;
  }

  get fragments(): number {
    let count = 0;
    for (const { fragments } of this.segments.values()) count += fragments.length;
    return count;
  }
}

function keyOf(stream: RecordedStream, number: number): string {
  return `${stream}/${number}`;
}
