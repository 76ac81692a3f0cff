/**
 * The memory that each worker's JavaScript heap may take, so that a leak ends one worker and not the board.
 *
 * Frames do not count here: they lie in the ring and in buffers outside of the heap. Boards with 128 MB are the
 * smallest; the sum of what is *used* must fit there, the limits are the brakes behind it.
 *
 * The young generation is three semi-spaces, and V8 touches all of what it may have: small ones save 25 MB in the first
 * minute. The main thread's is set on the command line (cli.ts, deploy/).
 */
import type { ResourceLimits } from 'node:worker_threads';

/** By worker name. */
export const resourceLimits = {
  /** Cutting and parsing keep next to nothing; the rest is for the tables of an MP4 file. */
  capture: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 3 },
  /** Tables of one segment at a time, twice while they are written; at 240 frames a second for an hour some 20 MB. */
  recorder: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 3 },
  /** werift takes some 20 MB, and up to 57 KB for each session that was ever open (measured); 16 viewers fit well. */
  live: { maxOldGenerationSizeMb: 160, maxYoungGenerationSizeMb: 6 },
} as const satisfies Record<string, ResourceLimits>;
