/**
 * The bounds of the HTTP front end, each with its reason. Pure data.
 *
 * What uWebSockets.js bounds itself is not repeated here: request head 16 KiB or so, at most about a hundred header
 * fields, about 11 s for a request head or a silent connection, 16 KiB/s for a request body.
 */

/** Longest session description that is handed on, in bytes; browsers write 4 to 12 KiB. */
export const sdpBytesMax = 64 * 1024;

/** Body of POST /media/live/session in bytes: the longest SDP, with room for the escapes of its line ends in JSON. */
export const offerBodyBytesMax = 2 * sdpBytesMax;

/** Body in bytes that is read and dropped where a route takes none; some clients send `{}` with a DELETE. */
export const ignoredBodyBytesMax = 4 * 1024;

/** Milliseconds until a request is answered with `request-timeout`; a worker's own limit is shorter. */
export const requestDeadlineMs = 10_000;

/** Bytes of one file of the web page. They stay in memory, and a slow reader costs one copy of one file. */
export const assetBytesMax = 256 * 1024;

/** Milliseconds until a file system that does not answer is shown as no card; a dead network share can hang for ever. */
export const fileSystemTimeoutMs = 2000;
