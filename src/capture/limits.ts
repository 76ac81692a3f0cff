/**
 * Every bound of the capture stage in one place, each with its reason.
 *
 * Any thread may read them; they are numbers alone.
 */

/** A G.711 frame: 20 ms of 8000 one-byte samples a second, the packet time that every WebRTC peer accepts (RFC 7874). */
export const audioFrameBytes = 160;
/** Microseconds of such a frame. */
export const audioFrameUs = 20_000;

/** First delay before a failed source is started again, in milliseconds; doubles with every further failure. */
export const retryFirstMs = 250;
/** Longest such delay: a camera that is plugged in again is back within this time. */
export const retryMaxMs = 10_000;
/** A source that gave frames for so long was well; its next failure counts as the first. In microseconds. */
export const goodRunUs = 10_000_000;
/** A child process or device that gave no picture for so long is started anew. In milliseconds. */
export const stallMs = 10_000;

/** How long a child's process group has between SIGTERM and SIGKILL, in milliseconds; the orderly stop allows 1.3 s. */
export const childGraceMs = 1000;
/** Longest line of a child's standard error that is logged, in characters; the rest of the line is left out. */
export const childLineCharactersMax = 500;
/** Lines a second of a child that are logged; ffmpeg prints a few hundred when something goes wrong. */
export const childLinesPerSecondMax = 20;

/** Bytes that are searched for the first parameter sets before they are given up as garbage. */
export const detectionBytesMax = 1024 * 1024;
/** Bytes read from an Annex-B file at a time: some pictures, and short enough to be no delay. */
export const fileReadBytes = 64 * 1024;

/** Later than this, in microseconds, paced frames are skipped instead of sent in a burst: nobody wants the past live. */
export const catchUpUsMax = 1_000_000;
/** Frames that are sent in one turn of the event loop while catching up, so that other sources have their turn. */
export const framesPerTurnMax = 64;

/** Bytes of an MP4 file that are read to find its samples: tables of some hours, or all heads of a fragmented file. */
export const mp4IndexReadBytesMax = 256 * 1024 * 1024;
/** Calls for bytes while reading these tables; each moves on by at least one box or one piece. */
export const mp4IndexReadsMax = 200_000;

/** Frames a second of a raw stream that tells none, where the configuration tells none either. */
export const framesPerSecondDefault = 30;
