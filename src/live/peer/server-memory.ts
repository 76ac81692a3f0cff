/**
 * What one viewer's session learned about STUN and TURN servers, for the next one: names that were looked up, and
 * servers that failed, which are left alone for a minute so that a dead one does not delay every answer.
 *
 * Look-ups go through the system's resolver, whose threads the whole process shares, so only a few run at a time.
 * What a name resolves to is filtered by the rules for servers (config/ice-server-rules.ts): a name may point
 * anywhere, and elsewhere tomorrow. Each failure is one log line, without credentials. One per live stage; live
 * thread.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { canonicalAddress } from '../../config/addresses.ts';
import { type IceServerRules, isServerAddress } from '../../config/ice-server-rules.ts';
import type { IceServer } from '../../ipc/messages.ts';
import type { Logger } from '../../telemetry/log.ts';
import { lookupsMax, serverMemoryMax, serverMemoryMs } from './peer-limits.ts';

interface Name {
  readonly addresses: Promise<readonly string[]>;
  /** performance.now() */
  readonly untilMs: number;
}

export class ServerMemory {
  private readonly logger: Pick<Logger, 'warn'> | undefined;
  private readonly names = new Map<string, Name>();
  private readonly failures = new Map<string, number>();
  private readonly waiting: (() => void)[] = [];
  private lookups = 0;

  constructor(logger?: Pick<Logger, 'warn'>) {
    this.logger = logger;
  }

  /** Whether the server failed within the last minute. */
  isFailed(server: IceServer): boolean {
    return (this.failures.get(keyOf(server)) ?? 0) > performance.now();
  }

  /** Tells that a server failed, why, and whether it is to be left alone for a while. */
  failed(server: IceServer, reason: string): void {
    if (this.isFailed(server)) return;
    remember(this.failures, keyOf(server), performance.now() + serverMemoryMs);
    const { kind, host, port, transport = 'udp' } = server;
    const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.logger?.warn('an ICE server could not be used and is left alone for a minute', {
      server: `${kind}:${place}`,
      transport,
      reason,
    });
  }

  /** The IP addresses of a host that may be asked as a server, possibly none, in canonical form. Never rejects. */
  async addressesOf(host: string, rules: IceServerRules): Promise<readonly string[]> {
    const all = isIP(host) ? [host] : await this.lookUp(host);
    return all.filter(address => isServerAddress(address, rules)).map(canonicalAddress);
  }

  private lookUp(host: string): Promise<readonly string[]> {
    const known = this.names.get(host);
    if (known && known.untilMs > performance.now()) return known.addresses;
    const addresses = this.ask(host);
    remember(this.names, host, { addresses, untilMs: performance.now() + serverMemoryMs });
    return addresses;
  }

  private async ask(host: string): Promise<readonly string[]> {
    if (this.lookups >= lookupsMax) await new Promise<void>(resolve => this.waiting.push(resolve));
    else this.lookups++;
    try {
      return (await lookup(host, { all: true })).map(({ address }) => address);
    } catch {
      return [];
    } finally {
      // The place goes to the next one that waits, if there is one.
      const next = this.waiting.shift();
      if (next) next();
      else this.lookups--;
    }
  }
}

/** Credentials are part of it: corrected ones are tried at once. */
function keyOf({ kind, host, port, transport, username, password }: IceServer): string {
  return JSON.stringify([kind, host, port, transport, username, password]);
}

/** The oldest entry gives way. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  if (map.size >= serverMemoryMax) map.delete(map.keys().next().value!);
  map.set(key, value);
}
