/**
 * The kernel's table of TCP connections (Linux, proc(5): /proc/net/tcp and tcp6): how many connections each remote address
 * has to our ports.
 *
 * Only rows with an inode are counted: the others (TIME-WAIT, not yet accepted) have no descriptor. The table is read
 * piece by piece, because somebody who opens and closes many connections makes it long; while it grows, the kernel gives
 * rows of it twice, so each inode counts once. Main thread; asynchronous.
 */
import { open } from 'node:fs/promises';
import { endianness } from 'node:os';
import { kernelTableBytesMax } from './limits.ts';
import { addressText } from './remote-address.ts';

const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
const pieceBytes = 64 * 1024;
const isLittleEndian = endianness() === 'LE';

/** Resolves to the counts by address text; to undefined where the kernel has no such table. Never rejects. */
export async function kernelConnections(
  ports: ReadonlySet<number>,
): Promise<ReadonlyMap<string, number> | undefined> {
  const inodes = new Set<string>();
  const counts = new Map<string, number>();
  let found = false;
  for (const table of tables)
    try {
      for await (const lines of piecesOf(table))
        for (const line of lines) {
          const row = parseRow(line, ports);
          if (!row || inodes.has(row.inode)) continue;
          inodes.add(row.inode);
          counts.set(row.address, (counts.get(row.address) ?? 0) + 1);
        }
      found = true;
    } catch {
      // A kernel without IPv6 has no second table, another system none at all.
    }
  return found ? counts : undefined;
}

/**
 * A row that is a connection to one of the ports, with a descriptor: `sl local:port remote:port state … inode`, addresses
 * as words in the machine's order.
 */
export function parseRow(
  line: string,
  ports: ReadonlySet<number>,
): { readonly inode: string; readonly address: string } | undefined {
  const [, local = '', remote = '', , , , , , , inode] = line.trim().split(/ +/);
  if (inode === undefined || inode === '0') return undefined;
  if (!ports.has(Number.parseInt(local.slice(local.indexOf(':') + 1), 16))) return undefined;
  const words = Buffer.from(remote.slice(0, remote.indexOf(':')), 'hex');
  // A socket that listens has port 0 at its other end.
  if (words.length % 4 !== 0 || remote.endsWith(':0000')) return undefined;
  return { inode, address: addressText(isLittleEndian ? words.swap32() : words) };
}

/** Whole lines, a piece of the file at a time. */
async function* piecesOf(file: string): AsyncGenerator<readonly string[]> {
  const handle = await open(file, 'r');
  try {
    const piece = Buffer.alloc(pieceBytes);
    let rest = '';
    for (let total = 0; total < kernelTableBytesMax; ) {
      const { bytesRead } = await handle.read(piece, 0, pieceBytes, null);
      if (bytesRead === 0) return;
      total += bytesRead;
      const lines = (rest + piece.toString('latin1', 0, bytesRead)).split('\n');
      rest = lines.pop()!;
      yield lines;
    }
  } finally {
    await handle.close();
  }
}
