/**
 * A run of a child process that writes raw G.711 to its standard output: 8000 bytes a second, one channel.
 *
 * The bytes are cut into frames of 20 ms, filled straight into the ring. Programs write in blocks, so the frames' times
 * are smoothed (arrival-clock.ts). Capture thread only.
 */
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import type { AudioCodec } from '../base/tracks.ts';
import type { Logger } from '../telemetry/log.ts';
import { ArrivalClock } from './arrival-clock.ts';
import type { AudioTrackWriter } from './audio-track-writer.ts';
import { ChildLines } from './child-lines.ts';
import { ChildTree } from './child-tree.ts';
import { audioFrameBytes, audioFrameUs } from './limits.ts';
import type { RunEvents, SourceRun } from './source.ts';

export interface CommandAudioOptions {
  readonly name: string;
  readonly command: string;
  readonly codec: AudioCodec;
  readonly writer: AudioTrackWriter;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Cuts a stream of G.711 bytes into frames. */
export class G711Stream {
  private readonly writer: AudioTrackWriter;
  private readonly clock: Clock;
  private readonly times = new ArrivalClock(audioFrameUs);
  private readonly partial = new Uint8Array(audioFrameBytes);
  private partialBytes = 0;

  constructor(writer: AudioTrackWriter, clock: Clock) {
    this.writer = writer;
    this.clock = clock;
  }

  /** Takes what was read; the bytes are copied. Returns the frames that it completed. */
  push(bytes: Uint8Array): number {
    const nowUs = this.clock.monoUs();
    const frames = Math.floor((this.partialBytes + bytes.length) / audioFrameBytes);
    let at = 0;
    for (let frame = 0; frame < frames; frame++) {
      const fromBytes = audioFrameBytes - this.partialBytes;
      // The last frame of a block is the one that came just now, those in front of it waited for it.
      const captureUs = this.times.next(nowUs - (frames - 1 - frame) * audioFrameUs);
      if (this.times.jumped) this.writer.markGap();
      const claim = this.writer.claim();
      claim.bytes.set(this.partial.subarray(0, this.partialBytes));
      claim.bytes.set(bytes.subarray(at, at + fromBytes), this.partialBytes);
      this.writer.commit(claim, captureUs);
      this.partialBytes = 0;
      at += fromBytes;
    }
    this.partial.set(bytes.subarray(at), this.partialBytes);
    this.partialBytes += bytes.length - at;
    return frames;
  }
}

/** Starts the command; see RunEvents for what is told. */
export function startCommandAudio(options: CommandAudioOptions, events: RunEvents): SourceRun {
  const { name, command, codec, writer, clock, logger } = options;
  const lines = new ChildLines(name, clock, logger);
  writer.begin(codec);
  const stream = new G711Stream(writer, clock);
  let stopped = false;
  const tree = new ChildTree(command, {
    output(bytes) {
      if (!stopped && stream.push(bytes) > 0) events.frame();
    },
    errorOutput: bytes => lines.push(bytes),
    ended(reason) {
      lines.end();
      if (!stopped)
        events.ended(new CameraError('source-failed', `the command gives no more sound: ${reason}`));
    },
  });
  return {
    requestKeyframe() {
      // Sound has none.
    },
    async stop() {
      stopped = true;
      await tree.stop();
    },
  };
}
