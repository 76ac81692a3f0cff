/**
 * Which values of Host the camera answers to, against DNS rebinding: a page of evil.example whose name suddenly means the
 * camera's address is same-origin to a browser, and only Host tells.
 *
 * Answered are the machine's own addresses as literals, its own names, `localhost`, and the names of the configuration;
 * with the port that is listened on, which may be left out where it is the default of the scheme (RFC 9110 §4.2). Only
 * the usual spelling of an address counts (`127.1`, `0x7f000001` and zones do not). Addresses change with DHCP, so they are
 * asked for anew when the list is some seconds old. Main thread.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { Clock } from '../base/clock.ts';
import { canonicalAddress } from '../config/addresses.ts';
import { hostsRememberedMax, ownAddressesSeconds } from './limits.ts';

/** Name or bracketed literal, an optional port without leading zeros. */
const hostForm = /^([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?$/;

const defaultPorts = { http: 80, https: 443 } as const;

/** What the machine is called; tests bring their own. */
export interface Machine {
  /** IP addresses of all interfaces, as text. */
  addresses(): readonly string[];
  hostname(): string;
}

const thisMachine: Machine = {
  addresses: () => Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(each => each.address)),
  hostname,
};

/** Decides by the value of Host. */
export class HostPolicy {
  private readonly defaultPort: number;
  private readonly clock: Clock;
  private readonly machine: Machine;
  private readonly configuredHost: string;
  /** Names of the configuration: a name to the one port it has, or to undefined for the port listened on. */
  private readonly configured = new Map<string, Set<number | undefined>>();
  private port = 0;
  private ownNames: ReadonlySet<string> = new Set();
  private ownAddresses: ReadonlySet<string> = new Set();
  /** Values that were allowed since the addresses were asked for. */
  private readonly remembered = new Set<string>();
  private refreshedUs = Number.NEGATIVE_INFINITY;

  /** @param options `host` is the address that is listened on; `names` as in the configuration. */
  constructor(options: {
    readonly scheme: 'http' | 'https';
    readonly host: string;
    readonly names: readonly string[];
    readonly clock: Clock;
    readonly machine?: Machine;
  }) {
    this.defaultPort = defaultPorts[options.scheme];
    this.clock = options.clock;
    this.machine = options.machine ?? thisMachine;
    this.configuredHost = options.host.toLowerCase();
    for (const entry of options.names) {
      const [, name, port] = hostForm.exec(entry.toLowerCase()) ?? [];
      if (name === undefined) continue;
      const ports = this.configured.get(keyOf(name)) ?? new Set();
      ports.add(port === undefined ? undefined : Number(port));
      this.configured.set(keyOf(name), ports);
    }
  }

  /** Tells the port that is listened on; before that nothing is allowed. */
  listensOn(port: number): void {
    this.port = port;
  }

  /** @param host the value of the field as it was sent. */
  allows(host: string): boolean {
    const nowUs = this.clock.monoUs();
    if (nowUs - this.refreshedUs >= ownAddressesSeconds * 1e6) this.refresh(nowUs);
    if (this.remembered.has(host)) return true;
    if (!this.isAllowed(host.toLowerCase())) return false;
    if (this.remembered.size < hostsRememberedMax) this.remembered.add(host);
    return true;
  }

  private isAllowed(host: string): boolean {
    const [, text, portText] = hostForm.exec(host) ?? [];
    if (text === undefined) return false;
    const name = keyOf(text);
    const port = portText === undefined ? this.defaultPort : Number(portText);
    const configured = this.configured.get(name);
    if (configured?.has(undefined) && (port === this.port || port === this.defaultPort)) return true;
    // A browser leaves out the default port of the scheme that it sees, which may be a proxy's.
    if (configured?.has(port) || (portText === undefined && (configured?.has(80) || configured?.has(443))))
      return true;
    return port === this.port && (this.ownNames.has(name) || this.isOwnAddress(name));
  }

  private isOwnAddress(name: string): boolean {
    return isIPv4(name) && name.startsWith('127.') ? true : this.ownAddresses.has(name);
  }

  private refresh(nowUs: number): void {
    this.refreshedUs = nowUs;
    this.remembered.clear();
    const ownName = keyOf(this.machine.hostname().toLowerCase());
    const label = ownName.split('.')[0]!;
    const names = ['localhost', ownName, label, `${label}.local`, this.configuredHost];
    this.ownNames = new Set(names.filter(name => name !== '' && hostForm.test(name)));
    const addresses = ['127.0.0.1', '::1', this.configuredHost, ...this.machine.addresses()];
    this.ownAddresses = new Set(addresses.map(literalKey).filter(key => key !== undefined));
  }
}

/** Without brackets and final dot, an address in its canonical form; what is no usual literal stays as it is. */
function keyOf(name: string): string {
  if (name.startsWith('[')) return isIPv6(name.slice(1, -1)) ? literalKey(name.slice(1, -1))! : name;
  return name.endsWith('.') && name.length > 1 ? name.slice(0, -1) : name;
}

/** The canonical form of an address; an IPv4 address in an IPv6 wrapper (RFC 4291 §2.5.5.2) is the IPv4 address. */
function literalKey(address: string): string | undefined {
  const text = address.split('%')[0]!;
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return undefined;
  const canonical = canonicalAddress(text);
  return /^::ffff:([0-9.]+)$/.exec(canonical)?.[1] ?? canonical;
}
