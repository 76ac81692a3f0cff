/** What recovery has to know of a segment, out of what the index knows. Pure. */
import type { SegmentRecord } from '../../isobmff/recorded-segment.ts';
import type { KnownSegment } from './index-types.ts';

/** A copy of the fields that {@link KnownSegment} has. */
export function knownOf(segment: SegmentRecord): KnownSegment {
  const { stream, number, path, endOffset, trailerOffset, isClosed } = segment;
  return { stream, number, path, endOffset, trailerOffset, isClosed };
}
