/**
 * The addresses of this machine that are offered as host candidates (RFC 8445 §5.1.1.1, RFC 8421 for the order).
 */
import { networkInterfaces } from 'node:os';
import { isUsableAddress } from '../../config/addresses.ts';
import { localAddressesMax } from './peer-limits.ts';

/**
 * All addresses but loopback and link-local ones, IPv4 and IPv6 of each interface together; the loopback addresses
 * where there is nothing else. At most {@link localAddressesMax}.
 */
export function hostAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap(entries => entries ?? []);
  const addresses = all.map(({ address }) => address);
  const usable = addresses.filter(address => isUsableAddress(address, false));
  const loopback = addresses.filter(address => isUsableAddress(address, true));
  return (usable.length > 0 ? usable : loopback).slice(0, localAddressesMax);
}
