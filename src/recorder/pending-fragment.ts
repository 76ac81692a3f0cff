/**
 * A fragment that is to be written: the pictures in the ring, the sound beside them, and what the tables say of both. It
 * is made once and may be written several times, until the card takes it. Recorder thread only.
 */
import { crc32 } from 'node:zlib';
import { type FragmentContents, fragmentRecord } from '../isobmff/fragment-contents.ts';
import type { FragmentHeadWriter } from '../isobmff/fragment-head.ts';
import type { FragmentRecord } from '../isobmff/recorded-segment.ts';
import type { AudioFragment } from './audio-fragment.ts';
import type { PictureRun } from './picture-run.ts';
import type { SegmentFile } from './segment-file.ts';

/** What {@link pendingFragment} is told. */
export interface FragmentBounds {
  /** Of the segment. */
  readonly baseMonoUs: number;
  /** Where the last picture ends. */
  readonly endMonoUs: number;
  /** Pictures, from the first of the run. */
  readonly count: number;
}

/** See the head of the file. */
export interface PendingFragment extends FragmentBounds {
  readonly contents: FragmentContents;
  /** Borrowed: views of the ring, and of the sound's buffer. */
  readonly payload: readonly Uint8Array[];
  readonly payloadBytes: number;
  readonly payloadCrc32: number;
}

/** The first pictures of a run with the sound beside them; both are borrowed. */
export function pendingFragment(
  run: PictureRun,
  sound: AudioFragment,
  bounds: FragmentBounds,
): PendingFragment {
  const { baseMonoUs, endMonoUs, count } = bounds;
  const contents = {
    ...run.contents(baseMonoUs, endMonoUs, count),
    audioStart8k: sound.start8k,
    audioBlocks: sound.blocks,
    audioSizes: sound.sizes,
    audioDurations: sound.durations,
    audioBlockSamples: sound.samples,
  };
  const payload = [...run.pictures.slice(0, count).map(({ bytes }) => bytes), sound.payload];
  let payloadCrc32 = 0;
  let payloadBytes = 0;
  for (const piece of payload) {
    payloadCrc32 = crc32(piece, payloadCrc32);
    payloadBytes += piece.length;
  }
  return { ...bounds, contents, payload, payloadBytes, payloadCrc32 };
}

/** Writes it as the fragment `number` behind what is in the file; it is neither flushed nor counted there. */
export async function writeFragment(
  { contents, payload, payloadBytes, payloadCrc32 }: PendingFragment,
  number: number,
  file: SegmentFile,
  heads: FragmentHeadWriter,
): Promise<FragmentRecord> {
  const head = heads.write({ ...contents, sequenceNumber: number + 1, payloadBytes, payloadCrc32 });
  const lengthBytes = head.length + payloadBytes;
  const at = { number, offset: file.endOffset, lengthBytes };
  const record = fragmentRecord(contents, at, file.fragmentCounts);
  await file.write([head, ...payload]);
  return record;
}
