/**
 * The records of a segment and of a format, little-endian, version 1.
 *
 * ```
 * segment:  0 version u8            24 endOffset            48 counts.audioSamples
 *           1 flags u8              28 duration90k          52 counts.audioBytes
 *           2 bytes of path u16     32 counts.fragments     56 gaps
 *           4 checksum              36 counts.videoSamples  60 trailerOffset
 *           8 format                40 counts.syncSamples   64 path, UTF-8
 *          12 headBytes             44 counts.audioBlocks
 *          16 baseWallUnixMs f64
 *
 * format:   0 version u8            8 width                 16 framesPerSecond f64
 *           1 Codec of video u8     12 height               24 video sample entry
 *           2 Codec of sound u8, 0: none
 *           4 checksum
 * ```
 *
 * Flags: 1 isClosed. Thousands of segments share a format, so it has a record of its own. The checksum is as in
 * fragment-layout.ts. Pure.
 */
import { CameraError } from '../../base/errors.ts';
import { type AudioCodec, Codec, type VideoCodec } from '../../base/tracks.ts';
import type { RecordedStream, SegmentFormat, SegmentRecord } from '../../isobmff/recorded-segment.ts';
import { layoutVersion, seal, verify, within } from './fragment-layout.ts';
import { numberMax } from './keys.ts';

/** Bytes of a segment's record before its path. */
const segmentHeadBytes = 64;
const formatHeadBytes = 24;

/** Longest path in bytes; those of ours have some 70. */
const pathBytesMax = 1024;

/** Longest sample entry in bytes; parameter sets of a camera have some hundred. */
const entryBytesMax = 64 * 1024;

const videoCodecs: readonly number[] = [Codec.h264, Codec.h265];
const audioCodecs: readonly number[] = [Codec.pcmu, Codec.pcma];

/** Bytes of a segment's record. Throws `state-failed` when a value does not fit. */
export function encodeSegment(key: Buffer, segment: SegmentRecord, formatId: number): Buffer {
  const path = Buffer.from(segment.path, 'utf8');
  const { counts } = segment;
  const bytes = Buffer.alloc(segmentHeadBytes + within(path.length, pathBytesMax));
  bytes[0] = layoutVersion;
  bytes[1] = segment.isClosed ? 1 : 0;
  bytes.writeUInt16LE(path.length, 2);
  bytes.writeUInt32LE(within(formatId, numberMax), 8);
  bytes.writeUInt32LE(within(segment.headBytes, numberMax), 12);
  bytes.writeDoubleLE(segment.baseWallUnixMs, 16);
  bytes.writeUInt32LE(within(segment.endOffset, numberMax), 24);
  bytes.writeUInt32LE(within(segment.duration90k, numberMax), 28);
  bytes.writeUInt32LE(within(counts.fragments, numberMax), 32);
  bytes.writeUInt32LE(within(counts.videoSamples, numberMax), 36);
  bytes.writeUInt32LE(within(counts.syncSamples, numberMax), 40);
  bytes.writeUInt32LE(within(counts.audioBlocks, numberMax), 44);
  bytes.writeUInt32LE(within(counts.audioSamples, numberMax), 48);
  bytes.writeUInt32LE(within(counts.audioBytes, numberMax), 52);
  bytes.writeUInt32LE(within(segment.gaps, numberMax), 56);
  bytes.writeUInt32LE(within(segment.trailerOffset, numberMax), 60);
  path.copy(bytes, segmentHeadBytes);
  seal(key, bytes);
  return bytes;
}

/** Throws `state-failed` when the record is damaged, or names a format that `formatOf` does not know. */
export function decodeSegment(
  key: Buffer,
  bytes: Buffer,
  formatOf: (id: number) => SegmentFormat | undefined,
): SegmentRecord {
  verify(key, bytes);
  const pathEnd = segmentHeadBytes + bytes.readUInt16LE(2);
  const format = formatOf(bytes.readUInt32LE(8));
  if (!format || pathEnd !== bytes.length)
    throw new CameraError('state-failed', 'a segment of the index has no format or no path');
  return {
    stream: key[1] as RecordedStream,
    number: key.readUInt32BE(2),
    path: bytes.toString('utf8', segmentHeadBytes, pathEnd),
    baseWallUnixMs: bytes.readDoubleLE(16),
    format,
    headBytes: bytes.readUInt32LE(12),
    endOffset: bytes.readUInt32LE(24),
    duration90k: bytes.readUInt32LE(28),
    counts: {
      fragments: bytes.readUInt32LE(32),
      videoSamples: bytes.readUInt32LE(36),
      syncSamples: bytes.readUInt32LE(40),
      audioBlocks: bytes.readUInt32LE(44),
      audioSamples: bytes.readUInt32LE(48),
      audioBytes: bytes.readUInt32LE(52),
    },
    gaps: bytes.readUInt32LE(56),
    trailerOffset: bytes.readUInt32LE(60),
    isClosed: (bytes[1]! & 1) !== 0,
  };
}

/** Bytes of a format's record. Throws `state-failed` when a value does not fit. */
export function encodeFormat(key: Buffer, format: SegmentFormat): Buffer {
  const entry = format.videoEntry;
  const bytes = Buffer.alloc(formatHeadBytes + within(entry.length, entryBytesMax));
  bytes[0] = layoutVersion;
  bytes[1] = format.codec;
  bytes[2] = format.audioCodec ?? 0;
  bytes.writeUInt32LE(within(format.width, numberMax), 8);
  bytes.writeUInt32LE(within(format.height, numberMax), 12);
  bytes.writeDoubleLE(format.framesPerSecond, 16);
  bytes.set(entry, formatHeadBytes);
  seal(key, bytes);
  return bytes;
}

/** Throws `state-failed` when the record is damaged. */
export function decodeFormat(key: Buffer, bytes: Buffer): SegmentFormat {
  verify(key, bytes);
  const [, codec, audioCodec] = bytes as unknown as number[];
  if (!videoCodecs.includes(codec!) || (audioCodec !== 0 && !audioCodecs.includes(audioCodec!)))
    throw new CameraError('state-failed', 'a format of the index has an unknown codec');
  return {
    codec: codec as VideoCodec,
    width: bytes.readUInt32LE(8),
    height: bytes.readUInt32LE(12),
    framesPerSecond: bytes.readDoubleLE(16),
    audioCodec: audioCodec === 0 ? undefined : (audioCodec as AudioCodec),
    videoEntry: Uint8Array.from(bytes.subarray(formatHeadBytes)),
  };
}
