/**
 * The pictures of a fragment to come: views of the ring, borrowed until they are written, and their times.
 *
 * Only the newest picture's duration is not known; so it stays with the next fragment unless there is none.
 */
import type { FragmentContents } from '../isobmff/fragment-contents.ts';

const us90k = 90_000 / 1e6;

/** One picture as it lies in the ring. */
export interface Picture {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly captureMonoUs: number;
  readonly isSync: boolean;
}

/** See the head of the file. */
export class PictureRun {
  readonly pictures: Picture[] = [];

  get first(): Picture | undefined {
    return this.pictures[0];
  }

  get last(): Picture | undefined {
    return this.pictures.at(-1);
  }

  /** From the first picture to a moment, in microseconds. */
  spanUs(untilMonoUs: number): number {
    const { first } = this;
    return first ? untilMonoUs - first.captureMonoUs : 0;
  }

  clear(): void {
    this.pictures.length = 0;
  }

  /** The first `count` pictures as a fragment's contents; times count from the base, so that rounding never adds up. */
  contents(
    baseMonoUs: number,
    endMonoUs: number,
    count: number,
  ): Pick<
    FragmentContents,
    'videoStart90k' | 'videoSamples' | 'videoSizes' | 'videoDurations' | 'videoSyncs'
  > {
    const pictures = this.pictures.slice(0, count);
    const starts = pictures.map(({ captureMonoUs }) => Math.round((captureMonoUs - baseMonoUs) * us90k));
    const end = Math.max(Math.round((endMonoUs - baseMonoUs) * us90k), starts.at(-1)! + 1);
    return {
      videoStart90k: starts[0]!,
      videoSamples: pictures.length,
      videoSizes: Uint32Array.from(pictures, ({ bytes }) => bytes.length),
      videoDurations: Uint32Array.from(starts, (start, i) => (starts[i + 1] ?? end) - start),
      videoSyncs: Uint8Array.from(pictures, ({ isSync }) => (isSync ? 1 : 0)),
    };
  }
}
