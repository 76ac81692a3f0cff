/**
 * Which STUN and TURN servers may be configured on this machine at this moment: what ice-servers.ts needs to know of
 * the world, since it is pure itself. The same rules hold again when a name was resolved (live/peer/). Any thread.
 */
import { networkInterfaces } from 'node:os';
import { canonicalAddress, isUsableAddress, servesLoopbackOnly } from './addresses.ts';

export interface IceServerRules {
  /** Take addresses of this very machine: see {@link servesLoopbackOnly}. */
  readonly allowLoopback: boolean;
  /** IP addresses of this machine's interfaces in canonical form. */
  readonly ownAddresses: readonly string[];
}

/** The rules for a camera with this `live.addresses`. Asks the system for its interfaces. */
export function iceServerRules(liveAddresses: readonly string[]): IceServerRules {
  const interfaces = Object.values(networkInterfaces()).flatMap(entries => entries ?? []);
  return {
    allowLoopback: servesLoopbackOnly(liveAddresses),
    ownAddresses: interfaces.map(({ address }) => canonicalAddress(address)),
  };
}

/**
 * Whether an IP address may be asked as a server. An own address would let whoever names servers send packets to
 * services that listen on this machine.
 */
export function isServerAddress(address: string, { allowLoopback, ownAddresses }: IceServerRules): boolean {
  if (!isUsableAddress(address, allowLoopback)) return false;
  return allowLoopback || !ownAddresses.includes(canonicalAddress(address));
}
