/**
 * Which addresses the camera sends to when somebody else names them: a viewer's offer, a STUN or TURN server's
 * answer, the list of ICE servers.
 *
 * Whoever may name an address makes the camera send packets there, so all that neither a viewer nor a server can have
 * are left out: loopback, link-local, multicast, unspecified, broadcast, reserved, IPv4 in an IPv6 wrapper, and every
 * name (mDNS names of RFC 8828 included: the viewer's own checks tell the address behind one, without a look-up
 * here). Pure; any thread.
 */
import { BlockList, isIP, SocketAddress } from 'node:net';

/** Two lists: a BlockList takes an IPv4 address for the IPv6 one that wraps it, which is refused here. */
const neverIPv4 = new BlockList();
neverIPv4.addSubnet('0.0.0.0', 8, 'ipv4');
neverIPv4.addSubnet('169.254.0.0', 16, 'ipv4');
neverIPv4.addSubnet('224.0.0.0', 4, 'ipv4');
neverIPv4.addSubnet('240.0.0.0', 4, 'ipv4');

const neverIPv6 = new BlockList();
neverIPv6.addSubnet('::', 96, 'ipv6');
neverIPv6.addSubnet('::ffff:0:0', 96, 'ipv6');
neverIPv6.addSubnet('fe80::', 10, 'ipv6');
neverIPv6.addSubnet('ff00::', 8, 'ipv6');

/** Whether this is an IP address of a kind that another host can have; loopback only with `allowLoopback`. */
export function isUsableAddress(address: string, allowLoopback: boolean): boolean {
  if (address.includes('%')) return false;
  switch (isIP(address)) {
    case 4:
      return isLoopbackAddress(address) ? allowLoopback : !neverIPv4.check(address, 'ipv4');
    case 6:
      return isLoopbackAddress(address) ? allowLoopback : !neverIPv6.check(address, 'ipv6');
    default:
      return false;
  }
}

/** Whether this is an IP address of this machine's loopback interface. */
export function isLoopbackAddress(address: string): boolean {
  return isIP(address) === 4 ? address.startsWith('127.') : canonicalAddress(address) === '::1';
}

/**
 * Whether the camera is configured to serve viewers of its own machine alone, which is for tests and for a tunnel's
 * end. Then loopback addresses are as good as others. A machine that merely has no network at this moment is none.
 */
export function servesLoopbackOnly(liveAddresses: readonly string[]): boolean {
  return liveAddresses.length > 0 && liveAddresses.every(isLoopbackAddress);
}

/** The form in which a socket names the sender of a datagram; the argument must be an IP address. */
export function canonicalAddress(address: string): string {
  return isIP(address) === 6 ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}
