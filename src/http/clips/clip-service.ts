/**
 * Finds clips in the recordings, and reads them.
 *
 * The index says which fragments a clip is made of, and only the samples of the first and the last of them are needed to
 * know its length and its entity tag; the tables are made while they are sent. A clip that ends just now asks the recorder to write what
 * is pending. Main thread; nothing here blocks it.
 */
import type { Clock } from '../../base/clock.ts';
import { flushTimeoutMs, settleMs, unwrittenMs } from '../limits.ts';
import type { BodySource } from '../reply.ts';
import type { RecordingsService } from '../services.ts';
import type { Clip, ClipRequest } from './clip.ts';
import { ClipReader } from './clip-reader.ts';
import { makeClip } from './make-clip.ts';
import { SamplesCache } from './samples-cache.ts';
import { SegmentFiles } from './segment-files.ts';

/** All clips of a server. */
export class ClipService {
  private readonly recordings: RecordingsService;
  private readonly clock: Pick<Clock, 'wallUnixMs'>;
  private readonly samples: SamplesCache;
  private readonly files: SegmentFiles;
  private flushing: Promise<void> | undefined;

  constructor({
    recordings,
    clock,
  }: {
    readonly recordings: RecordingsService;
    readonly clock: Pick<Clock, 'wallUnixMs'>;
  }) {
    this.recordings = recordings;
    this.clock = clock;
    this.samples = new SamplesCache(recordings);
    this.files = new SegmentFiles(recordings);
  }

  /**
   * The clip of a range; undefined when nothing is recorded in it. Rejects with a CameraError.
   *
   * @param options `isNow`: the end is this moment, and another the next time.
   */
  async find(request: ClipRequest, { isNow }: { readonly isNow: boolean }): Promise<Clip | undefined> {
    const agoMs = this.clock.wallUnixMs() - request.endUnixMs;
    if (agoMs < unwrittenMs) {
      if (!isNow && agoMs >= 0 && agoMs < settleMs) await wait(settleMs - agoMs);
      await this.flush();
    }
    return makeClip(request, this.recordings, this.samples);
  }

  /** The bytes of a clip from one to another, that one left out. */
  read(clip: Clip, from: number, to: number): BodySource {
    return new ClipReader(clip.layout, { from, to }, this.files, this.recordings);
  }

  /** One for all who wait; a recorder that cannot is no reason not to serve what there is. */
  private flush(): Promise<void> {
    this.flushing ??= Promise.race([this.recordings.flush(), wait(flushTimeoutMs)])
      .catch(() => undefined)
      .finally(() => {
        this.flushing = undefined;
      });
    return this.flushing;
  }
}

function wait(ms: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, ms).unref();
  });
}
