/** The bounds of firmware upgrades beyond those of the image itself (image-format.ts), each with its reason. Pure data. */

/** Files and folders of a payload; the camera's bundle has some hundreds. */
export const payloadEntriesMax = 20_000;

/** Bytes of a payload when it is unpacked; ten times what a camera has, and less than the smallest card. */
export const unpackedBytesMax = 1024 * 1024 * 1024;

/** Bytes of the path of a file in a payload, as ustar can hold. */
export const entryPathBytesMax = 255;

/** Bytes that stay free on the disk of the slots, so that the user database and the log go on. */
export const reserveBytes = 16 * 1024 * 1024;

/** Bytes of one read when a file is checked; hashing one holds the event loop for some 3 ms on a slow board. */
export const readBytes = 256 * 1024;

/** Milliseconds from the answer to an upload until the camera restarts: the answer has to get away. */
export const restartDelayMs = 1000;

/** Milliseconds for which a version on trial has to do all that it should without a break. */
export const proofHoldMs = 5000;

/** Milliseconds between two looks at a version on trial. */
export const proofLookMs = 500;

/** Pages that watch an upgrade at once. */
export const watchersMax = 8;

/** Bytes of what a board's own tool may say. */
export const toolOutputBytesMax = 64 * 1024;
