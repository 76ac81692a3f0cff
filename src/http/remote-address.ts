/**
 * The address at the other end of a connection as text: IPv4 dotted, IPv6 in the canonical form of RFC 5952; an IPv4
 * address in an IPv6 wrapper (RFC 4291 §2.5.5.2), which is what an IPv4 client of `::` has, as IPv4. Pure.
 */
import { canonicalAddress } from '../config/addresses.ts';

/** @param bytes 4 or 16 in network order; of any other length is a connection that is gone. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return '';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isWrapped = view.getUint32(0) === 0 && view.getUint32(4) === 0 && view.getUint32(8) === 0x0000_ffff;
  if (isWrapped) return bytes.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(2 * index).toString(16));
  return canonicalAddress(groups.join(':'));
}
