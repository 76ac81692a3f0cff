/**
 * The address of the web page as a URL that works in a browser. Pure.
 */
import { isIPv6 } from 'node:net';

/** Whether the host stands for all addresses of the machine. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '0:0:0:0:0:0:0:0';
}

/**
 * `SCHEME://HOST:PORT/`; the wildcard host becomes 127.0.0.1, because nobody can visit 0.0.0.0; IPv6 goes in brackets
 * (RFC 3986 §3.2.2).
 */
export function addressUrl(host: string, port: number, scheme: 'http' | 'https' = 'http'): string {
  const visible = isWildcard(host) ? '127.0.0.1' : host;
  return `${scheme}://${isIPv6(visible) ? `[${visible.replace('%', '%25')}]` : visible}:${port}/`;
}
