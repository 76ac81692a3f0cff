/**
 * Formats of segments by number: thousands of segments share one, in memory and in the database. Few in a life of a
 * camera; none is ever taken out of a database but with all of it. Pure.
 */
import type { SegmentFormat } from '../../isobmff/recorded-segment.ts';

/** See the head of the file. */
export class FormatTable {
  /** Those that the database has. */
  readonly written = new Set<number>();
  private readonly byContent = new Map<string, SegmentFormat>();
  private readonly ids = new Map<SegmentFormat, number>();
  private nextId = 1;

  /** Those that a database had when it was opened. */
  load(formats: ReadonlyMap<number, SegmentFormat>): void {
    this.written.clear();
    for (const [id, format] of formats) {
      const known = this.byContent.get(contentOf(format));
      // Got a number before the database was open: written once more under that.
      if (known) {
        if (this.ids.get(known) === id) this.written.add(id);
        continue;
      }
      this.byContent.set(contentOf(format), format);
      this.ids.set(format, id);
      this.written.add(id);
      this.nextId = Math.max(this.nextId, id + 1);
    }
  }

  /** The one object that stands for all formats that are equal. */
  shared(format: SegmentFormat): SegmentFormat {
    if (this.ids.has(format)) return format;
    const content = contentOf(format);
    const known = this.byContent.get(content);
    if (known) return known;
    const own = { ...format, videoEntry: Uint8Array.from(format.videoEntry) };
    this.byContent.set(content, own);
    this.ids.set(own, this.nextId++);
    return own;
  }

  /** The number of a format that {@link shared} returned. */
  idOf(format: SegmentFormat): number {
    return this.ids.get(this.shared(format))!;
  }
}

function contentOf({ codec, width, height, framesPerSecond, audioCodec, videoEntry }: SegmentFormat): string {
  const entry = String.fromCharCode(...videoEntry.subarray(0, 4096));
  return `${codec} ${width} ${height} ${framesPerSecond} ${audioCodec} ${videoEntry.length} ${entry}`;
}
