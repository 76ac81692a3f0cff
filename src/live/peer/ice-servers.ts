/**
 * What STUN and TURN servers tell a viewer's agent: reflexive candidates and relayed bases. Without servers not one
 * packet leaves here.
 *
 * The answer to the viewer waits for this, as there is no trickling: it goes on as soon as one server of each kind
 * has answered, or all have failed, and in any case after a second. A relayed base that comes later is still good for
 * checks of ours. Servers that failed are left alone for a while (server-memory.ts). Live thread.
 */
import { isUsableAddress } from '../../config/addresses.ts';
import { iceServerRules } from '../../config/ice-server-rules.ts';
import { iceServersMax } from '../../config/ice-servers.ts';
import type { IceServer } from '../../ipc/messages.ts';
import type { Candidate } from '../offer/candidate.ts';
import type { DatagramReceiver, IceBase } from './ice-base.ts';
import { gatherGraceMs, gatherMsMax, relayOpenMsMax, relaysMax } from './peer-limits.ts';
import { RelayBase } from './relay-base.ts';
import type { ServerMemory } from './server-memory.ts';
import { type MappedAddress, StunQueries } from './stun-queries.ts';
import { TurnError } from './turn-client.ts';

/** A server-reflexive candidate and the host candidate's address it belongs to. */
export interface ReflexiveCandidate {
  readonly candidate: Candidate;
  readonly related: { readonly address: string; readonly port: number };
}

export interface Gathered {
  readonly reflexive: readonly ReflexiveCandidate[];
  readonly relays: readonly RelayBase[];
}

export interface IceServerQueriesOptions {
  readonly servers: readonly IceServer[];
  /** Ask servers of this very machine, and believe addresses of it. */
  readonly allowLoopback: boolean;
  readonly memory: ServerMemory;
  readonly receive: DatagramReceiver;
  /** A relayed base that came after {@link IceServerQueries.gather} had ended without one; the callee owns it. */
  readonly onLateRelay: (relay: RelayBase) => void;
}

/** Codes after which the server may be asked again at once: it is full, or the user's quota is used up. */
const passingErrors: readonly (number | undefined)[] = [486, 508];

/** Asks servers for one agent; {@link take} must see what arrives at the host bases meanwhile. */
export class IceServerQueries {
  private readonly options: IceServerQueriesOptions;
  private readonly stun = new StunQueries();
  private readonly abortion = new AbortController();
  private readonly tasks: Promise<void>[] = [];
  private readonly running = { stun: 0, turn: 0 };
  private readonly isAnswered = { stun: false, turn: false };
  private readonly reflexive: ReflexiveCandidate[] = [];
  private readonly relays: RelayBase[] = [];
  private isOver = false;
  private isClosed = false;
  private onOver: () => void = () => {};
  private overTimer: NodeJS.Timeout | undefined;
  private isGraceRunning = false;
  private openTimer: NodeJS.Timeout | undefined;

  constructor(options: IceServerQueriesOptions) {
    this.options = options;
  }

  /** Whether the datagram was an answer of a STUN server that was asked; it is used up then. */
  take(bytes: Buffer, address: string, port: number): boolean {
    return this.stun.take(bytes, address, port);
  }

  /** Resolves within {@link gatherMsMax} with what was found, possibly nothing. Never rejects. To be called once. */
  async gather(bases: readonly IceBase[]): Promise<Gathered> {
    const { servers, memory } = this.options;
    const asked = servers.slice(0, iceServersMax).filter(server => !memory.isFailed(server));
    const over = new Promise<void>(resolve => {
      this.onOver = resolve;
    });
    this.overTimer = setTimeout(() => this.end(), gatherMsMax);
    this.openTimer = setTimeout(() => this.abortion.abort(), relayOpenMsMax);
    for (const server of asked) this.running[server.kind]++;
    for (const server of asked) this.tasks.push(this.ask(server, bases));
    this.endIfEnough();
    await over;
    return { reflexive: [...this.reflexive], relays: [...this.relays] };
  }

  /** Stops everything; resolves when no socket of an unfinished allocation is left. What was gathered stays open. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.openTimer);
    this.end();
    this.abortion.abort();
    await Promise.all(this.tasks);
  }

  /** Never rejects. */
  private async ask(server: IceServer, bases: readonly IceBase[]): Promise<void> {
    const { memory, allowLoopback } = this.options;
    const rules = { ...iceServerRules([]), allowLoopback };
    const addresses = await memory.addressesOf(server.host, rules);
    if (addresses.length === 0) memory.failed(server, 'its name is unknown, or its address is not allowed');
    else if (server.kind === 'turn') await this.askTurn(server, addresses);
    else if (!this.isOver) await this.askStun(server, addresses, bases);
    this.running[server.kind]--;
    this.endIfEnough();
  }

  private async askStun(
    server: IceServer,
    addresses: readonly string[],
    bases: readonly IceBase[],
  ): Promise<void> {
    const answers = bases.flatMap(base => {
      const address = addresses.find(each => base.family === (each.includes(':') ? 6 : 4));
      return address ? [this.askStunFrom(base, address, server.port)] : [];
    });
    const hasAnswered = (await Promise.all(answers)).includes(true);
    if (!hasAnswered && !this.isOver) this.options.memory.failed(server, 'the STUN server did not answer');
  }

  private async askStunFrom(base: IceBase, address: string, port: number): Promise<boolean> {
    const mapped = await this.stun.ask(base, address, port);
    if (!mapped) return false;
    this.addReflexive(base.candidate, mapped);
    this.isAnswered.stun = true;
    this.endIfEnough();
    return true;
  }

  private addReflexive(host: Candidate, { address, port }: MappedAddress): void {
    const isNew = address !== host.address || port !== host.port;
    if (!isNew || port === 0 || !isUsableAddress(address, this.options.allowLoopback)) return;
    const candidate: Candidate = {
      foundation: `s${host.foundation}`,
      // Type preference 100 instead of 126 (RFC 8445 §5.1.2.2).
      priority: host.priority - 26 * 2 ** 24,
      address,
      port,
      type: 'srflx',
    };
    const isKnown = this.reflexive.some(
      known => known.candidate.address === address && known.candidate.port === port,
    );
    if (!isKnown) this.reflexive.push({ candidate, related: { address: host.address, port: host.port } });
  }

  private async askTurn(server: IceServer, addresses: readonly string[]): Promise<void> {
    const { allowLoopback, memory, receive } = this.options;
    const { host, port, username, password, transport = 'udp' } = server;
    const { signal } = this.abortion;
    const address = addresses.find(each => !each.includes(':')) ?? addresses[0]!;
    try {
      const place = { transport, host, address, port, username, password };
      await this.takeRelay(await RelayBase.open({ ...place, allowLoopback, receive, signal }));
    } catch (error) {
      const isPassing = error instanceof TurnError && passingErrors.includes(error.code);
      if (!this.isClosed && !isPassing) memory.failed(server, (error as Error).message);
    }
  }

  /** The first ones go into the answer, or one behind it; the others are given back. */
  private async takeRelay(relay: RelayBase): Promise<void> {
    const isWanted = this.isOver ? !this.isAnswered.turn : this.relays.length < relaysMax;
    if (!isWanted || this.isClosed) {
      await relay.close();
      return;
    }
    this.isAnswered.turn = true;
    if (this.isOver) this.options.onLateRelay(relay);
    else this.relays.push(relay);
  }

  private endIfEnough(): void {
    const { running, isAnswered } = this;
    if (running.turn === 0) clearTimeout(this.openTimer);
    if (running.stun + running.turn === 0) this.end();
    const isEnough = (['stun', 'turn'] as const).every(kind => running[kind] === 0 || isAnswered[kind]);
    if (!isEnough || this.isGraceRunning || this.isOver) return;
    this.isGraceRunning = true;
    clearTimeout(this.overTimer);
    this.overTimer = setTimeout(() => this.end(), gatherGraceMs);
  }

  private end(): void {
    clearTimeout(this.overTimer);
    this.isOver = true;
    this.stun.close();
    this.onOver();
  }
}
