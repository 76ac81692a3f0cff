// Makes whole segments of real pictures and sound, as the recorder lays them out; for every test that needs a file of a
// recording. Pictures come from Annex B streams by way of the cutter, sound from G.711 by way of the FLAC encoder.
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { Codec, type VideoCodec } from '../../src/base/tracks.ts';
import { AccessUnitCutter } from '../../src/codec/access-unit-cutter.ts';
import { FlacEncoder } from '../../src/codec/flac/flac-encoder.ts';
import { pcmuToLinear } from '../../src/codec/g711.ts';
import { ParameterSetTracker } from '../../src/codec/parameter-sets.ts';
import { fragmentRecord, SampleCollector } from '../../src/isobmff/fragment-contents.ts';
import { FragmentHeadWriter } from '../../src/isobmff/fragment-head.ts';
import {
  countsAfter,
  noSamples,
  type SampleCounts,
  type SegmentFormat,
  type SegmentSamples,
} from '../../src/isobmff/recorded-segment.ts';
import { encodeTrailer, endBox } from '../../src/isobmff/sample-table.ts';
import { type SegmentHeadInfo, segmentHead, segmentTag } from '../../src/isobmff/segment-head.ts';
import { videoSampleEntry } from '../../src/isobmff/video-entry.ts';

/** A picture as it lies in the ring: NAL units behind lengths of 4 bytes. */
export interface Picture {
  readonly bytes: Uint8Array;
  readonly isSync: boolean;
}

export interface Clip {
  readonly pictures: readonly Picture[];
  readonly format: SegmentFormat;
}

/** The pictures of an Annex B stream, and its format with sound of µ-law or without. */
export function clipOf(
  codec: VideoCodec,
  stream: Uint8Array,
  framesPerSecond: number,
  hasAudio: boolean,
): Clip {
  const cutter = new AccessUnitCutter(codec);
  const sets = new ParameterSetTracker(codec);
  const pictures: Picture[] = [];
  const take = (unit: ReturnType<AccessUnitCutter['next']>): boolean => {
    if (!unit) return false;
    sets.observe(unit);
    const parts: Uint8Array[] = [];
    for (let i = 0; i < unit.nalCount; i++) {
      const nalUnit = unit.bytes.subarray(unit.nalTable[2 * i], unit.nalTable[2 * i + 1]);
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, nalUnit.length);
      parts.push(length, nalUnit);
    }
    pictures.push({ bytes: new Uint8Array(Buffer.concat(parts)), isSync: unit.randomAccess });
    return true;
  };
  for (let offset = 0; offset < stream.length; offset += 65_536) {
    const piece = stream.subarray(offset, offset + 65_536);
    cutter.reserve(piece.length).set(piece);
    cutter.advance(piece.length);
    while (take(cutter.next()));
  }
  while (take(cutter.flush()));
  const format = sets.format!;
  return {
    pictures,
    format: {
      codec,
      width: format.width,
      height: format.height,
      framesPerSecond,
      audioCodec: hasAudio ? Codec.pcmu : undefined,
      videoEntry: videoSampleEntry(codec, sets.nalUnits, format),
    },
  };
}

/** A stream of test/fixtures as a clip. */
export function fixtureClip(name: string, framesPerSecond: number, hasAudio: boolean): Clip {
  const stream = new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
  return clipOf(name.endsWith('.h264') ? Codec.h264 : Codec.h265, stream, framesPerSecond, hasAudio);
}

/** A noise that swells, in linear values of µ-law codes. */
function noise(samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) => {
    const loudness = 1 + Math.round(60 * Math.abs(Math.sin(i / 9000)));
    return pcmuToLinear[(i * loudness) & 0xff]!;
  });
}

export interface MadeSegment {
  readonly bytes: Uint8Array;
  readonly info: SegmentHeadInfo;
  readonly headBytes: number;
  readonly tag: number;
  readonly samples: SegmentSamples;
  readonly counts: SampleCounts;
  readonly endOffset: number;
  readonly trailerOffset: number;
  readonly duration90k: number;
}

export interface SegmentOptions {
  readonly number?: number;
  readonly baseWallUnixMs?: number;
  /** Pictures of a fragment at most; a random access point begins a fragment anyway. */
  readonly fragmentPictures?: number;
  /** Leaves out trailer and end box, as in a segment that is being written. */
  readonly isOpen?: boolean;
  /** Samples of sound, 8 kHz; noise when left out. What is short ends early: fragments without blocks follow. */
  readonly sound?: Int16Array;
  readonly blockSamples?: number;
  readonly deviceUuid?: string;
}

export function makeSegment(clip: Clip, options: SegmentOptions = {}): MadeSegment {
  const { pictures, format } = clip;
  const sound = options.sound ?? noise(Math.ceil((8000 * pictures.length) / format.framesPerSecond));
  const blockSamplesMax = options.blockSamples ?? 800;
  const info: SegmentHeadInfo = {
    deviceUuid: options.deviceUuid ?? '1f3a9c02-77de-4b1a-9f00-0123456789ab',
    stream: 0,
    number: options.number ?? 1,
    baseWallUnixMs: options.baseWallUnixMs ?? Date.UTC(2026, 10, 23, 5, 30),
    format,
  };
  const head = segmentHead(info, crc32);
  const tag = segmentTag(head);
  const hasAudio = format.audioCodec !== undefined;
  const writer = new FragmentHeadWriter(hasAudio, tag, crc32);
  const collector = new SampleCollector();
  const encoder = new FlacEncoder();
  const parts: Uint8Array[] = [head];
  const fragmentPictures = options.fragmentPictures ?? Infinity;
  const ticks = 90_000 / format.framesPerSecond;
  let offset = head.length;
  let counts = noSamples;
  let soundAt = 0;
  for (let first = 0, number = 0; first < pictures.length; number++) {
    let end = first + 1;
    while (end < pictures.length && !pictures[end]!.isSync && end - first < fragmentPictures) end++;
    const own = pictures.slice(first, end);
    const startOf = (picture: number): number => Math.round(picture * ticks);
    const blocks: { bytes: Uint8Array; samples: number }[] = [];
    const audioStart8k = soundAt;
    const soundEnd = hasAudio ? Math.min(sound.length, Math.round((startOf(end) * 8000) / 90_000)) : 0;
    while (soundAt < soundEnd) {
      const samples = Math.min(blockSamplesMax, soundEnd - soundAt);
      const block = encoder.encode(sound.subarray(soundAt, soundAt + samples), samples, soundAt);
      blocks.push({ bytes: block.slice(), samples });
      soundAt += samples;
    }
    const payload = new Uint8Array(Buffer.concat([...own, ...blocks].map(({ bytes }) => bytes)));
    const contents = {
      videoStart90k: startOf(first),
      audioStart8k,
      videoSamples: own.length,
      videoSizes: own.map(({ bytes }) => bytes.length),
      videoDurations: own.map((_, i) => startOf(first + i + 1) - startOf(first + i)),
      videoSyncs: own.map(({ isSync }) => (isSync ? 1 : 0)),
      audioBlocks: blocks.length,
      audioSizes: blocks.map(({ bytes }) => bytes.length),
      audioDurations: blocks.map(({ samples }) => samples),
      audioBlockSamples: blocks.map(({ samples }) => samples),
    };
    const moof = writer
      .write({
        ...contents,
        sequenceNumber: number + 1,
        payloadBytes: payload.length,
        payloadCrc32: crc32(payload),
      })
      .slice();
    const lengthBytes = moof.length + payload.length;
    const record = fragmentRecord(contents, { number, offset, lengthBytes }, counts);
    collector.add(record, contents);
    counts = countsAfter(record);
    parts.push(moof, payload);
    offset += lengthBytes;
    first = end;
  }
  const samples = collector.samples();
  const duration90k = Math.round(pictures.length * ticks);
  const trailerOffset = offset;
  if (!options.isOpen) {
    const trailer = encodeTrailer(samples, tag, crc32);
    const end = { trailerOffset, trailerBytes: trailer.length, duration90k, gaps: 0, counts, tag };
    parts.push(trailer, endBox(end, crc32));
  }
  return {
    bytes: new Uint8Array(Buffer.concat(parts)),
    info,
    headBytes: head.length,
    tag,
    samples,
    counts,
    endOffset: offset,
    trailerOffset: options.isOpen ? 0 : trailerOffset,
    duration90k,
  };
}
