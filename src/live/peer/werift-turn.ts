/**
 * A relayed base (RFC 8656) by werift's TURN client over UDP. With werift-dtls.ts the only place that knows werift.
 *
 * Asked for only when TURN servers are configured; opening it is bounded and a server that is wrong, slow or hostile
 * costs nothing but that time. Its refresh sleep cannot be stopped, so it is replaced by a timer of ours; errors of its
 * socket, which it leaves unhandled, are taken. Left out: TURN over TCP and TLS (its stream transport reconnects for
 * ever and rejects promises that nobody holds), giving the allocation back (it ends by its lifetime). Live thread.
 */
import { classes, Message, methods, TurnProtocol, UdpTransport } from 'werift';
import { isUsableAddress } from '../offer/addresses.ts';
import type { Candidate } from '../offer/candidate.ts';
import type { DatagramReceiver, IceBase } from './ice-base.ts';

export interface RelayOptions {
  /** IP address and port of the server. */
  readonly address: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** Whole time for allocating, ms. */
  readonly timeoutMs: number;
  readonly allowLoopback: boolean;
  readonly receive: DatagramReceiver;
}

/** Lifetime asked for, s (RFC 8656 §3.2's default). */
const lifetimeSeconds = 600;

interface Turn {
  readonly transactions: Record<string, { cancel(): void }>;
  refresh: (lifetimeSeconds: number) => void;
}

export class RelayBase implements IceBase {
  readonly family = 4;
  sendFailures = 0;
  readonly queuedBytes = 0;
  /** Our address as the server saw it: the relayed candidate's related address. */
  readonly mapped: { readonly address: string; readonly port: number };
  private readonly turn: TurnProtocol;
  private readonly relayed: Candidate;
  private timer: NodeJS.Timeout | undefined;
  private closing: Promise<void> | undefined;

  private constructor(turn: TurnProtocol, receive: DatagramReceiver) {
    const [address, port] = turn.relayedAddress;
    const [mappedAddress, mappedPort] = turn.mappedAddress;
    this.turn = turn;
    this.mapped = { address: mappedAddress, port: mappedPort };
    // RFC 8445 §5.1.2.1 with type preference 0: a relay is the last resort.
    this.relayed = { foundation: `r${port}`, priority: 65535 * 256 + 255, address, port, type: 'relay' };
    turn.onData.subscribe((bytes, [from, fromPort]) => receive(this, bytes, from, fromPort));
  }

  /** Allocates a relayed address. Rejects when the server gives none in time; nothing is left open then. */
  static async open(options: RelayOptions): Promise<RelayBase> {
    const transport = await UdpTransport.init(options.address.includes(':') ? 'udp6' : 'udp4');
    transport.socket.on('error', () => {});
    const server = [options.address, options.port] as const;
    const turn = new TurnProtocol(server, options.username, options.password, lifetimeSeconds, transport);
    let grantedSeconds = lifetimeSeconds;
    (turn as unknown as Turn).refresh = seconds => {
      grantedSeconds = seconds;
    };
    let timer: NodeJS.Timeout | undefined;
    try {
      await Promise.race([
        turn.connectionMade(),
        new Promise((_, reject) => {
          timer = setTimeout(() => reject(new Error('the TURN server did not answer')), options.timeoutMs);
        }),
      ]);
      if (!isUsableAddress(turn.relayedAddress[0], options.allowLoopback))
        throw new Error('the TURN server gave an unusable address');
    } catch (error) {
      cancelTransactions(turn);
      await transport.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    const base = new RelayBase(turn, options.receive);
    base.refreshLater(grantedSeconds);
    return base;
  }

  get candidate(): Candidate {
    return this.relayed;
  }

  send(bytes: Uint8Array, port: number, address: string): void {
    if (this.closing) return;
    this.turn.sendData(Buffer.from(bytes), [address, port]).catch(() => {
      this.sendFailures++;
    });
  }

  close(): Promise<void> {
    clearTimeout(this.timer);
    if (!this.closing) {
      this.turn.onData.allUnsubscribe();
      cancelTransactions(this.turn);
      this.closing = this.turn.transport.close();
    }
    return this.closing;
  }

  /** RFC 8656 §8: before the allocation's lifetime ends. */
  private refreshLater(seconds: number): void {
    const waitMs = Math.max(30, Math.min(seconds, lifetimeSeconds) * (5 / 6)) * 1000;
    this.timer = setTimeout(() => {
      const request = new Message(methods.REFRESH, classes.REQUEST);
      request.setAttribute('LIFETIME', lifetimeSeconds);
      this.turn.requestWithRetry(request, this.turn.server).catch(() => {
        this.sendFailures++;
      });
      this.refreshLater(seconds);
    }, waitMs);
  }
}

function cancelTransactions(turn: TurnProtocol): void {
  for (const transaction of Object.values((turn as unknown as Turn).transactions)) transaction.cancel();
}
