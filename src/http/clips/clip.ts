/**
 * A clip as HTTP sees it. Pure types.
 */
import type { ClipOptions, WallSpan } from '../../clips/clip-types.ts';
import type { RecordedStream, SegmentRecord } from '../../isobmff/recorded-segment.ts';
import type { ClipLayout } from './clip-layout.ts';

/** What a client asks for. */
export interface ClipRequest extends ClipOptions, WallSpan {
  readonly stream: RecordedStream;
}

/** What there is. The same request answers the same bytes as long as the entity tag is the same. */
export interface Clip extends WallSpan {
  readonly layout: ClipLayout;
  readonly etag: string;
  /** From the first picture to the end of the last. */
  readonly durationMs: number;
  /** Spans within in which nothing is recorded. */
  gaps(): readonly WallSpan[];
  /** Recordings in the range that the file cannot hold, being of another codec. */
  readonly leftOut: readonly WallSpan[];
  /** The first; all are of its codec. */
  readonly segment: SegmentRecord;
  readonly hasAudio: boolean;
  readonly fragments: number;
}
