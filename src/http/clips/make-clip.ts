/**
 * Makes a clip out of the index: pieces, plan, and what lies where in it.
 *
 * The plan needs the samples of no fragments but those in which it begins and ends. All others are loaded when the tables, or the fragments made
 * anew, are sent, those of one piece at a time and the next one's ahead. Main thread.
 */
import { cutPiece, selectPieces, type UncutPiece } from '../../clips/clip-pieces.ts';
import { type ClipPlan, planClip } from '../../clips/clip-plan.ts';
import type { ClipPiece, FragmentsRegion, TableRegion, WallSpan } from '../../clips/clip-types.ts';
import { type FragmentPart, fragmentPartAt } from '../../clips/fragment-parts.ts';
import { tableBytes } from '../../clips/table-bytes.ts';
import {
  type FragmentRecord,
  gapMin90k,
  type SegmentRecord,
  type SegmentSamples,
} from '../../isobmff/recorded-segment.ts';
import { entityTag } from '../entity-tag.ts';
import type { RecordingsIndex, RecordingsService } from '../services.ts';
import type { Clip, ClipRequest } from './clip.ts';
import type { ClipLayout, ClipPart, ReadFile } from './clip-layout.ts';
import type { SamplesCache } from './samples-cache.ts';

/** The clip of a range; undefined when nothing is recorded in it. Rejects with a CameraError. */
export async function makeClip(
  request: ClipRequest,
  { index }: Pick<RecordingsService, 'index'>,
  samples: SamplesCache,
): Promise<Clip | undefined> {
  const uncut = selectPieces(index, request.stream, request);
  const [first] = uncut;
  if (!first) return undefined;
  const pieces = await Promise.all(uncut.map(piece => cut(piece, samples, request)));
  const plan = planClip(request, pieces, request);
  return {
    layout: new PlanLayout(plan, index, samples),
    etag: entityTag(new TextEncoder().encode(plan.etagSource)),
    startUnixMs: plan.startUnixMs,
    endUnixMs: plan.endUnixMs,
    durationMs: plan.duration90k / 90,
    gaps: () => gapsOf(plan, index),
    leftOut: plan.leftOut.map(spanOf),
    segment: plan.pieces[0]!.segment,
    hasAudio: plan.hasAudio,
    fragments: plan.fragments,
  };
}

/** With the samples of the fragments in which the clip begins and ends. */
async function cut(piece: UncutPiece, samples: SamplesCache, request: ClipRequest): Promise<ClipPiece> {
  const { segment, last, needsLastSamples, start } = piece;
  const load = (fragment: FragmentRecord): Promise<SegmentSamples> =>
    samples.load(segment, fragment, fragment, () => [fragment]);
  const [ofStart, ofLast] = await Promise.all([
    start ? load(start.fragment) : undefined,
    needsLastSamples ? load(last) : undefined,
  ]);
  return cutPiece(piece, { start: ofStart, last: ofLast }, request);
}

/** The layout of a plan. */
class PlanLayout implements ClipLayout {
  readonly lengthBytes: number;
  private readonly plan: ClipPlan;
  private readonly index: RecordingsIndex;
  private readonly samples: SamplesCache;

  constructor(plan: ClipPlan, index: RecordingsIndex, samples: SamplesCache) {
    this.lengthBytes = plan.lengthBytes;
    this.plan = plan;
    this.index = index;
    this.samples = samples;
  }

  partAt(offset: number, bytesMax: number): ClipPart | Promise<ClipPart> {
    const region = this.plan.regionAt(offset);
    const from = offset - region.offset;
    if (region.kind === 'bytes') return { kind: 'bytes', bytes: region.bytes.subarray(from) };
    if (region.kind === 'file')
      return {
        kind: 'file',
        segment: this.pieceOf(region).segment,
        position: region.fileOffset + from,
        lengthBytes: region.lengthBytes - from,
      };
    const { segment, first, last } = this.pieceOf(region);
    const samples = this.samples.get(segment, first, last);
    if (samples) return this.madePart(region, samples, from, bytesMax);
    return this.load(region.piece).then(loaded => this.madePart(region, loaded, from, bytesMax));
  }

  private madePart(
    region: TableRegion | FragmentsRegion,
    samples: SegmentSamples,
    from: number,
    bytesMax: number,
  ): ClipPart {
    if (region.kind === 'table') {
      const to = Math.min(region.lengthBytes, from + bytesMax);
      return { kind: 'bytes', bytes: tableBytes(this.plan, region, samples, from, to) };
    }
    const part = fragmentPartAt(this.plan, region, samples, from, bytesMax);
    if (part.kind === 'bytes') return part;
    const { segment } = this.pieceOf(region);
    if (part.kind === 'sound') return { kind: 'made', make: readFile => madeSound(part, segment, readFile) };
    return { kind: 'file', segment, position: part.fileOffset, lengthBytes: part.lengthBytes };
  }

  /** The samples of a piece; those of the next are asked for, too. */
  private load(number: number): Promise<SegmentSamples> {
    const loading = this.loadPiece(this.plan.pieces[number]!);
    const next = this.plan.pieces[number + 1];
    // Whoever comes to need it is told of its failure.
    if (next) this.loadPiece(next).catch(() => undefined);
    return loading;
  }

  private loadPiece({ segment, first, last }: ClipPiece): Promise<SegmentSamples> {
    return this.samples.load(segment, first, last, () =>
      this.index.fragments(segment.stream, segment.number, first.number, last.number),
    );
  }

  private pieceOf({ piece }: { readonly piece: number }): ClipPiece {
    return this.plan.pieces[piece]!;
  }
}

async function madeSound(
  { sources, make }: Extract<FragmentPart, { kind: 'sound' }>,
  segment: SegmentRecord,
  readFile: ReadFile,
): Promise<Uint8Array> {
  const read: Uint8Array[] = [];
  for (const { fileOffset, lengthBytes } of sources) {
    const bytes = new Uint8Array(lengthBytes);
    await readFile(segment, fileOffset, bytes);
    read.push(bytes);
  }
  return make(read);
}

/** Those between pieces and those within, in order. */
function gapsOf({ gaps, pieces }: ClipPlan, index: RecordingsIndex): WallSpan[] {
  const within = pieces
    .filter(({ segment }) => segment.gaps > 0)
    .flatMap(({ segment, first, last }) => {
      const fragments = index.fragments(segment.stream, segment.number, first.number, last.number);
      return fragments.slice(1).flatMap((fragment, i) => {
        const before = fragments[i]!;
        const start90k = before.videoStart90k + before.videoDuration90k;
        if (fragment.videoStart90k - start90k <= gapMin90k) return [];
        return [wallSpan(segment.baseWallUnixMs, start90k, fragment.videoStart90k)];
      });
    });
  return [...gaps, ...within].sort((one, other) => one.startUnixMs - other.startUnixMs);
}

function spanOf({ segment, first, lastVideoEnd90k }: ClipPiece): WallSpan {
  return wallSpan(segment.baseWallUnixMs, first.videoStart90k, lastVideoEnd90k);
}

function wallSpan(baseWallUnixMs: number, start90k: number, end90k: number): WallSpan {
  return { startUnixMs: baseWallUnixMs + start90k / 90, endUnixMs: baseWallUnixMs + end90k / 90 };
}
