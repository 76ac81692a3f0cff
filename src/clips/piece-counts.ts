/** How many samples a piece has. Pure, any thread. */
import { moofBytesOf } from '../isobmff/fragment-layout.ts';
import type { FragmentRecord, SampleCounts, SegmentRecord } from '../isobmff/recorded-segment.ts';
import type { ClipPiece } from './clip-types.ts';

/** What lies in a piece's fragments before one of them. */
export function countsBefore(fragment: FragmentRecord, first: FragmentRecord): SampleCounts {
  return {
    fragments: fragment.before.fragments - first.before.fragments,
    videoSamples: fragment.before.videoSamples - first.before.videoSamples,
    syncSamples: fragment.before.syncSamples - first.before.syncSamples,
    audioBlocks: fragment.before.audioBlocks - first.before.audioBlocks,
    audioSamples: fragment.before.audioSamples - first.before.audioSamples,
    audioBytes: fragment.before.audioBytes - first.before.audioBytes,
  };
}

/** What a clip takes of a piece: the last fragment counts as far as it is kept, in samples; in bytes it is whole. */
export function keptCounts({ first, last, ...kept }: ClipPiece): SampleCounts {
  const before = countsBefore(last, first);
  return {
    fragments: before.fragments + 1,
    videoSamples: before.videoSamples + kept.lastVideoSamples,
    syncSamples: before.syncSamples + kept.lastSyncSamples,
    audioBlocks: before.audioBlocks + kept.lastAudioBlocks - kept.leadAudioBlocks,
    audioSamples: before.audioSamples + last.audioSamples,
    audioBytes: before.audioBytes + last.audioBytes,
  };
}

/** The range of the segment's file that a piece lies in: from its first picture to the end of its last fragment. */
export function pieceStart({ segment, first }: ClipPiece): number {
  return payloadOffset(segment, first);
}
export function pieceEnd({ last }: ClipPiece): number {
  return last.offset + last.lengthBytes;
}

/** Of the mdat of a fragment on the card. */
const mdatHeaderBytes = 8;

/** Where the first picture of a fragment lies in the file. */
export function payloadOffset(segment: SegmentRecord, fragment: FragmentRecord): number {
  const hasAudio = segment.format.audioCodec !== undefined;
  return (
    fragment.offset + moofBytesOf(hasAudio, fragment.videoSamples, fragment.audioBlocks) + mdatHeaderBytes
  );
}

/** Where its first FLAC frame lies: behind the last picture. */
export function soundOffset(fragment: FragmentRecord): number {
  return fragment.offset + fragment.lengthBytes - fragment.audioBytes;
}
