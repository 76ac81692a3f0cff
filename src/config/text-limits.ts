/** What texts of the configuration may be, for both files of its schema. Pure data. */

/** A path, or '' for none. A NUL byte cannot be part of a path or of an argument of a process, so no text may hold one. */
export const pathOrNothing = '^[^\\u0000]*$';

/** Longest path or command line, characters. */
export const textMax = 4096;
