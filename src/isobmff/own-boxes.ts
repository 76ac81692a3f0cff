/**
 * The boxes of a segment that are our own: `uuid` boxes (ISO/IEC 14496-12 §4.2), which every player passes over. Their
 * extended types differ in the last four bytes alone, four ASCII characters, so that they can be told apart in a
 * hex dump. Pure, any thread.
 */
import { boxHeaderBytes } from './box-writer.ts';

/** Kinds of our boxes: head of the segment, check of a fragment, trailer, end. */
export type OwnBox = 'head' | 'chck' | 'tabl' | 'last';

/** A random UUID of version 8 (RFC 9562 §5.8), without its last four bytes. */
const family = [0x0e, 0x91, 0xc6, 0x3a, 0x5d, 0x27, 0x84, 0xb2, 0x9f, 0x10, 0x6b, 0xd5];

/** Bytes of size, type and extended type. */
export const ownBoxHeaderBytes = boxHeaderBytes + 16;

/** The extended type. */
export function ownType(kind: OwnBox): Uint8Array {
  return Uint8Array.from([...family, ...[...kind].map(character => character.charCodeAt(0))]);
}

/** `uuid` as a number. */
export const uuidType = 0x75756964;

/** Whether a box of ours begins at `offset`; its size is not judged. */
export function isOwnBox(view: DataView, offset: number, kind: OwnBox): boolean {
  if (offset < 0 || offset + ownBoxHeaderBytes > view.byteLength) return false;
  if (view.getUint32(offset + 4) !== uuidType) return false;
  for (let i = 0; i < 12; i++) if (view.getUint8(offset + 8 + i) !== family[i]) return false;
  for (let i = 0; i < 4; i++) if (view.getUint8(offset + 20 + i) !== kind.charCodeAt(i)) return false;
  return true;
}
