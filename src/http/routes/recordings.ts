/**
 * `GET /api/v1/media/recordings`: the timeline, that is, what is recorded when, in pages.
 *
 * Without a start it goes from the first recording on, without an end to this moment. A page's cursor names a place in a
 * segment, so that a page that is asked for after older recordings were deleted begins with what is left.
 */
import { parseTimelineRange } from '../clip-time.ts';
import { resolutionOf, streamNumbers, videoCodecOf } from '../clips/names.ts';
import { bytesIn, type Span, type TimelinePlace, timelinePage } from '../clips/timeline.ts';
import { spansPerPage } from '../limits.ts';
import type { AnswerOf, Handlers } from '../operations.ts';
import { jsonReply } from '../reply.ts';
import { formatRfc3339 } from '../rfc3339.ts';
import type { HttpServices } from '../services.ts';

type Answer = AnswerOf<'listRecordings'>;

/** The operation "list recordings". */
export function recordingsHandlers({
  recordings: { index },
  clock,
}: Pick<HttpServices, 'recordings' | 'clock'>): Pick<Handlers, 'listRecordings'> {
  return {
    async listRecordings({ query }) {
      const { startUnixMs, endUnixMs } = parseTimelineRange(query.start, query.end, clock.wallUnixMs());
      const stream = query.stream ?? 'main';
      const range = {
        stream: streamNumbers[stream],
        startUnixMs: startUnixMs ?? Number.NEGATIVE_INFINITY,
        endUnixMs,
      };
      const limit = query.limit ?? spansPerPage;
      const { spans, next } = await timelinePage(index, { ...range, limit, from: parsePlace(query.cursor) });
      const answer: Answer = {
        start: startUnixMs === undefined ? null : formatRfc3339(startUnixMs),
        end: formatRfc3339(endUnixMs),
        stream,
        spans: spans.map(span => ({
          ...timesOf(span),
          bytes: span.bytes,
          video_codec: videoCodecOf(span.segment),
          resolution: resolutionOf(span.segment),
        })),
        gaps: gapsBetween(spans),
        bytes: bytesIn(index, range),
        next: next ? `${next.segmentNumber}.${next.start90k}` : null,
      };
      return jsonReply(answer);
    },
  };
}

/** A cursor has the form of its schema. */
function parsePlace(cursor: string | undefined): TimelinePlace | undefined {
  if (cursor === undefined) return undefined;
  const [segmentNumber, start90k] = cursor.split('.').map(Number);
  return { segmentNumber: segmentNumber!, start90k: start90k! };
}

function gapsBetween(spans: readonly Span[]): Answer['gaps'] {
  return spans.slice(1).flatMap((span, i) => {
    const gap = { startUnixMs: spans[i]!.endUnixMs, endUnixMs: span.startUnixMs };
    return gap.endUnixMs > gap.startUnixMs ? [timesOf(gap)] : [];
  });
}

function timesOf(span: { readonly startUnixMs: number; readonly endUnixMs: number }): {
  start: string;
  end: string;
} {
  return { start: formatRfc3339(span.startUnixMs), end: formatRfc3339(span.endUnixMs) };
}
