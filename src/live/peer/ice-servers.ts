/**
 * What STUN and TURN servers tell a viewer's agent: reflexive addresses (RFC 8489 binding requests from the host
 * candidates' own sockets) and relayed bases. Without servers not one packet leaves here.
 *
 * Everything is bounded by one deadline, failures are left out: host candidates alone are enough to go on. Server
 * names are resolved here, and what resolves to an address that addresses.ts refuses is not asked. Live thread.
 */
import { lookup } from 'node:dns/promises';
import type { IceServer } from '../../ipc/messages.ts';
import { canonicalAddress, isUsableAddress } from '../offer/addresses.ts';
import type { Candidate } from '../offer/candidate.ts';
import { newTransactionId } from './candidate-pair.ts';
import type { DatagramReceiver, IceBase } from './ice-base.ts';
import { gatherMsMax, iceServersMax } from './peer-limits.ts';
import { readStunMessage, StunType, StunWriter } from './stun-message.ts';
import { RelayBase } from './werift-turn.ts';

/** A server-reflexive candidate and the host candidate's address it belongs to. */
export interface ReflexiveCandidate {
  readonly candidate: Candidate;
  readonly related: { readonly address: string; readonly port: number };
}

/** Moments of the three requests to a STUN server, ms. */
const requestTimesMs = [0, 200, 800];

/** Asks servers for one agent; {@link take} must see what arrives at the host bases meanwhile. */
export class IceServerQueries {
  private readonly waiting = new Map<string, (address: string, port: number) => void>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly allowLoopback: boolean;

  constructor(allowLoopback: boolean) {
    this.allowLoopback = allowLoopback;
  }

  /** Whether the datagram was an answer of a STUN server that was asked; it is used up then. */
  take(bytes: Buffer, address: string, port: number): boolean {
    if (this.waiting.size === 0) return false;
    const message = readStunMessage(bytes);
    if (message?.type !== StunType.success) return false;
    const key = `${message.transactionId} ${address} ${port}`;
    const resolve = this.waiting.get(key);
    const mapped = message.mappedAddress;
    if (!resolve || !mapped) return false;
    this.waiting.delete(key);
    resolve(mapped.address, mapped.port);
    return true;
  }

  /** Resolves within {@link gatherMsMax} with what was found, possibly nothing. Never rejects. */
  async gather(
    servers: readonly IceServer[],
    bases: readonly IceBase[],
    receive: DatagramReceiver,
  ): Promise<{ reflexive: ReflexiveCandidate[]; relays: RelayBase[] }> {
    const reflexive: ReflexiveCandidate[] = [];
    const relays: RelayBase[] = [];
    let isOver = false;
    const tasks = servers.slice(0, iceServersMax).map(async server => {
      const address = await this.resolve(server.host);
      if (!address || isOver) return;
      if (server.kind === 'stun')
        await Promise.all(bases.map(base => this.askStun(base, address, server.port, reflexive)));
      else {
        const { username = '', password = '', port } = server;
        const { allowLoopback } = this;
        const options = { address, port, username, password, timeoutMs: gatherMsMax, allowLoopback, receive };
        const relay = await RelayBase.open(options);
        if (isOver) await relay.close();
        else relays.push(relay);
      }
    });
    await Promise.race([Promise.allSettled(tasks), this.sleep(gatherMsMax)]);
    isOver = true;
    this.close();
    return { reflexive: [...reflexive], relays: [...relays] };
  }

  /** Stops all timers. */
  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.waiting.clear();
  }

  private async resolve(host: string): Promise<string | undefined> {
    const found = await lookup(host).catch(() => undefined);
    return found && isUsableAddress(found.address, this.allowLoopback)
      ? canonicalAddress(found.address)
      : undefined;
  }

  private askStun(base: IceBase, address: string, port: number, found: ReflexiveCandidate[]): Promise<void> {
    if (base.family !== (address.includes(':') ? 6 : 4)) return Promise.resolve();
    const transactionId = newTransactionId();
    const request = new StunWriter(StunType.request, transactionId).finish();
    for (const timeMs of requestTimesMs) {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        if (this.waiting.has(key)) base.send(request, port, address);
      }, timeMs);
      this.timers.add(timer);
    }
    const key = `${transactionId} ${address} ${port}`;
    return new Promise(resolve => {
      this.waiting.set(key, (mappedAddress, mappedPort) => {
        const { candidate: host } = base;
        const isNew = mappedAddress !== host.address || mappedPort !== host.port;
        if (isNew && isUsableAddress(mappedAddress, this.allowLoopback))
          found.push({
            candidate: {
              foundation: `s${host.foundation}`,
              // Type preference 100 instead of 126 (RFC 8445 §5.1.2.2).
              priority: host.priority - 26 * 2 ** 24,
              address: mappedAddress,
              port: mappedPort,
              type: 'srflx',
            },
            related: { address: host.address, port: host.port },
          });
        resolve();
      });
    });
  }

  private sleep(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms);
      this.timers.add(timer);
    });
  }
}
