/**
 * A run of a source that is played at its rate by the pacer: what all of them have in common.
 *
 * Catches what reading throws and ends the run with it, so that the pacer goes on for the others. Capture thread only.
 */
import { CameraError } from '../base/errors.ts';
import type { PacedTask, Pacer } from './pacer.ts';
import type { RunEvents, SourceRun } from './source.ts';

/** A source that the pacer plays. Methods may throw; `close` lets go of its file. */
export interface PacedPlayer extends PacedTask {
  close(): void;
}

/** Lets `pacer` play `player` until it fails or is stopped. */
export function startPaced(player: PacedPlayer, pacer: Pacer, events: RunEvents): SourceRun {
  const close = () => {
    pacer.remove(task);
    player.close();
  };
  const attempt = (operation: () => void): void => {
    try {
      operation();
    } catch (error) {
      close();
      events.ended(
        error instanceof CameraError
          ? error
          : new CameraError('source-failed', String(error), {}, { cause: error }),
      );
    }
  };
  const task: PacedTask = {
    get nextOffsetUs() {
      return player.nextOffsetUs;
    },
    emit(captureMonoUs) {
      attempt(() => {
        player.emit(captureMonoUs);
        events.frame();
      });
    },
    skipTo(offsetUs) {
      attempt(() => player.skipTo(offsetUs));
    },
  };
  pacer.add(task);
  return {
    requestKeyframe() {
      // A recording has its random access points where they are.
    },
    async stop() {
      close();
    },
  };
}
