// Writes a tape archive (POSIX.1-1988 ustar) whose bytes follow from its files alone: sorted names, no owner, two modes, one
// time for all. Only folders and regular files, no extensions, so that any unpacker reads it and none can be led astray.
import { crc32, deflateRawSync } from 'node:zlib';

const blockBytes = 512;
/** Tar pads to whole records of twenty blocks. */
const recordBytes = 20 * blockBytes;
/** Of the fields `name` and `prefix`. */
const nameBytesMax = 100;
const prefixBytesMax = 155;

/** A name as its two fields, cut at a slash; throws where it does not fit. */
function nameFields(name) {
  if (Buffer.byteLength(name) <= nameBytesMax) return { name, prefix: '' };
  for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
    const [prefix, rest] = [name.slice(0, slash), name.slice(slash + 1)];
    if (rest && Buffer.byteLength(rest) <= nameBytesMax && Buffer.byteLength(prefix) <= prefixBytesMax)
      return { name: rest, prefix };
  }
  throw new Error(`the name is too long for a tape archive: ${name}`);
}

const octal = (value, length) => value.toString(8).padStart(length - 1, '0');

function header({ name: wholeName, mode, size, type, mtimeSeconds }) {
  const block = Buffer.alloc(blockBytes);
  const { name, prefix } = nameFields(wholeName);
  block.write(name, 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(mtimeSeconds, 12), 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write('ustar\0' + '00', 257);
  block.write(octal(0, 8), 329);
  block.write(octal(0, 8), 337);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 7)}\0 `, 148);
  return block;
}

/**
 * The archive of `files`, a Map of relative names with slashes to { content, isExecutable }; folders are added.
 * @param mtimeSeconds of every entry.
 */
export function tarOf(files, mtimeSeconds) {
  const folders = new Set();
  for (const name of files.keys()) {
    if (name.startsWith('/') || name.split('/').some(part => ['', '.', '..'].includes(part)))
      throw new Error(`not a name for an archive: ${name}`);
    for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1))
      folders.add(name.slice(0, slash + 1));
  }
  const blocks = [];
  // By code units, not by the language of whoever builds it.
  for (const name of [...folders, ...files.keys()].sort((a, b) => (a < b ? -1 : 1))) {
    const file = files.get(name);
    if (!file) {
      blocks.push(header({ name, mode: 0o755, size: 0, type: '5', mtimeSeconds }));
      continue;
    }
    const { content, isExecutable } = file;
    const mode = isExecutable ? 0o755 : 0o644;
    blocks.push(header({ name, mode, size: content.length, type: '0', mtimeSeconds }));
    blocks.push(content, Buffer.alloc(-content.length & (blockBytes - 1)));
  }
  blocks.push(Buffer.alloc(2 * blockBytes));
  const length = blocks.reduce((total, block) => total + block.length, 0);
  blocks.push(Buffer.alloc((recordBytes - (length % recordBytes)) % recordBytes));
  return Buffer.concat(blocks);
}

/** RFC 1952 with a header that names no time, no file and no system. */
export function gzipOf(content) {
  const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(crc32(content), 0);
  tail.writeUInt32LE(content.length % 2 ** 32, 4);
  return Buffer.concat([head, deflateRawSync(content, { level: 9 }), tail]);
}
