/**
 * Makes the head of a segment file again where it is damaged, from what else tells of it.
 *
 * Every head follows from the device, the stream, the number, the moment of its base and the format. The file's name
 * says the first three, and the moment to the second; the format is in the parameter sets of each random access
 * picture. What neither says, the milliseconds and the law of the sound, is tried out: the fragments carry the head's
 * checksum as their tag, so one try in two thousand is right, byte for byte, and no wrong one is ever taken. Left out:
 * files whose every fragment is damaged or without a random access point, and those of which the name was changed.
 * Recorder thread, and the command that makes the index anew.
 */
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { CameraError } from '../base/errors.ts';
import { Codec, type VideoCodec } from '../base/tracks.ts';
import { ParameterSetTracker } from '../codec/parameter-sets.ts';
import type { SegmentFormat } from '../isobmff/recorded-segment.ts';
import { type SegmentHead, type SegmentHeadInfo, segmentHead, segmentTag } from '../isobmff/segment-head.ts';
import { videoSampleEntry } from '../isobmff/video-entry.ts';
import { segmentSecondOf } from './segment-path.ts';
import { type FoundFragment, firstFragments, readUpTo } from './segment-scan.ts';

/** Fragments that are tried: the first may be damaged or without a random access point, or an earlier file's. */
const triedFragmentsMax = 8;
/** A picture larger than this is not read: parameter sets lie in front of it, and no ring holds a larger one. */
const pictureBytesMax = 16 * 1024 * 1024;

/** The head's bytes, and what they say. */
export interface RemadeHead {
  readonly head: SegmentHead;
  readonly bytes: Uint8Array;
}

/**
 * The head that the fragments of a file were written for; undefined when it cannot be found. Changes nothing. Rejects
 * with what the file system says.
 * @param name what the name of the file says of it.
 */
export async function remakeHead(
  file: FileHandle,
  name: Pick<SegmentHeadInfo, 'deviceUuid' | 'stream' | 'number'> & { readonly path: string },
  signal?: AbortSignal,
): Promise<RemadeHead | undefined> {
  const { deviceUuid, stream, number, path } = name;
  const secondUnixMs = segmentSecondOf(path);
  if (secondUnixMs === undefined) return undefined;
  for (const fragment of await firstFragments(file, triedFragmentsMax, signal))
    for (const format of await formatsOf(file, fragment))
      for (let ms = 0; ms < 1000; ms++) {
        const info = { deviceUuid, stream, number, baseWallUnixMs: secondUnixMs + ms, format };
        const bytes = segmentHead(info, crc32);
        if (bytes.length > fragment.offset) break;
        const tag = segmentTag(bytes);
        if (tag === fragment.head.tag) return { head: { ...info, headBytes: bytes.length, tag }, bytes };
      }
  return undefined;
}

/** The formats that a segment with this fragment may have, by the parameter sets in its first picture. */
async function formatsOf(
  file: FileHandle,
  { offset, hasAudio, head }: FoundFragment,
): Promise<SegmentFormat[]> {
  const pictureBytes = head.videoSizes[0]!;
  if (head.videoSyncs[0] !== 1 || pictureBytes > pictureBytesMax) return [];
  const picture = await readUpTo(file, offset + head.moofBytes + 8, pictureBytes);
  const laws = hasAudio ? [Codec.pcmu, Codec.pcma] : [undefined];
  return [Codec.h264, Codec.h265].flatMap(codec =>
    laws.flatMap(audioCodec => formatOf(codec, picture, audioCodec) ?? []),
  );
}

function formatOf(
  codec: VideoCodec,
  picture: Uint8Array,
  audioCodec: SegmentFormat['audioCodec'],
): SegmentFormat | undefined {
  const nalTable = nalTableOf(picture);
  const tracker = new ParameterSetTracker(codec);
  const flags = { randomAccess: true, nonReference: false, bidirectional: false };
  try {
    tracker.observe({ bytes: picture, nalTable, nalCount: nalTable.length / 2, ...flags });
    const { format } = tracker;
    if (!format || !tracker.complete) return undefined;
    const { width, height, framesPerSecond } = format;
    const videoEntry = videoSampleEntry(codec, tracker.nalUnits, format);
    return { codec, width, height, framesPerSecond, audioCodec, videoEntry };
  } catch (error) {
    // The other codec's pictures.
    if (error instanceof CameraError && error.code === 'stream-invalid') return undefined;
    throw error;
  }
}

/** Starts and ends of the NAL units behind their lengths of 4 bytes, as far as those are right. */
function nalTableOf(picture: Uint8Array): Int32Array {
  const view = new DataView(picture.buffer, picture.byteOffset, picture.byteLength);
  const table: number[] = [];
  for (let at = 0; at + 4 < picture.length; ) {
    const end = at + 4 + view.getUint32(at);
    if (end > picture.length || end === at + 4) break;
    table.push(at + 4, end);
    at = end;
  }
  return Int32Array.from(table);
}
