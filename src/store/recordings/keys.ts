/**
 * Keys of the index: 10 bytes, big-endian, so that the order of the bytes is the order of recording.
 *
 * ```
 *   0        1        2                 6                10
 *   +--------+--------+-----------------+-----------------+
 *   | kind   | stream | segment         | fragment        |
 *   +--------+--------+-----------------+-----------------+
 * ```
 *
 * A format has its number where the segment is and stream 0; a segment has fragment 0. Pure.
 */
import type { RecordedStream } from '../../isobmff/recorded-segment.ts';

/** What a record is; 0 is left free. */
export const recordKinds = { format: 1, segment: 2, fragment: 3 } as const;

type RecordKind = (typeof recordKinds)[keyof typeof recordKinds];

/** Bytes of a key. */
export const keyBytes = 10;

/** Numbers of segments and fragments, and all counts, fit 32 bits. */
export const numberMax = 0xffff_ffff;

/** A key of its own memory. */
export function keyOf(kind: RecordKind, stream: number, segment: number, fragment: number): Buffer {
  const key = Buffer.allocUnsafe(keyBytes);
  key[0] = kind;
  key[1] = stream;
  key.writeUInt32BE(segment, 2);
  key.writeUInt32BE(fragment, 6);
  return key;
}

/** The key of a segment's record. */
export function segmentKey(stream: RecordedStream, segment: number): Buffer {
  return keyOf(recordKinds.segment, stream, segment, 0);
}

/** The key of a fragment's record. */
export function fragmentKey(stream: RecordedStream, segment: number, fragment: number): Buffer {
  return keyOf(recordKinds.fragment, stream, segment, fragment);
}

/** The key of a format's record. */
export function formatKey(id: number): Buffer {
  return keyOf(recordKinds.format, 0, id, 0);
}
