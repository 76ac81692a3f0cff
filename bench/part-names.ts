/**
 * The parts of a run, in its order: quick ones of one thread first, then cameras as a child process. Apart from parts.ts,
 * so that the command line can be read without loading what is measured.
 */

/** Names for `--only`. viewers, latency and memory come from the same cameras; so do recorder and clips. */
export const partNames = [
  'ring',
  'annexb',
  'payloaders',
  'srtp',
  'send',
  'index',
  'startup',
  'firstframe',
  'viewers',
  'latency',
  'memory',
  'recorder',
  'clips',
] as const;

export type PartName = (typeof partNames)[number];
