/**
 * A run of a child process that writes an Annex-B stream to its standard output.
 *
 * Joins the process (child-tree.ts), its log (child-lines.ts) and its stream (annexb-stream.ts). Starting it again is
 * the business of supervised-source.ts. Capture thread only.
 */
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import type { VideoCodec } from '../base/tracks.ts';
import type { Logger } from '../telemetry/log.ts';
import { AnnexBStream } from './annexb-stream.ts';
import { ChildLines } from './child-lines.ts';
import { ChildTree } from './child-tree.ts';
import type { RunEvents, SourceRun } from './source.ts';
import type { VideoTrackWriter } from './video-track-writer.ts';

export interface CommandVideoOptions {
  readonly name: string;
  readonly command: string;
  readonly codec: VideoCodec | undefined;
  readonly configuredPerSecond: number;
  readonly writer: VideoTrackWriter;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Starts the command; see RunEvents for what is told. */
export function startCommandVideo(options: CommandVideoOptions, events: RunEvents): SourceRun {
  const { name, command, codec, configuredPerSecond, writer, clock, logger } = options;
  const lines = new ChildLines(name, clock, logger);
  const stream = new AnnexBStream({
    writer,
    clock,
    codec,
    configuredPerSecond,
    onPicture: () => events.frame(),
  });
  let stopped = false;
  const tree = new ChildTree(command, {
    output(bytes, drained) {
      if (!stopped) stream.push(bytes, drained);
    },
    errorOutput: bytes => lines.push(bytes),
    ended(reason) {
      lines.end();
      if (stopped) return;
      stream.end();
      stream.close();
      events.ended(new CameraError('source-failed', `the command gives no more pictures: ${reason}`));
    },
  });
  return {
    requestKeyframe() {
      // A program on a pipe cannot be asked; see Source.requestKeyframe.
    },
    async stop() {
      stopped = true;
      stream.close();
      await tree.stop();
    },
  };
}
