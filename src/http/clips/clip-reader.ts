/**
 * The bytes of a clip, in order: those of its layout from memory, pictures and sound from the files of the segments.
 *
 * A read gives what it has before it waits for samples, so that the first byte of a long clip does not wait for the tables
 * of its hours. One file is open at a time, the one that is read; before each read of it the recorder has its way with the
 * card. Main thread; reading and parsing of files happen elsewhere.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CameraError } from '../../base/errors.ts';
import type { SegmentRecord } from '../../isobmff/recorded-segment.ts';
import { cardPressureLookMs, cardPressureMsMax, downloadStallMs } from '../limits.ts';
import type { BodySource } from '../reply.ts';
import type { RecordingsService } from '../services.ts';
import type { ClipLayout, ReadFile } from './clip-layout.ts';
import type { SegmentFile, SegmentFiles } from './segment-files.ts';

/** One reading of a clip, or of a part of it. */
export class ClipReader implements BodySource {
  private readonly layout: ClipLayout;
  private readonly from: number;
  private readonly to: number;
  private readonly files: SegmentFiles;
  private readonly recordings: Pick<RecordingsService, 'cardPressureMs'>;
  private open: { readonly segment: SegmentRecord; readonly file: SegmentFile } | undefined;

  /** Reads the bytes from one offset of the clip to another, that one left out. */
  constructor(
    layout: ClipLayout,
    range: { readonly from: number; readonly to: number },
    files: SegmentFiles,
    recordings: Pick<RecordingsService, 'cardPressureMs'>,
  ) {
    this.layout = layout;
    this.from = range.from;
    this.to = range.to;
    this.files = files;
    this.recordings = recordings;
  }

  async read(into: Uint8Array, offset: number): Promise<number> {
    const start = this.from + offset;
    const wanted = Math.min(into.length, this.to - start);
    let done = 0;
    while (done < wanted) {
      const found = this.layout.partAt(start + done, wanted - done);
      if (found instanceof Promise && done > 0) {
        // It is asked for again by the next read, which is told of its failure.
        found.catch(() => undefined);
        break;
      }
      const part = await found;
      if (part.kind === 'file') {
        const bytes = Math.min(part.lengthBytes, wanted - done);
        await this.readFile(part.segment, part.position, into.subarray(done, done + bytes));
        done += bytes;
      } else {
        const made = part.kind === 'bytes' ? part.bytes : await part.make(this.readFile);
        const bytes = made.subarray(0, wanted - done);
        into.set(bytes, done);
        done += bytes.length;
      }
    }
    return done;
  }

  close(): void {
    this.open?.file.close();
    this.open = undefined;
  }

  private readonly readFile: ReadFile = async (segment, position, into) => {
    await this.leaveCardToRecorder();
    if (this.open?.segment.path !== segment.path) {
      this.close();
      this.open = { segment, file: await this.files.open(segment) };
    }
    await this.open!.file.read(into, position);
  };

  /** Waits while the recorder is behind; rejects with `clip-too-busy` when it does not catch up. */
  private async leaveCardToRecorder(): Promise<void> {
    for (
      let waitedMs = 0;
      this.recordings.cardPressureMs() > cardPressureMsMax;
      waitedMs += cardPressureLookMs
    ) {
      if (waitedMs >= downloadStallMs)
        throw new CameraError('clip-too-busy', 'the recorder needs the card for itself');
      await delay(cardPressureLookMs);
    }
  }
}
