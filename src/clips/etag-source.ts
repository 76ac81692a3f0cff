/**
 * The text that two clips have in common only when they have the same bytes: whatever planning looks at is in it. The
 * samples are not; they follow from the file and its fragments. Pure, any thread.
 */
import { countsAfter, type SampleCounts } from '../isobmff/recorded-segment.ts';
import { sameBytes } from './clip-tracks.ts';
import type { ClipOptions, ClipPiece, WallSpan } from './clip-types.ts';
import { keptCounts } from './piece-counts.ts';

/** Counts up with every change of the bytes that the same recording gives. */
const layoutVersion = 1;

/** One line a piece, and one for each sample entry that differs from the piece's before. */
export function etagSource(request: WallSpan, pieces: readonly ClipPiece[], options: ClipOptions): string {
  const lines = [
    `clip ${layoutVersion} ${options.format} ${options.audio} ${request.startUnixMs} ${request.endUnixMs}`,
  ];
  let entry: Uint8Array | undefined;
  for (const piece of pieces) {
    const { segment, first, last } = piece;
    const { format } = segment;
    if (!entry || !sameBytes(format.videoEntry, entry)) {
      entry = format.videoEntry;
      lines.push(hex(entry));
    }
    lines.push(
      [
        segment.path,
        segment.number,
        segment.baseWallUnixMs,
        format.codec,
        format.width,
        format.height,
        format.audioCodec ?? 0,
        first.number,
        first.offset,
        first.videoStart90k,
        first.audioStart8k,
        textOf(first.before),
        last.number,
        last.offset,
        last.lengthBytes,
        textOf(countsAfter(last)),
        textOf(keptCounts(piece)),
        piece.lastVideoEnd90k,
        piece.firstAudioStart8k ?? '-',
        piece.leadAudioBlocks,
        piece.leadVideoSamples,
      ].join(' '),
    );
  }
  return lines.join('\n');
}

function textOf(counts: SampleCounts): string {
  const { fragments, videoSamples, syncSamples, audioBlocks, audioSamples, audioBytes } = counts;
  return `${fragments},${videoSamples},${syncSamples},${audioBlocks},${audioSamples},${audioBytes}`;
}

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
