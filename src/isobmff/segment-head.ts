/**
 * The front of a segment: ftyp, moov of a fragmented movie without samples (ISO/IEC 14496-12 §8.8), and a box of ours
 * that says what the file is, whose, which one and when. Written once, in front of the first fragment. Pure, any thread.
 *
 * ```text
 * | ftyp | moov … avc1/hvc1 … | uuid "head" |
 *
 * uuid "head": size, 'uuid', type 16, then big-endian
 *   version u8 = 1, stream u8, codec u8, audioCodec u8 (0: no sound)
 *   number u32, baseWallUnixMs f64, framesPerSecond f64, width u32, height u32
 *   entryOffset u32, entryBytes u32 of the sample entry in the file
 *   deviceUuid 16
 *   crc u32 of everything before it, from the beginning of the file
 * ```
 *
 * The crc is the segment's *tag*: fragments and trailer repeat it, so that what an earlier file left in the same blocks
 * of the card is not taken for this one's.
 */
import { CameraError } from '../base/errors.ts';
import { type AudioCodec, Codec, type VideoCodec } from '../base/tracks.ts';
import { flacSampleEntry } from './audio-entry.ts';
import { BoxWriter, boxHeaderBytes } from './box-writer.ts';
import type { Checksum } from './checksum.ts';
import { emptyTables, ftyp, mvex, mvhd, type TrackInfo, trak } from './movie-boxes.ts';
import { isOwnBox, ownBoxHeaderBytes, ownType } from './own-boxes.ts';
import {
  audioTimescale,
  type RecordedStream,
  type SegmentFormat,
  videoTimescale,
} from './recorded-segment.ts';

/** What the head says. */
export interface SegmentHeadInfo {
  /** 36 characters with hyphens; read back in lower case. */
  readonly deviceUuid: string;
  readonly stream: RecordedStream;
  readonly number: number;
  /** Wall clock at media time 0, Unix ms (whole). */
  readonly baseWallUnixMs: number;
  readonly format: SegmentFormat;
}

/** A head as it was read. */
export interface SegmentHead extends SegmentHeadInfo {
  /** Offset of the first fragment. */
  readonly headBytes: number;
  /** What fragments and trailer of this segment carry. */
  readonly tag: number;
}

/** Track numbers in a segment. */
export const videoTrackId = 1;
export const audioTrackId = 2;

/** Bytes at the front of a file that hold every head: sample entries are bounded to half of it. */
export const segmentHeadBytesMax = 65_536;

const version = 1;
const headBoxBytes = ownBoxHeaderBytes + 4 + 4 + 8 + 8 + 8 + 8 + 16 + 4;

/** The bytes, a new array. Throws CameraError 'internal' when the device's UUID is none. */
export function segmentHead(info: SegmentHeadInfo, checksum: Checksum): Uint8Array {
  const { format } = info;
  const w = new BoxWriter(4096);
  // iso6 stands for movie fragments whose offsets count from their moof, and decode times of 64 bits.
  ftyp(w, 'iso6', ['iso6', 'iso5', 'isom', 'mp41']);
  w.begin('moov');
  mvhd(w, {
    createdUnixMs: info.baseWallUnixMs,
    timescale: videoTimescale,
    duration: 0,
    nextTrackId: audioTrackId + 1,
  });
  const common = { durationMovie: 0, durationMedia: 0, createdUnixMs: info.baseWallUnixMs, edits: [] };
  const video: TrackInfo = {
    ...common,
    trackId: videoTrackId,
    kind: 'video',
    timescale: videoTimescale,
    width: format.width,
    height: format.height,
    sampleEntries: [format.videoEntry],
  };
  // The entry is followed by the empty tables, whose size does not change.
  let tablesOffset = 0;
  trak(w, video, tables => {
    tablesOffset = tables.offset;
    emptyTables(tables);
  });
  const hasAudio = format.audioCodec !== undefined;
  if (hasAudio) {
    const audio: TrackInfo = {
      ...common,
      trackId: audioTrackId,
      kind: 'audio',
      timescale: audioTimescale,
      width: 0,
      height: 0,
      sampleEntries: [flacSampleEntry()],
    };
    trak(w, audio, emptyTables);
  }
  mvex(w, videoTrackId, hasAudio ? audioTrackId : undefined);
  w.finish();

  w.begin('uuid').bytes(ownType('head'));
  w.u8(version)
    .u8(info.stream)
    .u8(format.codec)
    .u8(format.audioCodec ?? 0);
  w.u32(info.number).f64(info.baseWallUnixMs).f64(format.framesPerSecond);
  w.u32(format.width).u32(format.height);
  w.u32(tablesOffset - format.videoEntry.length).u32(format.videoEntry.length);
  w.bytes(uuidBytes(info.deviceUuid)).u32(0).finish();
  const bytes = w.result();
  if (bytes.length > segmentHeadBytesMax)
    throw new CameraError('internal', 'The head of a segment is too large.', { bytes: bytes.length });
  viewOf(bytes).setUint32(bytes.length - 4, checksum(bytes.subarray(0, bytes.length - 4)));
  return bytes;
}

/** The tag of a head that `segmentHead` made. */
export function segmentTag(head: Uint8Array): number {
  return viewOf(head).getUint32(head.length - 4);
}

/**
 * The head at the front of a file, or undefined when it is not whole, or none of ours. `bytes`: the first
 * {@link segmentHeadBytesMax} of the file, or all of it. The sample entry is copied.
 */
export function readSegmentHead(bytes: Uint8Array, checksum: Checksum): SegmentHead | undefined {
  const view = viewOf(bytes);
  const at = findHeadBox(view);
  if (at === undefined) return undefined;
  const headBytes = at + headBoxBytes;
  const tag = view.getUint32(headBytes - 4);
  if (checksum(bytes.subarray(0, headBytes - 4)) !== tag) return undefined;

  const field = at + ownBoxHeaderBytes;
  const stream = view.getUint8(field + 1);
  const codec = view.getUint8(field + 2);
  const audioCodec = view.getUint8(field + 3);
  const baseWallUnixMs = view.getFloat64(field + 8);
  const framesPerSecond = view.getFloat64(field + 16);
  const entryOffset = view.getUint32(field + 32);
  const entryBytes = view.getUint32(field + 36);
  if (view.getUint8(field) !== version || (stream !== 0 && stream !== 1)) return undefined;
  if (!isVideoCodec(codec) || !(audioCodec === 0 || isAudioCodec(audioCodec))) return undefined;
  if (!Number.isSafeInteger(baseWallUnixMs) || !(framesPerSecond >= 0 && framesPerSecond < Infinity))
    return undefined;
  if (entryBytes < boxHeaderBytes || entryOffset + entryBytes > at) return undefined;
  return {
    deviceUuid: uuidText(bytes.subarray(field + 40, field + 56)),
    stream,
    number: view.getUint32(field + 4),
    baseWallUnixMs,
    format: {
      codec,
      width: view.getUint32(field + 24),
      height: view.getUint32(field + 28),
      framesPerSecond,
      audioCodec: audioCodec === 0 ? undefined : audioCodec,
      // Copied by the constructor, as slice() of a Node Buffer would not.
      videoEntry: new Uint8Array(bytes.subarray(entryOffset, entryOffset + entryBytes)),
    },
    headBytes,
    tag,
  };
}

/** Offset of the head box: the third box of the file. */
function findHeadBox(view: DataView): number | undefined {
  let offset = 0;
  for (const type of ['ftyp', 'moov']) {
    if (offset + boxHeaderBytes > view.byteLength) return undefined;
    const lengthBytes = view.getUint32(offset);
    for (let i = 0; i < 4; i++) if (view.getUint8(offset + 4 + i) !== type.charCodeAt(i)) return undefined;
    if (lengthBytes < boxHeaderBytes) return undefined;
    offset += lengthBytes;
  }
  if (offset + headBoxBytes > view.byteLength || !isOwnBox(view, offset, 'head')) return undefined;
  return view.getUint32(offset) === headBoxBytes ? offset : undefined;
}

function isVideoCodec(codec: number): codec is VideoCodec {
  return codec === Codec.h264 || codec === Codec.h265;
}

function isAudioCodec(codec: number): codec is AudioCodec {
  return codec === Codec.pcmu || codec === Codec.pcma;
}

function uuidBytes(uuid: string): Uint8Array {
  const digits = uuid.replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/i.test(digits)) throw new CameraError('internal', 'The UUID of the device is none.');
  return Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

function uuidText(bytes: Uint8Array): string {
  const digits = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
  return [0, 8, 12, 16, 20].map((start, i, starts) => digits.slice(start, starts[i + 1])).join('-');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
