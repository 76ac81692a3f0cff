/** Words of the API for what is recorded. Pure. */
import { Codec } from '../../base/tracks.ts';
import type { RecordedStream, SegmentRecord } from '../../isobmff/recorded-segment.ts';

/** The values of the parameter `stream`. */
export const streamNumbers: Readonly<Record<'main' | 'sub', RecordedStream>> = { main: 0, sub: 1 };

/** The codec of the pictures. */
export function videoCodecOf({ format }: SegmentRecord): 'H.264' | 'H.265' {
  return format.codec === Codec.h265 ? 'H.265' : 'H.264';
}

/** As `1920x1080`. */
export function resolutionOf({ format }: SegmentRecord): string {
  return `${format.width}x${format.height}`;
}
