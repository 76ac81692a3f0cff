/**
 * The layout of a firmware image; constants alone. Numbers are big-endian.
 *
 * ```
 *  0                   1                   2                   3
 * +-------------------------------+---------------+---------------+
 * | magic "OCAMFW1\n"                               (8 bytes)     |
 * +---------------------------------------------------------------+
 * | length of the manifest, bytes                   (4 bytes)     |
 * +---------------------------------------------------------------+
 * | key id: first 8 bytes of SHA-256 of the raw public key        |
 * +---------------------------------------------------------------+
 * | Ed25519 signature (RFC 8032)                    (64 bytes)    |
 * +---------------------------------------------------------------+
 * | manifest, JSON in its one canonical form (manifest.ts)        |
 * +---------------------------------------------------------------+
 * | payload, as long as the manifest says, and nothing behind it  |
 * +---------------------------------------------------------------+
 * ```
 *
 * Signed is a prefix that no other use has, then magic, length, key id and manifest: all in front of the payload but the
 * signature. The payload is bound by its length and its SHA-256 in the manifest. So all that decides is checked before a
 * byte of the payload is looked at.
 */

/** Eight bytes; the last but one is the version of the layout. */
export const imageMagic = new TextEncoder().encode('OCAMFW1\n');
export const keyIdBytes = 8;
export const signatureBytes = 64;
/** Magic, length and key id. */
export const preambleBytes = imageMagic.length + 4 + keyIdBytes;
/** All in front of the manifest. */
export const imageHeadBytes = preambleBytes + signatureBytes;

/** In front of what is signed, so that a signature made for something else is worth nothing here. */
export const signaturePrefix = new TextEncoder().encode('opencamerad firmware image v1\0');

/** Bytes of a manifest: a few hundred, with room for the names of a hundred boards. */
export const manifestBytesMax = 16 * 1024;

/** Bytes of a payload: a camera's bundle has some 20 MB, a whole system image some hundred. */
export const payloadBytesMax = 1024 * 1024 * 1024;
