/**
 * Under which name an address is counted: whoever has one IPv6 address has at least 2⁶⁴ of them, so IPv6 counts by /64
 * (RFC 6177); an IPv4 address in an IPv6 wrapper (RFC 4291 §2.5.5.2) is the IPv4 address. Pure.
 */
import { isIP } from 'node:net';

/** The key of an address as a socket names it; a text that is no address is its own key, cut to 64 characters. */
export function addressKey(address: string): string {
  const text = address.includes('%') ? address.slice(0, address.indexOf('%')) : address;
  if (isIP(text) !== 6) return text.slice(0, 64);
  const groups = groupsOf(text);
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every(group => group === 0);
  if (isMapped)
    return groups
      .slice(6)
      .flatMap(group => [group >> 8, group & 0xff])
      .join('.');
  return `${groups
    .slice(0, 4)
    .map(group => group.toString(16))
    .join(':')}::/64`;
}

/** The eight groups of a text that is an IPv6 address (RFC 4291 §2.2). */
function groupsOf(text: string): number[] {
  const [head = '', tail] = text.split('::') as [string, string | undefined];
  const before = numbersOf(head);
  if (tail === undefined) return before;
  const after = numbersOf(tail);
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function numbersOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap(group => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a, b, c, d] = group.split('.').map(Number) as [number, number, number, number];
    return [(a << 8) | b, (c << 8) | d];
  });
}
