/**
 * Tries STUN and TURN servers for their owner: each is asked once, from a socket of its own that is closed after it, in the
 * way of a viewer's session (ice-servers.ts), and says what came of it in words. Nothing is remembered of it, so a server
 * that a session gave up a moment ago is asked all the same. Live thread.
 */
import { isUsableAddress } from '../../config/addresses.ts';
import { iceServerRules } from '../../config/ice-server-rules.ts';
import type { IceServer, IceServerReport } from '../../ipc/messages.ts';
import { UdpBase } from './ice-base.ts';
import { relayOpenMsMax } from './peer-limits.ts';
import { RelayBase } from './relay-base.ts';
import { ServerMemory } from './server-memory.ts';
import { StunQueries } from './stun-queries.ts';

export interface ServerTestOptions {
  /** Addresses that sockets may be bound to. */
  readonly localAddresses: readonly string[];
  /** Ask servers of this very machine. */
  readonly allowLoopback: boolean;
}

/** Tries all at once; resolves within some four seconds to a report each, in their order. Never rejects. */
export function testServers(
  servers: readonly IceServer[],
  options: ServerTestOptions,
): Promise<IceServerReport[]> {
  const memory = new ServerMemory();
  return Promise.all(
    servers.map(async server => {
      const startedMs = performance.now();
      try {
        const rules = { ...iceServerRules([]), allowLoopback: options.allowLoopback };
        const addresses = await memory.addressesOf(server.host, rules);
        if (addresses.length === 0)
          throw new Error('its name is unknown here, or its address is not allowed');
        const ask = server.kind === 'turn' ? askTurn : askStun;
        const { address, port } = await ask(server, addresses, options);
        const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
        return { reason: null, address: place, roundTripMs: performance.now() - startedMs };
      } catch (error) {
        return { reason: (error as Error).message, address: null, roundTripMs: null };
      }
    }),
  );
}

interface Place {
  readonly address: string;
  readonly port: number;
}

async function askStun(
  { port }: IceServer,
  addresses: readonly string[],
  { localAddresses, allowLoopback }: ServerTestOptions,
): Promise<Place> {
  for (const local of localAddresses) {
    const remote = addresses.find(each => each.includes(':') === local.includes(':'));
    if (!remote || !isUsableAddress(local, allowLoopback)) continue;
    const queries = new StunQueries();
    const base = await UdpBase.open(local, 0, (_base, bytes, from, fromPort) => {
      queries.take(bytes, from, fromPort);
    });
    try {
      const mapped = await queries.ask(base, remote, port);
      if (mapped) return mapped;
    } finally {
      queries.close();
      await base.close();
    }
  }
  throw new Error('the STUN server did not answer');
}

async function askTurn(
  { host, port, username, password, transport = 'udp' }: IceServer,
  addresses: readonly string[],
  { allowLoopback }: ServerTestOptions,
): Promise<Place> {
  const address = addresses.find(each => !each.includes(':')) ?? addresses[0]!;
  const relay = await RelayBase.open({
    ...{ transport, host, address, port, username, password, allowLoopback },
    receive: () => {},
    signal: AbortSignal.timeout(relayOpenMsMax),
  });
  const { candidate } = relay;
  await relay.close();
  return candidate;
}
