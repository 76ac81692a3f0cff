/**
 * The bounds of the HTTP front end, each with its reason; those of bodies lie in the API's document. Pure data.
 *
 * What uWebSockets.js bounds itself is not repeated here: request head 16 KiB or so, at most about a hundred header
 * fields, about 11 s for a request head or a silent connection, 16 KiB/s for a request body.
 */

/** Longest session description that is handed on, in bytes; browsers write 4 to 12 KiB. */
export const sdpBytesMax = 64 * 1024;

/** Body in bytes that is read and dropped where a route takes none; some clients send `{}` with a DELETE. */
export const ignoredBodyBytesMax = 4 * 1024;

/** Bytes of one packed file of the web page. They stay in memory, and a slow reader costs one copy of one file. */
export const assetBytesMax = 100 * 1024;

/** Milliseconds until a file system that does not answer is shown as no card; a dead network share can hang for ever. */
export const fileSystemTimeoutMs = 2000;

/** Keys of one rate limiter in a generation; 4096 addresses are more than a local network has, and take under 1 MB. */
export const rateKeysMax = 4096;

/** Seconds after which the machine's own addresses and name are asked for anew; a new DHCP lease counts that soon. */
export const ownAddressesSeconds = 2;

/** Values of Host that are remembered as allowed; a camera is called by a few. */
export const hostsRememberedMax = 64;

/** Seconds that a browser remembers to come by TLS alone (RFC 6797 §6.1.1): half a year. */
export const strictTransportSeconds = 180 * 86_400;

/** Milliseconds between two looks at the kernel's table of connections, at least. */
export const kernelTableIntervalMs = 100;

/** So many times as long as a look at that table took passes before the next; most of a look is waiting for the kernel. */
export const kernelTableCostFactor = 4;

/** Bytes of each table that are read; a row has 150, and rows of ended connections are among them. */
export const kernelTableBytesMax = 16 * 1024 * 1024;

/** Bytes of a PEM file; a chain of ten certificates has some 20 KB. */
export const pemBytesMax = 256 * 1024;

/** Days that the camera's own certificate is valid; Apple refuses more than 825. */
export const certificateDays = 820;

/** Names and addresses in the camera's own certificate; bounds its size on a machine with very many interfaces. */
export const certificateNamesMax = 50;

/** A clock that shows an earlier time was never set: 2025-01-01T00:00:00Z, before this software was written. */
export const plausibleUnixMs = Date.UTC(2025, 0, 1);

/** Milliseconds between two looks at the files of the certificate; a renewal has weeks. */
export const certificateLookMs = 60_000;

/**
 * Files of the documentation page that are handed out at once, and a second over time; the largest has half a megabyte,
 * which waits in memory for a slow reader until the library's time-out of some 10 s. Two people may open the page at once.
 */
export const docsFilesAtOnce = 12;
export const docsFilesPerSecond = 1;

/**
 * Downloads at once; a further one is told to come again. A download that nobody reads costs next to nothing (see the
 * buffers), so the bound is half of the connections; one address is bound by its connections.
 */
export const downloadsMax = 128;

/**
 * Bytes of one read for a download. Each read is a hop to another thread and back; measured with four downloads, in
 * seconds of CPU a GB: 0.76 with 256 KiB, 0.70 with 512 KiB, 0.59 with 1 MiB.
 */
export const pieceBytesMax = 1024 * 1024;

/** The first piece of a download, so that its first byte does not wait for the last of many; and what a slow client gets. */
export const pieceBytesMin = 64 * 1024;

/** Pieces over TLS: what cannot be sent is encrypted once but read again, so a smaller one costs a slow client less. */
export const pieceBytesTls = 128 * 1024;

/** Buffers of all downloads together, 4 MB; one is kept until the socket took what is in it, or another download wants it. */
export const pieceBuffersMax = 4;

/** Milliseconds in which a client must have taken some bytes (see below) of a download, or it is cut. */
export const downloadStallMs = 30_000;

/** So many bytes count as taken: less may be nothing but buffers of the kernel that settle. */
export const downloadStallBytes = 16 * 1024;

/**
 * How often a stalled download is tried again; the library closes its connection 8 to 12 s after the last try, and the
 * kernel says that there is room only when a third of its buffer is free, which is minutes for a slow client.
 */
export const downloadProbeMs = 3000;

/** Bytes that a stalled download keeps in memory for those tries, so that they do not read the card. */
export const probeBytes = 4 * 1024;

/** Milliseconds that the recorder may be behind before the reading for downloads waits for it. */
export const cardPressureMsMax = 300;

/** Milliseconds between two looks whether it has caught up. */
export const cardPressureLookMs = 20;

/** Bytes of the samples of segments that stay in memory for clips; some six hours at 30 frames a second. */
export const samplesBytesMax = 8 * 1024 * 1024;

/** Spans of recordings in one answer unless the client asks for another number, which is bound by the API's document. */
export const spansPerPage = 1000;

/** Fragments that are looked at in one go, a few milliseconds; then others have their turn. */
export const fragmentsPerTurn = 1000;

/** A clip that ends so many milliseconds ago or later may end in what is not yet written; longer than any fragment. */
export const unwrittenMs = 15_000;

/**
 * Milliseconds after the end of a clip until its last pictures have come all the way from the sensor, so that what is
 * asked for twice is the same twice. Not waited for when the client says `now`, which means another moment every time.
 */
export const settleMs = 500;

/** Milliseconds that a clip waits for the recorder to write what is pending. */
export const flushTimeoutMs = 2000;

/** Bytes of a body that wait for a handler that reads it itself, before the socket is not read any more. */
export const bodyWaitingBytesMax = 512 * 1024;

/** Milliseconds until a body that a handler reads itself must be whole: an image over a slow uplink. */
export const bodyStreamTimeoutMs = 15 * 60_000;

/** Milliseconds from then to the answer: a board's own tool may write the image to a slow card. */
export const bodyStreamAnswerMs = 20 * 60_000;

/** Bytes in front of the file in a form: its boundary and the header of its part; browsers write some 200. */
export const formHeadBytesMax = 16 * 1024;

/** Bytes of a form around its file, both ends. */
export const formBytesMax = 64 * 1024;

/** Milliseconds between two signs of life of an event stream; the library closes what is silent for 10 s. */
export const eventBeatMs = 5000;
