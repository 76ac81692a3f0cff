// Reads the boxes of an MP4 file into a tree (ISO/IEC 14496-12 §4.2), written from the standard and without the code
// under test; throws where sizes do not fit.

export interface Box {
  readonly type: string;
  /** In the file. */
  readonly offset: number;
  readonly bytes: Buffer;
  /** Behind size and type. */
  readonly body: Buffer;
  readonly children: readonly Box[];
}

const containers = new Set(['moov', 'trak', 'mdia', 'minf', 'dinf', 'stbl', 'edts', 'mvex', 'moof', 'traf']);

/** The boxes that fill `bytes` to its last byte. */
export function boxesOf(bytes: Uint8Array, fileOffset = 0): Box[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const boxes: Box[] = [];
  for (let at = 0; at < buffer.length; ) {
    if (at + 8 > buffer.length) throw new Error(`a box is cut off at ${fileOffset + at}`);
    const size = buffer.readUInt32BE(at);
    const type = buffer.toString('latin1', at + 4, at + 8);
    if (size < 8 || at + size > buffer.length)
      throw new Error(`${type} at ${fileOffset + at} has ${size} bytes`);
    const body = buffer.subarray(at + 8, at + size);
    const children = containers.has(type) ? boxesOf(body, fileOffset + at + 8) : [];
    boxes.push({ type, offset: fileOffset + at, bytes: buffer.subarray(at, at + size), body, children });
    at += size;
  }
  return boxes;
}

/** The box at a path of types, such as `moov.trak[1].mdia`. */
export function boxAt(boxes: readonly Box[], path: string): Box {
  let found: Box | undefined;
  let level = boxes;
  for (const step of path.split('.')) {
    const [, type, index] = /^(.{4})(?:\[(\d+)\])?$/.exec(step)!;
    found = level.filter(box => box.type === type)[Number(index ?? 0)];
    if (!found) throw new Error(`there is no ${step} of ${path}`);
    level = found.children;
  }
  return found!;
}

/** Types as a text: `moov(mvhd trak(tkhd))`. */
export function shapeOf(boxes: readonly Box[]): string {
  return boxes
    .map(({ type, children }) => (children.length ? `${type}(${shapeOf(children)})` : type))
    .join(' ');
}
