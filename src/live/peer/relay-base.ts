/**
 * A relayed base of ICE (RFC 8445 §5.1.1.2): an allocation on a TURN server (RFC 8656) and its channels to peers.
 *
 * Every peer gets a channel, bound by the first datagram to it; what is sent until the server confirms waits, so that
 * the first check is not lost. Channels are bound anew while they are used, which also keeps their permissions; the
 * allocation is refreshed before it ends and given back when the base is closed. When the server goes away nothing is
 * thrown: datagrams are dropped and counted, and consent freshness ends the session. Live thread.
 */
import { isUsableAddress } from '../../config/addresses.ts';
import type { Candidate } from '../offer/candidate.ts';
import type { DatagramReceiver, IceBase } from './ice-base.ts';
import {
  turnBindMs,
  turnChannelMs,
  turnChannelQueueMax,
  turnChannelsMax,
  turnLifetimeSeconds,
  turnRefusalMs,
  turnReleaseMs,
} from './peer-limits.ts';
import { StunAttribute, type StunMessage } from './stun-message.ts';
import { TurnClient, TurnError, TurnMethod } from './turn-client.ts';

export interface RelayOptions {
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** Name of the server as it is configured. */
  readonly host: string;
  /** IP address and port of the server. */
  readonly address: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly allowLoopback: boolean;
  readonly receive: DatagramReceiver;
  /** Ends the opening. */
  readonly signal: AbortSignal;
  /** When a channel in use is bound anew, ms; for tests. */
  readonly bindMs?: number;
}

/** A channel to one peer. */
interface Channel {
  readonly number: number;
  readonly address: string;
  readonly port: number;
  /** What waits for the server's confirmation. */
  readonly queue: Uint8Array[];
  isBinding: boolean;
  /** When it was bound last, performance.now(). */
  boundMs: number;
  /** When the server refused it. */
  refusedMs: number;
}

/** RFC 8656 §12. */
const firstChannel = 0x4000;
/** REQUESTED-TRANSPORT: UDP. */
const udpProtocol = 17 * 2 ** 24;
/** Wait before a refresh that failed is tried again, ms. */
const refreshRetryMs = 5000;
/** Shortest wait before a refresh, ms, however short the server's lifetime. */
const refreshMsMin = 1000;
/** Longest lifetime that is believed, s: Node's timers hold 24 days. */
const lifetimeSecondsMax = 24 * 3600;
/** RFC 8445 §5.1.2.1: a relay is the last resort, and one over a stream the last of those. */
const typePreferences = { udp: 2, tcp: 1, tls: 0 } as const;

export class RelayBase implements IceBase {
  readonly family = 4;
  readonly candidate: Candidate;
  /** Our address as the server saw it: the relayed candidate's related address. */
  readonly mapped: { readonly address: string; readonly port: number };
  private readonly client: TurnClient;
  private readonly receive: DatagramReceiver;
  private readonly bindMs: number;
  private readonly channels = new Map<string, Channel>();
  private readonly byNumber: Channel[] = [];
  private dropped = 0;
  private endsMs = 0;
  private refreshTimer: NodeJS.Timeout | undefined;
  private closing: Promise<void> | undefined;

  private constructor(client: TurnClient, options: RelayOptions, allocated: StunMessage) {
    const relayed = allocated.address(StunAttribute.xorRelayedAddress);
    if (!relayed || relayed.port === 0 || !isUsableAddress(relayed.address, options.allowLoopback))
      throw new TurnError('the TURN server gave an unusable address');
    const { address, port } = relayed;
    if (address.includes(':')) throw new TurnError('the TURN server gave an address of IPv6');
    const preference = typePreferences[options.transport];
    this.client = client;
    this.receive = options.receive;
    this.bindMs = options.bindMs ?? turnBindMs;
    this.candidate = {
      foundation: `r${port}`,
      priority: preference * 2 ** 24 + 65535 * 256 + 255,
      address,
      port,
      type: 'relay',
    };
    const mapped = allocated.address(StunAttribute.xorMappedAddress);
    const isTold = mapped && isUsableAddress(mapped.address, options.allowLoopback);
    this.mapped = isTold ? mapped : { address: '0.0.0.0', port: 9 };
    this.refreshLater(allocated);
  }

  /**
   * Allocates a relayed address. Rejects with TurnError or the system's error when the server gives none, or when the
   * signal comes before; nothing is left open then.
   */
  static async open(options: RelayOptions): Promise<RelayBase> {
    let base: RelayBase | undefined;
    const client = new TurnClient({
      ...options,
      onError: error => {
        if (base) base.lose();
        else client.fail(error);
      },
      onChannelData: (channel, bytes) => base?.takeChannelData(channel, bytes),
      onPeerData: (address, port, bytes) => base?.takePeerData(address, port, bytes),
    });
    let timer: NodeJS.Timeout | undefined;
    const abort = (): void => {
      const end = (): void => client.fail(new TurnError('the TURN server did not answer'));
      // A server that was told the credentials may be allocating: its answer is awaited, to give it back.
      if (client.isAuthenticated) timer = setTimeout(end, turnReleaseMs);
      else end();
    };
    options.signal.addEventListener('abort', abort);
    try {
      if (options.signal.aborted) throw new TurnError('the TURN server was not asked');
      const allocated = await client.request(TurnMethod.allocate, request =>
        request
          .uint32(StunAttribute.requestedTransport, udpProtocol)
          .uint32(StunAttribute.lifetime, turnLifetimeSeconds),
      );
      base = new RelayBase(client, options, allocated);
      if (!options.signal.aborted) return base;
      await base.close();
      throw new TurnError('the TURN server answered too late');
    } catch (error) {
      await client.close();
      throw error;
    } finally {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', abort);
    }
  }

  get sendFailures(): number {
    return this.dropped + this.client.transport.sendFailures;
  }

  /** Each datagram needs the channel's header: see {@link send}. */
  get descriptor(): undefined {
    return undefined;
  }

  get queuedBytes(): number {
    return this.client.transport.queuedBytes;
  }

  send(bytes: Uint8Array, port: number, address: string): void {
    if (this.closing) return;
    const channel = this.channelTo(address, port);
    if (!channel) {
      this.dropped++;
      return;
    }
    const nowMs = performance.now();
    const ageMs = nowMs - channel.boundMs;
    if (ageMs > this.bindMs && !channel.isBinding && nowMs - channel.refusedMs > turnRefusalMs)
      this.bind(channel);
    if (ageMs < turnChannelMs) this.client.sendChannelData(channel.number, bytes);
    else if (channel.isBinding && channel.queue.length < turnChannelQueueMax) channel.queue.push(bytes);
    else this.dropped++;
  }

  close(): Promise<void> {
    clearTimeout(this.refreshTimer);
    this.closing ??= this.release();
    return this.closing;
  }

  /** A lifetime of 0 gives the allocation back (RFC 8656 §7.1); a server that is silent frees it by itself. */
  private async release(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    if (performance.now() < this.endsMs)
      await Promise.race([
        this.refresh(0).catch(() => {}),
        new Promise(resolve => {
          timer = setTimeout(resolve, turnReleaseMs);
        }),
      ]);
    clearTimeout(timer);
    await this.client.close();
  }

  private refresh(lifetimeSeconds: number): Promise<StunMessage> {
    return this.client.request(TurnMethod.refresh, request =>
      request.uint32(StunAttribute.lifetime, lifetimeSeconds),
    );
  }

  /** Sets the timer for the next refresh after the server granted a lifetime (RFC 8656 §7.1). */
  private refreshLater(granted: StunMessage): void {
    const seconds = granted.uint32(StunAttribute.lifetime) ?? turnLifetimeSeconds;
    const lifetimeMs = Math.min(seconds, lifetimeSecondsMax) * 1000;
    this.endsMs = performance.now() + lifetimeMs;
    this.refreshIn(Math.max(refreshMsMin, lifetimeMs * (5 / 6)));
  }

  private refreshIn(waitMs: number): void {
    this.refreshTimer = setTimeout(() => {
      this.refresh(turnLifetimeSeconds).then(
        granted => {
          if (!this.closing) this.refreshLater(granted);
        },
        () => {
          if (!this.closing && performance.now() < this.endsMs) this.refreshIn(refreshRetryMs);
        },
      );
    }, waitMs);
  }

  /**
   * The connection to the server is gone, and the allocation with it; a socket without a listener may get one again.
   */
  private lose(): void {
    if (this.client.transport.isReliable) this.endsMs = 0;
  }

  private channelTo(address: string, port: number): Channel | undefined {
    const key = `${address} ${port}`;
    let channel = this.channels.get(key);
    if (!channel && this.byNumber.length < turnChannelsMax) {
      channel = {
        number: firstChannel + this.byNumber.length,
        address,
        port,
        queue: [],
        isBinding: false,
        boundMs: Number.NEGATIVE_INFINITY,
        refusedMs: Number.NEGATIVE_INFINITY,
      };
      this.channels.set(key, channel);
      this.byNumber.push(channel);
    }
    return channel;
  }

  private bind(channel: Channel): void {
    channel.isBinding = true;
    this.client
      .request(TurnMethod.channelBind, request =>
        request
          .uint32(StunAttribute.channelNumber, channel.number * 2 ** 16)
          .mappedAddress(channel.address, channel.port, StunAttribute.xorPeerAddress),
      )
      .then(
        () => {
          channel.boundMs = performance.now();
          if (!this.closing)
            for (const bytes of channel.queue) this.client.sendChannelData(channel.number, bytes);
        },
        () => {
          channel.refusedMs = performance.now();
          this.dropped += channel.queue.length;
        },
      )
      .finally(() => {
        channel.isBinding = false;
        channel.queue.length = 0;
      });
  }

  private takeChannelData(number: number, bytes: Buffer): void {
    const channel = this.byNumber[number - firstChannel];
    if (channel && !this.closing) this.receive(this, bytes, channel.address, channel.port);
  }

  private takePeerData(address: string, port: number, bytes: Buffer): void {
    if (!this.closing) this.receive(this, bytes, address, port);
  }
}
