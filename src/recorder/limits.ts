/** Bounds of the recorder, each with its reason. */

/** Bytes after which a segment ends: far below the 4 GiB of FAT and of 32-bit offsets. */
export const segmentBytesMax = 1.5 * 1024 ** 3;

/** Bytes after which it ends even where no random access point comes: offsets stay below 2 GiB, with a fragment to come. */
export const segmentBytesLimit = 1.9 * 1024 ** 3;

/** The least time that a picture lasts: one tick of 1/90000 s, rounded up. */
export const tickUs = 12;

/** Sound that is kept while there is no file to write it to: more than a picture is ever behind the sound. */
export const soundKeptUs = 10_000_000;

/** So late may sound come that a segment's end waits for it: pipes are some 130 ms late, and the picture waits too. */
export const soundLateUs = 250_000;

/** How often in a row a file is opened again after the card failed; then another is begun, as this one's place may be bad. */
export const resumesMax = 3;

/** Least time between two wishes for a key frame: an encoder that heeds each must not make key frames only. */
export const keyframeRequestUs = 1_000_000;

/** A wall clock this far off its mapping to the capture clock has stepped; slewing stays below it within a segment. */
export const clockStepMsMin = 250;

/** For how long a step of the wall clock is no more than the source being silent. */
export function quietUs(maxLossUs: number): number {
  return maxLossUs;
}

/** A card that has not answered for so long is stalled: usual ones stall for up to two seconds. */
export const stalledMs = 15_000;

/** Pauses between attempts after the card failed. */
export const retryMsMin = 1000;
export const retryMsMax = 10_000;

/** Longest wait for the ring: how late a stop or the silence of a source is noticed. */
export const ringWaitMs = 100;

/** Least time between two flushes by request. */
export const flushPauseMs = 250;

/** Room that must be left on the card before a file is begun. */
export const freeBytesMin = 16 * 1024 * 1024;

/** How often it is looked whether the file that is written is still in its place. */
export const placeCheckUs = 1_000_000;
