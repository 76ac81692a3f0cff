/** The boxes of an MP4 file (ISO/IEC 14496-12 §4.2), read apart from the code under test. */

/** The types of the top-level boxes; throws when they do not fill the file exactly. */
export function topLevelBoxes(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const types: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 16 > bytes.length) throw new Error(`${bytes.length - at} bytes are left behind the last box`);
    const short = view.getUint32(at);
    const size = short === 1 ? Number(view.getBigUint64(at + 8)) : short;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (size < 8 || at + size > bytes.length)
      throw new Error(`box ${type} at ${at} says ${size} bytes of ${bytes.length - at}`);
    types.push(type);
    at += size;
  }
  return types;
}
