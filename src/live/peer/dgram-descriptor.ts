/**
 * The file descriptor of a node:dgram socket, which Node keeps to itself: the native data plane sends on it.
 *
 * The only file that knows this internal of Node (18 to 24: `handle` of the object behind the symbol "state symbol";
 * `socket._handle` is the same and warns). A test guards it. The descriptor is borrowed: Node closes it, and its number
 * may then be another file's, so it is read anew for each use, on the socket's thread. Where Node has changed, there is
 * none, and datagrams go through the socket. Live thread.
 */
import type { Socket } from 'node:dgram';

/** What holds the descriptor of a bound socket: a negative number once the socket is closed. */
export interface DescriptorHolder {
  readonly fd: number;
}

/** The holder of a bound socket's descriptor, for as long as the socket lives; undefined where this Node has none. */
export function descriptorHolder(socket: Socket): DescriptorHolder | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'state symbol',
  );
  if (!symbol) return undefined;
  const { handle } = (socket as unknown as Record<symbol, { handle?: Partial<DescriptorHolder> | null }>)[
    symbol
  ]!;
  return typeof handle?.fd === 'number' ? (handle as DescriptorHolder) : undefined;
}
