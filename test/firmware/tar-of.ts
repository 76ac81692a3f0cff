/** Archives for tests, byte for byte: good ones, and with changes any other. */

export interface TarHeader {
  readonly name: string;
  readonly mode?: string;
  readonly size?: string;
  readonly type?: string;
  readonly link?: string;
  readonly magic?: string;
  readonly prefix?: string;
  readonly checksum?: string;
}

/** One block of 512 bytes (POSIX.1-1988). */
export function tarHeader(header: TarHeader): Buffer {
  const block = Buffer.alloc(512);
  block.write(header.name, 0, 100, 'latin1');
  block.write(header.mode ?? '0000644\0', 100, 8, 'latin1');
  block.write('0000000\0', 108, 8, 'latin1');
  block.write('0000000\0', 116, 8, 'latin1');
  block.write(header.size ?? '00000000000\0', 124, 12, 'latin1');
  block.write('00000000000\0', 136, 12, 'latin1');
  block.fill(' ', 148, 156);
  block.write(header.type ?? '0', 156, 1, 'latin1');
  block.write(header.link ?? '', 157, 100, 'latin1');
  block.write(header.magic ?? 'ustar\x0000', 257, 8, 'latin1');
  block.write(header.prefix ?? '', 345, 155, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(header.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return block;
}

/** A file with its content, filled up to whole blocks. */
export function tarFile(name: string, content: string | Uint8Array, header: Partial<TarHeader> = {}): Buffer {
  const bytes = Buffer.from(content as string);
  const size = `${bytes.length.toString(8).padStart(11, '0')}\0`;
  const padding = Buffer.alloc((512 - (bytes.length % 512)) % 512);
  return Buffer.concat([tarHeader({ name, size, ...header }), bytes, padding]);
}

/** The end of an archive. */
export const tarEnd = Buffer.alloc(1024);

/** A whole archive of files. */
export function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  return Buffer.concat([...Object.entries(files).map(([name, content]) => tarFile(name, content)), tarEnd]);
}
