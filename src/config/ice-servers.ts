/**
 * The entries of `ice_servers`: `host:port` (which means STUN), and `stun:`, `turn:` and `turns:` URLs (RFC 7064, RFC
 * 7065) with credentials before the host, as in `turn:user:password@host:port?transport=udp`.
 *
 * An entry makes the camera send packets, so what cannot be a server elsewhere is refused by name: addresses of
 * addresses.ts, own addresses, `localhost`, and the many spellings of an IPv4 address that resolvers take. User name
 * and password are percent-encoded where they hold '@', '%' or, in the user name, ':'; only the last '@' ends them.
 * Pure; any thread. Left out: `stuns:` and TURN over DTLS (`turns:` over UDP), which hardly any server speaks.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { CameraError } from '../base/errors.ts';
import type { IceServer } from '../ipc/messages.ts';
import { canonicalAddress } from './addresses.ts';
import { type IceServerRules, isServerAddress } from './ice-server-rules.ts';

/** Entries of the list: each is asked for every session. */
export const iceServersMax = 8;

/** Length of an entry in bytes: a long name and long credentials fit. */
export const iceServerBytesMax = 256;

export type IceServerScheme = 'stun' | 'turn' | 'turns';

/** An entry, taken apart. */
export interface IceServerUrl {
  readonly scheme: IceServerScheme;
  /** Name, or IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Decoded; both or none. A TURN server without them must be one that wants none. */
  readonly username?: string;
  readonly password?: string;
  /** Of `turns`, TLS over TCP is meant by `tcp`. */
  readonly transport: 'udp' | 'tcp';
}

/** What is wrong with an entry or with the list; the word stands in the problem document. */
export type IceServerRule =
  | 'type'
  | 'too-many'
  | 'empty'
  | 'length'
  | 'characters'
  | 'scheme'
  | 'credentials'
  | 'masked'
  | 'host'
  | 'address'
  | 'port'
  | 'transport';

const sentences: Readonly<Record<IceServerRule, string>> = {
  type: 'ice_servers must be a list of strings.',
  'too-many': `There may be at most ${iceServersMax} ICE servers.`,
  empty: 'An ICE server is empty.',
  length: `An ICE server must have at most ${iceServerBytesMax} bytes.`,
  characters: 'An ICE server may have visible ASCII characters only.',
  scheme: 'An ICE server must be host:port or a stun:, turn: or turns: URL.',
  credentials: 'Credentials must be user:password, percent-encoded, and belong to TURN servers only.',
  masked: 'The credentials are masked; send the true ones.',
  host: 'The host of an ICE server must be a name or an IP address.',
  address: 'The host of an ICE server must be another machine than the camera.',
  port: 'The port of an ICE server must be a number from 1 to 65535.',
  transport: 'The transport must be udp or tcp, of turn servers; turns servers are reached over tcp.',
};

const mask = '***:***';
const defaultPorts: Readonly<Record<IceServerScheme, number>> = { stun: 3478, turn: 3478, turns: 5349 };
const visible = /^[\x21-\x7e]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const control = /[\x00-\x1f\x7f-\x9f]/;
const schemePattern = /^(stun|turns?):/i;
const namePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;
/**
 * URL Standard, "ends in a number": such a name is an IPv4 address to some resolver, in decimal, octal or
 * hexadecimal.
 */
const numericEnd = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i;
const loopbackName = /^(?:.+\.)?localhost(?:\.localdomain)?$|^ip6-(?:localhost|loopback)$/i;
/** Schemes whose `scheme:port` would look like a host and its port. */
const foreignScheme = /^(?:https?|wss?|ftp|file|stuns):/i;

/**
 * Takes a list apart. Throws CameraError `ice-servers-invalid`, whose details tell the `index` of the first bad entry
 * and the `rule` it breaks, never the entry itself.
 */
export function parseIceServers(list: unknown, rules: IceServerRules): IceServerUrl[] {
  if (!Array.isArray(list)) throw fault('type');
  if (list.length > iceServersMax) throw fault('too-many');
  return list.map((entry: unknown, index) => {
    const server = readIceServer(entry, rules);
    if (typeof server === 'string') throw fault(server, index);
    return server;
  });
}

/** Takes one entry apart; undefined when it is refused. */
export function parseIceServer(text: unknown, rules: IceServerRules): IceServerUrl | undefined {
  const server = readIceServer(text, rules);
  return typeof server === 'string' ? undefined : server;
}

/** The entry with `***` for user name and password, for answers and logs; any text may be given. */
export function maskIceServer(text: string): string {
  const at = text.lastIndexOf('@');
  if (at < 0) return text;
  return `${schemePattern.exec(text)?.[0] ?? ''}${mask}${text.slice(at)}`;
}

/**
 * The servers of a stored list as the live worker asks them. It checks their addresses itself, as they are when it
 * asks; an entry that cannot be taken apart is left out.
 */
export function toLiveIceServers(list: readonly string[]): IceServer[] {
  return list.slice(0, iceServersMax).flatMap(text => {
    const server = parseIceServer(text, { allowLoopback: true, ownAddresses: [] });
    if (!server) return [];
    const { scheme, host, port, username, password, transport } = server;
    return {
      kind: scheme === 'stun' ? 'stun' : 'turn',
      host,
      port,
      transport: scheme === 'turns' ? 'tls' : transport,
      ...(username !== undefined && password !== undefined && { username, password }),
    };
  });
}

function readIceServer(text: unknown, rules: IceServerRules): IceServerUrl | IceServerRule {
  if (typeof text !== 'string') return 'type';
  if (text === '') return 'empty';
  if (Buffer.byteLength(text) > iceServerBytesMax) return 'length';
  if (!visible.test(text)) return 'characters';
  const prefix = schemePattern.exec(text);
  if (!prefix) return foreignScheme.test(text) || !/:\d+$/.test(text) ? 'scheme' : readStun(text, rules);
  const rest = text.slice(prefix[0].length);
  if (rest === '') return 'empty';
  const scheme = prefix[1]!.toLowerCase();
  return scheme === 'stun' ? readStun(rest, rules) : readTurn(scheme as 'turn' | 'turns', rest, rules);
}

function readStun(text: string, rules: IceServerRules): IceServerUrl | IceServerRule {
  if (text.includes('@')) return 'credentials';
  if (text.includes('?')) return 'transport';
  const place = readPlace(text, defaultPorts.stun, rules);
  return typeof place === 'string' ? place : { scheme: 'stun', ...place, transport: 'udp' };
}

function readTurn(
  scheme: 'turn' | 'turns',
  text: string,
  rules: IceServerRules,
): IceServerUrl | IceServerRule {
  const at = text.lastIndexOf('@');
  const credentials = at < 0 ? undefined : readCredentials(text.slice(0, at));
  if (typeof credentials === 'string') return credentials;
  const [placeText = '', query] = splitAt(text.slice(at + 1), '?');
  const transport =
    query === undefined ? undefined : /^transport=(udp|tcp)$/i.exec(query)?.[1]?.toLowerCase();
  if (query !== undefined && !transport) return 'transport';
  if (scheme === 'turns' && transport === 'udp') return 'transport';
  const place = readPlace(placeText, defaultPorts[scheme], rules);
  if (typeof place === 'string') return place;
  const isTcp = scheme === 'turns' || transport === 'tcp';
  return { scheme, ...place, ...credentials, transport: isTcp ? 'tcp' : 'udp' };
}

/** What stands before the '@': the first ':' ends the user name. */
function readCredentials(text: string): { username: string; password: string } | IceServerRule {
  if (text === mask) return 'masked';
  const [name, secret] = splitAt(text, ':');
  const username = percentDecoded(name);
  const password = percentDecoded(secret ?? '');
  if (!username || !password || control.test(username + password)) return 'credentials';
  return { username, password };
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function readPlace(
  text: string,
  defaultPort: number,
  rules: IceServerRules,
): { host: string; port: number } | IceServerRule {
  const parts = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(text);
  if (!parts) return 'host';
  const [, bracketed, plain = '', portText] = parts;
  const port = portText === undefined ? defaultPort : readPort(portText);
  if (port === undefined) return 'port';
  if (bracketed !== undefined) {
    if (!isIPv6(bracketed) || bracketed.includes('%')) return 'host';
    return isServerAddress(bracketed, rules) ? { host: canonicalAddress(bracketed), port } : 'address';
  }
  if (isIPv4(plain)) return isServerAddress(plain, rules) ? { host: plain, port } : 'address';
  if (plain.length > 253 || !namePattern.test(plain) || numericEnd.test(plain)) return 'host';
  if (loopbackName.test(plain) && !rules.allowLoopback) return 'address';
  return { host: plain.toLowerCase(), port };
}

function readPort(text: string): number | undefined {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : undefined;
}

/** What stands before the first separator, and what behind it. */
function splitAt(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function fault(rule: IceServerRule, index?: number): CameraError {
  return new CameraError(
    'ice-servers-invalid',
    sentences[rule],
    index === undefined ? { rule } : { index, rule },
  );
}
