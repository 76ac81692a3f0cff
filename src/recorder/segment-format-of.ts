/**
 * What a segment must say of its video, from the parameter sets that a random access record of the ring begins with.
 */
import type { AudioCodec, VideoCodec } from '../base/tracks.ts';
import { ParameterSetTracker } from '../codec/parameter-sets.ts';
import type { SegmentFormat } from '../isobmff/recorded-segment.ts';
import { videoSampleEntry } from '../isobmff/video-entry.ts';
import type { RingRecord } from '../ring/ring-record.ts';

/** Undefined when the record does not hold the parameter sets. Throws CameraError `stream-invalid`. */
export function segmentFormatOf(
  record: RingRecord,
  audioCodec: AudioCodec | undefined,
): SegmentFormat | undefined {
  const codec = record.codec as VideoCodec;
  const nalTable = new Int32Array(2 * record.nalCount);
  for (let i = 0; i < record.nalCount; i++) {
    nalTable[2 * i] = record.nalStart(i);
    nalTable[2 * i + 1] = record.nalEnd(i);
  }
  const tracker = new ParameterSetTracker(codec);
  tracker.observe({
    bytes: record.bytes,
    nalTable,
    nalCount: record.nalCount,
    randomAccess: true,
    nonReference: false,
    bidirectional: false,
  });
  const { format } = tracker;
  if (!format || !tracker.complete) return undefined;
  const { width, height, framesPerSecond } = format;
  const videoEntry = videoSampleEntry(codec, tracker.nalUnits, format);
  return { codec, width, height, framesPerSecond, audioCodec, videoEntry };
}

/** Whether one segment can hold both. */
export function isSameSegmentFormat(a: SegmentFormat, b: SegmentFormat): boolean {
  return (
    a.codec === b.codec && a.audioCodec === b.audioCodec && Buffer.compare(a.videoEntry, b.videoEntry) === 0
  );
}
