/**
 * Which addresses may be sent connectivity checks when an offer, or a STUN or TURN server's answer, names them.
 *
 * An offer makes the camera send packets to addresses of the offerer's choice, so all that no viewer can have are left
 * out: loopback, link-local, multicast, unspecified, broadcast, reserved, IPv4 in an IPv6 wrapper, and every name
 * (mDNS names of RFC 8828 included: the viewer's own checks tell the address behind one, without a look-up here).
 */
import { BlockList, isIP, SocketAddress } from 'node:net';

/** Two lists: a BlockList takes an IPv4 address for the IPv6 one that wraps it, which is refused here. */
const neverIPv4 = new BlockList();
neverIPv4.addSubnet('0.0.0.0', 8, 'ipv4');
neverIPv4.addSubnet('169.254.0.0', 16, 'ipv4');
neverIPv4.addSubnet('224.0.0.0', 4, 'ipv4');
neverIPv4.addSubnet('240.0.0.0', 4, 'ipv4');

const neverIPv6 = new BlockList();
neverIPv6.addAddress('::', 'ipv6');
neverIPv6.addSubnet('::ffff:0:0', 96, 'ipv6');
neverIPv6.addSubnet('fe80::', 10, 'ipv6');
neverIPv6.addSubnet('ff00::', 8, 'ipv6');

/** Whether this is an IP address of a kind that a viewer can have; loopback only with `allowLoopback`. */
export function isUsableAddress(address: string, allowLoopback: boolean): boolean {
  if (address.includes('%')) return false;
  switch (isIP(address)) {
    case 4:
      return !neverIPv4.check(address, 'ipv4') && (allowLoopback || !address.startsWith('127.'));
    case 6: {
      const isLoopback = canonicalAddress(address) === '::1';
      return !neverIPv6.check(address, 'ipv6') && (allowLoopback || !isLoopback);
    }
    default:
      return false;
  }
}

/** The form in which a socket names the sender of a datagram; the argument must be an IP address. */
export function canonicalAddress(address: string): string {
  return isIP(address) === 6 ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}
