/**
 * What a fragment holds, sample by sample, in the form that its writer, its reader and the table of a whole segment have
 * in common; and the way from there to the index's record and to the flat arrays of a segment. Pure, any thread.
 */
import type { FragmentRecord, SampleCounts, SegmentSamples } from './recorded-segment.ts';

/** The samples of a fragment. Arrays may be longer than their counts say. */
export interface FragmentContents {
  /** Since the segment's base. */
  readonly videoStart90k: number;
  readonly audioStart8k: number;
  readonly videoSamples: number;
  /** Bytes. */
  readonly videoSizes: ArrayLike<number>;
  /** 1/90000 s. */
  readonly videoDurations: ArrayLike<number>;
  /** 1 for a random access point. */
  readonly videoSyncs: ArrayLike<number>;
  readonly audioBlocks: number;
  /** Bytes. */
  readonly audioSizes: ArrayLike<number>;
  /** 1/8000 s. */
  readonly audioDurations: ArrayLike<number>;
  /** G.711 samples in each block, at most 65,535. */
  readonly audioBlockSamples: ArrayLike<number>;
}

/** The record of a fragment that lies at `at`, behind what `before` counts. */
export function fragmentRecord(
  contents: FragmentContents,
  at: { number: number; offset: number; lengthBytes: number },
  before: SampleCounts,
): FragmentRecord {
  const { videoSamples, audioBlocks } = contents;
  return {
    number: at.number,
    offset: at.offset,
    lengthBytes: at.lengthBytes,
    startsWithSync: contents.videoSyncs[0] === 1,
    videoStart90k: contents.videoStart90k,
    videoDuration90k: sum(contents.videoDurations, videoSamples),
    videoSamples,
    syncSamples: sum(contents.videoSyncs, videoSamples),
    audioStart8k: contents.audioStart8k,
    audioBlocks,
    audioSamples: sum(contents.audioBlockSamples, audioBlocks),
    audioBytes: sum(contents.audioSizes, audioBlocks),
    before,
  };
}

function sum(values: ArrayLike<number>, count: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += values[i]!;
  return total;
}

/** Gathers the samples of consecutive fragments of one segment; one thread, one object a segment. */
export class SampleCollector {
  private readonly fragments: FragmentRecord[] = [];
  private readonly videoSizes = new GrowingNumbers();
  private readonly videoDurations = new GrowingNumbers();
  private readonly videoSyncs = new GrowingNumbers();
  private readonly audioSizes = new GrowingNumbers();
  private readonly audioDurations = new GrowingNumbers();
  private readonly audioBlockSamples = new GrowingNumbers();

  /** Takes a fragment; its arrays are copied. `record` is what fragmentRecord() makes of the same contents. */
  add(record: FragmentRecord, contents: FragmentContents): void {
    const { videoSamples, audioBlocks } = contents;
    this.fragments.push(record);
    this.videoSizes.append(contents.videoSizes, videoSamples);
    this.videoDurations.append(contents.videoDurations, videoSamples);
    this.videoSyncs.append(contents.videoSyncs, videoSamples);
    this.audioSizes.append(contents.audioSizes, audioBlocks);
    this.audioDurations.append(contents.audioDurations, audioBlocks);
    this.audioBlockSamples.append(contents.audioBlockSamples, audioBlocks);
  }

  /** All of them, as copies. */
  samples(): SegmentSamples {
    return {
      fragments: [...this.fragments],
      videoSizes: this.videoSizes.copy(),
      videoDurations: this.videoDurations.copy(),
      videoSyncs: Uint8Array.from(this.videoSyncs.copy()),
      audioSizes: this.audioSizes.copy(),
      audioDurations: this.audioDurations.copy(),
      audioBlockSamples: this.audioBlockSamples.copy(),
    };
  }
}

/** Numbers of 32 bits at the end of an array that doubles. */
class GrowingNumbers {
  private values = new Uint32Array(256);
  private count = 0;

  append(source: ArrayLike<number>, count: number): void {
    const end = this.count + count;
    if (end > this.values.length) {
      const larger = new Uint32Array(2 * end);
      larger.set(this.values.subarray(0, this.count));
      this.values = larger;
    }
    for (let i = 0; i < count; i++) this.values[this.count + i] = source[i]!;
    this.count = end;
  }

  copy(): Uint32Array {
    return this.values.slice(0, this.count);
  }
}
