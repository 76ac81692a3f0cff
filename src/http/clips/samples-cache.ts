/**
 * The samples of segments that clips were made of lately, as many as fit: the parts of a clip's tables are asked for one
 * by one, and a player asks for the same clip again and again. Main thread.
 */
import type { FragmentRecord, SegmentRecord, SegmentSamples } from '../../isobmff/recorded-segment.ts';
import { samplesBytesMax } from '../limits.ts';
import type { RecordingsService } from '../services.ts';

interface Entry {
  readonly loading: Promise<SegmentSamples>;
  loaded: SegmentSamples | undefined;
  bytes: number;
}

/** Rough bytes of a fragment's record as an object. */
const fragmentBytes = 250;

/** Loads, and remembers what was used last. */
export class SamplesCache {
  private readonly recordings: Pick<RecordingsService, 'loadSamples'>;
  /** The one used last comes last. */
  private readonly entries = new Map<string, Entry>();
  private bytes = 0;

  constructor(recordings: Pick<RecordingsService, 'loadSamples'>) {
    this.recordings = recordings;
  }

  /** The samples of the fragments, which follow each other, if they are at hand. */
  get(segment: SegmentRecord, first: FragmentRecord, last: FragmentRecord): SegmentSamples | undefined {
    return this.use(keyOf(segment, first, last))?.loaded;
  }

  /**
   * The samples of the fragments from the first to the last; rejects with a CameraError.
   *
   * @param fragments gives them when they are needed.
   */
  load(
    segment: SegmentRecord,
    first: FragmentRecord,
    last: FragmentRecord,
    fragments: () => readonly FragmentRecord[],
  ): Promise<SegmentSamples> {
    const key = keyOf(segment, first, last);
    const entry = this.use(key);
    if (entry) return entry.loading;
    const loading = this.recordings.loadSamples(segment, fragments());
    const made: Entry = { loading, loaded: undefined, bytes: 0 };
    this.entries.set(key, made);
    loading.then(
      samples => {
        made.loaded = samples;
        made.bytes = bytesOf(samples);
        this.bytes += made.bytes;
        this.shrink();
      },
      () => this.entries.delete(key),
    );
    return loading;
  }

  private use(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry;
  }

  private shrink(): void {
    for (const [key, entry] of this.entries) {
      if (this.bytes <= samplesBytesMax) return;
      if (!entry.loaded) continue;
      this.entries.delete(key);
      this.bytes -= entry.bytes;
    }
  }
}

function keyOf({ path, trailerOffset }: SegmentRecord, first: FragmentRecord, last: FragmentRecord): string {
  return `${path} ${trailerOffset} ${first.number} ${last.number}`;
}

function bytesOf(samples: SegmentSamples): number {
  const { fragments, videoSizes, videoDurations, videoSyncs } = samples;
  const { audioSizes, audioDurations, audioBlockSamples } = samples;
  const arrays = [videoSizes, videoDurations, videoSyncs, audioSizes, audioDurations, audioBlockSamples];
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, fragments.length * fragmentBytes);
}
