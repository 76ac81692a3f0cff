// A recording in memory: segments with the files they would lie in, looked up as the index does it; and the bytes of
// clips of it, put together as a server does it.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Codec } from '../../src/base/tracks.ts';
import { cutPiece, type RecordingLookup, selectPieces } from '../../src/clips/clip-pieces.ts';
import { type ClipPlan, planClip } from '../../src/clips/clip-plan.ts';
import type { ClipOptions, ClipPiece, WallSpan } from '../../src/clips/clip-types.ts';
import { fragmentPartAt } from '../../src/clips/fragment-parts.ts';
import { tableBytes } from '../../src/clips/table-bytes.ts';
import { pcmuToLinear } from '../../src/codec/g711.ts';
import {
  countsAfter,
  type FragmentRecord,
  noSamples,
  type SegmentRecord,
  type SegmentSamples,
} from '../../src/isobmff/recorded-segment.ts';
import {
  type Clip,
  clipOf,
  type MadeSegment,
  makeSegment,
  type SegmentOptions,
} from '../isobmff/segments.ts';

/** A moment at which recordings of the tests begin. */
export const baseUnixMs = Date.UTC(2026, 10, 23, 5, 30);

let demo: Clip | undefined;

/** The bundled clip: 300 pictures with their numbers in them, 30 a second, an IDR picture each second. Needs ffmpeg. */
export function demoClip(): Clip {
  const file = fileURLToPath(new URL('../../assets/demo/demo-720p30.mp4', import.meta.url));
  const { stdout } = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-i', file, '-c', 'copy', '-bsf:v', 'h264_mp4toannexb', '-an', '-f', 'h264', '-'],
    { maxBuffer: 1 << 26 },
  );
  demo ??= clipOf(Codec.h264, new Uint8Array(stdout), 30, true);
  return demo;
}

/** The µ-law bytes of the sound that belongs to it, 10 s. */
export const demoLaw = new Uint8Array(
  readFileSync(new URL('../../assets/demo/demo-speech.ulaw', import.meta.url)),
);

/** The same as linear samples. */
export const demoSound: Int16Array = Int16Array.from(demoLaw, code => pcmuToLinear[code]!);

/** Pictures of a clip, from one to another, that one left out. */
export function cutClip(clip: Clip, from: number, to: number): Clip {
  return { ...clip, pictures: clip.pictures.slice(from, to) };
}

interface StoredSegment {
  readonly record: SegmentRecord;
  readonly bytes: Uint8Array;
  readonly samples: SegmentSamples;
}

/** Segments in recording order. */
export class MadeRecording implements RecordingLookup {
  private readonly stored: StoredSegment[] = [];

  /** Appends a segment. `lost`: indices of fragments that are damaged and so in no index. */
  add(clip: Clip, options: SegmentOptions & { readonly lost?: readonly number[] }): this {
    const number = this.stored.length + 1;
    const made = makeSegment(clip, { fragmentPictures: 24, baseWallUnixMs: baseUnixMs, ...options, number });
    const all = sliceSamples(made.samples, (_, i) => !options.lost?.includes(i));
    const last = all.fragments.at(-1)!;
    this.stored.push({ record: recordOf(made, last), bytes: made.bytes, samples: all });
    return this;
  }

  get segments(): readonly SegmentRecord[] {
    return this.stored.map(({ record }) => record);
  }

  segmentsIn(_stream: number, startUnixMs: number, endUnixMs: number): readonly SegmentRecord[] {
    return this.segments.filter(
      ({ baseWallUnixMs, duration90k }) =>
        baseWallUnixMs < endUnixMs && baseWallUnixMs + duration90k / 90 > startUnixMs,
    );
  }

  fragments(_stream: number, number: number, from = 0, to = Number.POSITIVE_INFINITY): FragmentRecord[] {
    return this.storedOf(number).samples.fragments.filter(each => each.number >= from && each.number <= to);
  }

  fragmentAt(stream: number, number: number, media90k: number): FragmentRecord | undefined {
    return this.fragments(stream, number).findLast(each => each.videoStart90k <= media90k);
  }

  syncFragmentAt(stream: number, number: number, media90k: number): FragmentRecord | undefined {
    return this.fragments(stream, number).findLast(
      each => each.startsWithSync && each.videoStart90k <= media90k,
    );
  }

  /** The samples of some fragments. */
  samplesOf({ number }: SegmentRecord, first: FragmentRecord, last: FragmentRecord): SegmentSamples {
    const { samples } = this.storedOf(number);
    return sliceSamples(samples, each => each.number >= first.number && each.number <= last.number, false);
  }

  fileOf({ number }: SegmentRecord): Uint8Array {
    return this.storedOf(number).bytes;
  }

  pieces(range: WallSpan, options: ClipOptions): ClipPiece[] {
    return selectPieces(this, 0, range).map(piece => {
      const { segment, last, needsLastSamples, start } = piece;
      const samples = {
        last: needsLastSamples ? this.samplesOf(segment, last, last) : undefined,
        start: start && this.samplesOf(segment, start.fragment, start.fragment),
      };
      return cutPiece(piece, samples, options);
    });
  }

  plan(startMs: number, endMs: number, options: ClipOptions): ClipPlan {
    const range = { startUnixMs: baseUnixMs + startMs, endUnixMs: baseUnixMs + endMs };
    return planClip(range, this.pieces(range, options), options);
  }

  private storedOf(number: number): StoredSegment {
    return this.stored[number - 1]!;
  }
}

/** Bytes of a clip, made anew for each range. */
export class MadeClip {
  readonly plan: ClipPlan;
  private readonly recording: MadeRecording;
  private readonly samples = new Map<number, SegmentSamples>();

  constructor(recording: MadeRecording, plan: ClipPlan) {
    this.recording = recording;
    this.plan = plan;
  }

  /** `atOnce`: bytes that are asked for in one go. */
  read(from: number, to: number, atOnce = 100_000): Uint8Array {
    const out = new Uint8Array(to - from);
    for (let at = from; at < to; ) {
      const part = this.partAt(at, Math.min(atOnce, to - at)).subarray(0, to - at);
      if (part.length === 0) throw new Error(`nothing lies at ${at}`);
      out.set(part, at - from);
      at += part.length;
    }
    return out;
  }

  whole(): Uint8Array {
    return this.read(0, this.plan.lengthBytes);
  }

  private partAt(offset: number, bytesMax: number): Uint8Array {
    const { plan } = this;
    const region = plan.regionAt(offset);
    const from = offset - region.offset;
    if (region.kind === 'bytes') return region.bytes.subarray(from);
    const { segment, first, last } = plan.pieces[region.piece]!;
    const file = this.recording.fileOf(segment);
    if (region.kind === 'file')
      return file.subarray(region.fileOffset + from, region.fileOffset + region.lengthBytes);
    const samples = this.samples.get(region.piece) ?? this.recording.samplesOf(segment, first, last);
    this.samples.set(region.piece, samples);
    if (region.kind === 'table')
      return tableBytes(plan, region, samples, from, Math.min(region.lengthBytes, from + bytesMax));
    const part = fragmentPartAt(plan, region, samples, from, bytesMax);
    if (part.kind === 'bytes') return part.bytes;
    if (part.kind === 'file') return file.subarray(part.fileOffset, part.fileOffset + part.lengthBytes);
    return part.make(
      part.sources.map(source => file.subarray(source.fileOffset, source.fileOffset + source.lengthBytes)),
    );
  }
}

function recordOf(made: MadeSegment, last: FragmentRecord): SegmentRecord {
  const { info } = made;
  return {
    stream: info.stream,
    number: info.number,
    path: `main/${info.number}.mp4`,
    baseWallUnixMs: info.baseWallUnixMs,
    format: info.format,
    headBytes: made.headBytes,
    endOffset: made.endOffset,
    duration90k: last.videoStart90k + last.videoDuration90k,
    counts: countsAfter(last),
    gaps: 0,
    trailerOffset: made.trailerOffset,
    isClosed: true,
  };
}

/** The samples of the fragments that are wanted; `counted`: the counts before them are made anew. */
function sliceSamples(
  all: SegmentSamples,
  wanted: (fragment: FragmentRecord, index: number) => boolean,
  counted = true,
): SegmentSamples {
  const fragments: FragmentRecord[] = [];
  const pictures: number[] = [];
  const blocks: number[] = [];
  let before = noSamples;
  let picture = 0;
  let block = 0;
  for (const [i, fragment] of all.fragments.entries()) {
    const isWanted = wanted(fragment, i);
    if (isWanted) {
      fragments.push(counted ? { ...fragment, before } : fragment);
      before = countsAfter(fragments.at(-1)!);
      for (let n = 0; n < fragment.videoSamples; n++) pictures.push(picture + n);
      for (let n = 0; n < fragment.audioBlocks; n++) blocks.push(block + n);
    }
    picture += fragment.videoSamples;
    block += fragment.audioBlocks;
  }
  return {
    fragments,
    videoSizes: Uint32Array.from(pictures, i => all.videoSizes[i]!),
    videoDurations: Uint32Array.from(pictures, i => all.videoDurations[i]!),
    videoSyncs: Uint8Array.from(pictures, i => all.videoSyncs[i]!),
    audioSizes: Uint32Array.from(blocks, i => all.audioSizes[i]!),
    audioDurations: Uint32Array.from(blocks, i => all.audioDurations[i]!),
    audioBlockSamples: Uint32Array.from(blocks, i => all.audioBlockSamples[i]!),
  };
}
