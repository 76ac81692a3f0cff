/**
 * Bounds of what an SDP offer may ask of us, each with its reason. The HTTP side limits the body before; these hold for
 * whoever else hands an offer in.
 */

/** Bytes of a whole offer. Chromium's largest, with many codecs and candidates, is about 12 KB. */
export const offerBytesMax = 64 * 1024;

/** Lines of an offer; Chromium's have about 210 for one picture and one sound. */
export const offerLinesMax = 1500;

/** Characters of one line; candidates and fmtp lines stay below 300. */
export const lineCharactersMax = 2048;

/** Media sections: video, audio, a data channel and one more. Each costs a walk over its payload types. */
export const mediaSectionsMax = 4;

/** Candidates of all sections together: each may cost connectivity checks to an address of the offerer's choice. */
export const candidatesMax = 50;

/** Payload types of a section: there are 128 numbers. */
export const payloadTypesMax = 128;

/** Header extensions of a section; Chromium offers 11. */
export const extensionsMax = 64;

/** Fingerprints of a section or the session; one is usual. */
export const fingerprintsMax = 8;

/** Characters of a mid; it is one digit with browsers. */
export const midCharactersMax = 32;

/** Characters that `details` of an error repeat from an offer. */
export const quotedCharactersMax = 80;
