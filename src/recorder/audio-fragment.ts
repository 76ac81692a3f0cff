/**
 * The sound of one fragment: FLAC frames, one behind the other, and for each what the tables of MP4 say of it.
 *
 * Reused by AudioBlocks, which fills it; the arrays grow when they must and are longer than what is in them: `blocks`
 * counts. Recorder thread only.
 */
import { flacFrameBytesMax } from '../codec/flac/frame-format.ts';

/** Blocks that have room from the beginning: two seconds of sound in blocks of 100 ms, and some gaps. */
const blocksInitial = 24;

export class AudioFragment {
  /** FLAC frames, each one sample of the MP4. */
  blocks = 0;
  /** Where the first begins, 1/8000 s since the segment's base; without blocks where the sound before ended. */
  start8k = 0;
  /** G.711 samples in all blocks together. */
  sampleCount = 0;
  /** Bytes of each frame. */
  sizes: Uint32Array = new Uint32Array(blocksInitial);
  /** Ticks of 1/8000 s from each to the next one's beginning, a gap between them included. */
  durations: Uint32Array = new Uint32Array(blocksInitial);
  /** G.711 samples in each. */
  samples: Uint32Array = new Uint32Array(blocksInitial);
  private bytes = new Uint8Array(2 * flacFrameBytesMax);
  private lengthBytes = 0;

  /** All frames; borrowed as long as this object is. */
  get payload(): Uint8Array {
    return this.bytes.subarray(0, this.lengthBytes);
  }

  /** Ticks from the beginning of the first block to the end of the last. */
  get duration8k(): number {
    let sum = 0;
    for (let i = 0; i < this.blocks; i++) sum += this.durations[i]!;
    return sum;
  }

  /** Empties it; `start8k` is where the next block would begin. */
  reset(start8k: number): void {
    this.blocks = 0;
    this.sampleCount = 0;
    this.lengthBytes = 0;
    this.start8k = start8k;
  }

  /** Appends a copy of one frame. */
  add(frame: Uint8Array, samples: number, duration8k: number): void {
    const { blocks } = this;
    if (blocks === this.sizes.length) {
      this.sizes = grown(this.sizes, Uint32Array);
      this.durations = grown(this.durations, Uint32Array);
      this.samples = grown(this.samples, Uint32Array);
    }
    while (this.lengthBytes + frame.length > this.bytes.length) this.bytes = grown(this.bytes, Uint8Array);
    this.bytes.set(frame, this.lengthBytes);
    this.lengthBytes += frame.length;
    this.sizes[blocks] = frame.length;
    this.durations[blocks] = duration8k;
    this.samples[blocks] = samples;
    this.sampleCount += samples;
    this.blocks++;
  }

  /** The last block lasts so much longer: nothing follows it at once. */
  stretchLast(by8k: number): void {
    this.durations[this.blocks - 1]! += by8k;
  }
}

function grown<T extends Uint8Array | Uint32Array>(array: T, make: new (length: number) => T): T {
  const larger = new make(2 * array.length);
  larger.set(array);
  return larger;
}
