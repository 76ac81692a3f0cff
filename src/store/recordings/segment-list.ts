/**
 * All segments of one stream in recording order, in memory: a month of segments of five minutes is 8640 of them, some
 * 300 bytes each. Found by binary search; added at the end, but by recovery. Pure.
 */
import type { SegmentRecord } from '../../isobmff/recorded-segment.ts';

/** See the head of the file. */
export class SegmentList {
  /** In recording order; a live view. */
  readonly all: SegmentRecord[] = [];

  get(number: number): SegmentRecord | undefined {
    const segment = this.all[this.indexFrom(number)];
    return segment?.number === number ? segment : undefined;
  }

  /** Adds it, or puts it in the place of the one with its number. */
  put(segment: SegmentRecord): void {
    const at = this.indexFrom(segment.number);
    if (this.all[at]?.number === segment.number) this.all[at] = segment;
    else if (at === this.all.length) this.all.push(segment);
    else this.all.splice(at, 0, segment);
  }

  /** Takes it out and returns it. */
  remove(number: number): SegmentRecord | undefined {
    const at = this.indexFrom(number);
    return this.all[at]?.number === number ? this.all.splice(at, 1)[0] : undefined;
  }

  /** Index of the first with this number or a later one. */
  private indexFrom(number: number): number {
    const { all } = this;
    // Nearly always what is asked for is the newest.
    if (all.length === 0 || all[all.length - 1]!.number < number) return all.length;
    let low = 0;
    let high = all.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (all[middle]!.number < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
