/**
 * The transport of one viewer: ICE and DTLS-SRTP, from the offer's data to keys and a way to send (RFC 8445, 5764,
 * 7983, 7675).
 *
 * A peer is made with sockets and candidates for the answer, started when the answer is on its way, and closed once;
 * then no socket, timer or listener is left. One that never connects closes itself after `connectTimeoutMs`, whether
 * it was started or not; one whose viewer vanished after `consentTimeoutMs`. Packets go in and out encrypted: SRTP is
 * the data plane's. Live thread; nothing here throws because of the network.
 */
import { randomBytes } from 'node:crypto';
import { CameraError } from '../../base/errors.ts';
import type { IceServer } from '../../ipc/messages.ts';
import type { DatagramTarget, SrtpKeys, SrtpProfile } from '../../native/data-plane.ts';
import { type Candidate, candidateText } from '../offer/candidate.ts';
import type { SetupRole } from '../offer/offer.ts';
import { hostAddresses } from './host-addresses.ts';
import { IceAgent, type IceCredentials } from './ice-agent.ts';
import { type DatagramReceiver, type IceBase, UdpBase } from './ice-base.ts';
import { type Gathered, IceServerQueries } from './ice-servers.ts';
import { localAddressesMax } from './peer-limits.ts';
import type { RelayBase } from './relay-base.ts';
import { ServerMemory } from './server-memory.ts';
import { createCertificate, type DtlsKeys, DtlsSession, type LocalCertificate } from './werift-dtls.ts';

/** The viewer's side, from its offer. */
export interface PeerRemote extends IceCredentials {
  readonly candidates: readonly Candidate[];
  readonly iceLite: boolean;
  /** SHA-256 fingerprints; the certificate must have one of them. */
  readonly fingerprints: readonly string[];
  readonly setup: SetupRole;
}

export interface PeerOptions {
  readonly remote: PeerRemote;
  /** IP addresses of this machine to offer; none: those of host-addresses.ts. At least one must be usable. */
  readonly localAddresses: readonly string[];
  /** STUN and TURN servers; none: no packet to any server. */
  readonly iceServers?: readonly IceServer[];
  /** Ask STUN and TURN servers of this machine, and believe addresses of it: see servesLoopbackOnly. */
  readonly allowLoopback?: boolean;
  /** What earlier sessions learned about servers; nothing unless given. */
  readonly serverMemory?: ServerMemory;
  /** From creation to connection; default 15 s. */
  readonly connectTimeoutMs?: number;
  /** From the last sign of consent (RFC 7675) to the end; default 15 s. */
  readonly consentTimeoutMs?: number;
  /** Our ICE credentials, where they must be known before; random otherwise. */
  readonly credentials?: IceCredentials;
}

/** Our side, for the answer. */
export interface PeerLocal extends IceCredentials {
  /** SHA-256 as hex pairs with colons. */
  readonly fingerprint: string;
  /** Attribute values, `candidate:…`, best first. */
  readonly candidates: readonly string[];
  /** We take the DTLS client's part unless the offer wants it. */
  readonly setup: 'active' | 'passive';
}

export interface PeerConnection {
  readonly profile: SrtpProfile;
  readonly sendKeys: SrtpKeys;
  readonly receiveKeys: SrtpKeys;
  /** `address:port` of both ends of the selected pair at this moment. */
  readonly remoteAddress: string;
  readonly localAddress: string;
}

/** Why a peer is closed. */
export type PeerCloseReason =
  /** close() was called. */
  | 'closed'
  /** The viewer sent close_notify. */
  | 'closed-by-viewer'
  /** No connection in time. */
  | 'connect-timeout'
  /** The viewer gave no sign of consent any more. */
  | 'consent-expired'
  /** The DTLS handshake failed: another certificate than announced, a wrong signature, no common SRTP profile. */
  | 'dtls-failed';

type Listener<T extends unknown[]> = (...values: T) => void;

const connectTimeoutMsDefault = 15_000;
const consentTimeoutMsDefault = 15_000;

let certificate: Promise<LocalCertificate> | undefined;

/** The certificate of this process, made at the first call (RFC 8827 §6.5 allows one for all sessions). */
export function processCertificate(): Promise<LocalCertificate> {
  certificate ??= createCertificate();
  return certificate;
}

export class Peer {
  readonly local: PeerLocal;
  /** What went wrong, in words for the log, where the reason alone does not say it. */
  closeCause: Error | undefined;
  private readonly agent: IceAgent;
  private readonly dtls: DtlsSession;
  private readonly bases: IceBase[];
  private readonly queries: IceServerQueries;
  private readonly watchdog: NodeJS.Timeout;
  private isStarted = false;
  private isDtlsStarted = false;
  private closing: Promise<void> | undefined;
  private connection: PeerConnection | undefined;
  private target: DatagramTarget | undefined;
  private closeReason: PeerCloseReason | undefined;
  private connectedListener: Listener<[PeerConnection]> | undefined;
  private datagramListener: Listener<[Buffer]> | undefined;
  private closedListener: Listener<[PeerCloseReason]> | undefined;

  private constructor(
    options: PeerOptions,
    credentials: IceCredentials,
    bases: readonly IceBase[],
    candidates: readonly string[],
    localCertificate: LocalCertificate,
    queries: IceServerQueries,
  ) {
    const { remote } = options;
    const role = remote.setup === 'active' ? 'server' : 'client';
    this.bases = [...bases];
    this.queries = queries;
    this.local = {
      ...credentials,
      fingerprint: localCertificate.fingerprint,
      candidates,
      setup: role === 'client' ? 'active' : 'passive',
    };
    this.agent = new IceAgent({
      local: credentials,
      remote,
      consentTimeoutMs: options.consentTimeoutMs ?? consentTimeoutMsDefault,
      onReady: () => this.onPairReady(),
      onDatagram: (bytes, isSelected) => this.onBytes(bytes, isSelected),
      onConsentExpired: () => this.end('consent-expired'),
    });
    for (const base of bases) this.agent.addBase(base);
    this.dtls = new DtlsSession({
      role,
      certificate: localCertificate,
      fingerprints: remote.fingerprints,
      send: datagram => this.send(datagram),
      onConnected: keys => this.onKeys(keys),
      onEnded: (reason, cause) => this.end(reason === 'closed' ? 'closed-by-viewer' : 'dtls-failed', cause),
    });
    this.watchdog = setTimeout(
      () => this.end('connect-timeout'),
      options.connectTimeoutMs ?? connectTimeoutMsDefault,
    );
  }

  /**
   * Opens the sockets and gathers candidates: at once without servers, within a second with them. Throws CameraError
   * `internal` when no local address can be bound.
   */
  static async create(options: PeerOptions): Promise<Peer> {
    const localCertificate = await processCertificate();
    const credentials = options.credentials ?? {
      ufrag: randomText(6),
      pwd: randomText(18),
    };
    let peer: Peer | undefined;
    const receive: DatagramReceiver = (base, bytes, address, port) => {
      if (!queries.take(bytes, address, port)) peer?.agent.receive(base, bytes, address, port);
    };
    const { localAddresses, iceServers: servers = [], allowLoopback = false } = options;
    const queries = new IceServerQueries({
      servers,
      allowLoopback,
      memory: options.serverMemory ?? new ServerMemory(),
      receive,
      onLateRelay: relay => {
        if (peer) peer.addRelay(relay);
        else void relay.close();
      },
    });
    const addresses = localAddresses.length > 0 ? localAddresses : hostAddresses();
    const hosts = await openHostBases(addresses, receive);
    const found: Gathered = servers.length > 0 ? await queries.gather(hosts) : { reflexive: [], relays: [] };
    const candidates = [
      ...hosts.map(base => candidateText(base.candidate)),
      ...found.reflexive.map(({ candidate, related }) => candidateText(candidate, related)),
      ...found.relays.map(relay => candidateText(relay.candidate, relay.mapped)),
    ];
    const bases = [...hosts, ...found.relays];
    try {
      peer = new Peer(options, credentials, bases, candidates, localCertificate, queries);
      return peer;
    } catch (error) {
      await Promise.all([queries.close(), ...bases.map(base => base.close())]);
      throw error;
    }
  }

  /** Begins the checks; call when the answer is handed to the viewer. */
  start(): void {
    if (this.isStarted || this.closing) return;
    this.isStarted = true;
    this.agent.start();
    if (this.agent.selected) this.onPairReady();
  }

  /** Calls back once with the keys; at once when already connected. One listener. */
  onConnected(listener: Listener<[PeerConnection]>): void {
    if (this.connection) listener(this.connection);
    else this.connectedListener = listener;
  }

  /** SRTP and SRTCP of the viewer, from the selected pair alone; the bytes are borrowed for the call. One listener. */
  onDatagram(listener: Listener<[Buffer]>): void {
    this.datagramListener = listener;
  }

  /** Calls back once, when the peer is closed for whatever reason; at once when it is already. One listener. */
  onClosed(listener: Listener<[PeerCloseReason]>): void {
    if (this.closeReason) listener(this.closeReason);
    else this.closedListener = listener;
  }

  /**
   * Sends one datagram to the viewer. The bytes are the callee's until they have left: do not write to them again.
   * Never throws; without a pair nothing is sent. What the kernel refuses is counted in {@link sendFailures}.
   */
  send(datagram: Uint8Array): void {
    const pair = this.agent.selected;
    pair?.base.send(datagram, pair.port, pair.address);
  }

  /**
   * Where {@link send} would hand a datagram to the kernel at this moment, for who does it himself; undefined without a
   * pair, over a relay, and while datagrams wait in user space. The same object until something changes.
   */
  get datagramTarget(): DatagramTarget | undefined {
    const pair = this.agent.selected;
    const fd = pair?.base.descriptor;
    if (!pair || fd === undefined) return undefined;
    const { address, port } = pair;
    const { target } = this;
    if (target?.fd === fd && target.address === address && target.port === port) return target;
    this.target = { fd, address, port };
    return this.target;
  }

  /** Datagrams that were not taken by the kernel or the relay. */
  get sendFailures(): number {
    let failures = 0;
    for (const base of this.bases) failures += base.sendFailures;
    return failures;
  }

  /** Bytes that wait in user space because the kernel's send buffer is full: the sign of a congested socket. */
  get sendQueueBytes(): number {
    return this.agent.selected?.base.queuedBytes ?? 0;
  }

  /** Datagrams that were dropped because their sender had not authenticated itself. */
  get rejectedDatagrams(): number {
    return this.agent.rejectedDatagrams;
  }

  /** Ends the session and frees everything; resolves when the sockets are closed. Idempotent. */
  close(): Promise<void> {
    this.end('closed');
    return this.closing!;
  }

  /** A relayed base that came after the answer: the viewer does not know it, but our checks tell it. */
  private addRelay(relay: RelayBase): void {
    if (this.closing || this.connection) {
      void relay.close();
      return;
    }
    this.bases.push(relay);
    this.agent.addBase(relay);
  }

  /** Before start() a pair may be ready already; DTLS then waits for start(), as the viewer lacks our fingerprint. */
  private onPairReady(): void {
    if (!this.isStarted || this.isDtlsStarted) return;
    this.isDtlsStarted = true;
    this.dtls.start();
  }

  private onBytes(bytes: Buffer, isSelected: boolean): void {
    const first = bytes[0]!;
    if (first >= 20 && first <= 63) this.dtls.receive(bytes);
    else if (isSelected && first >= 128 && first <= 191 && this.connection) this.datagramListener?.(bytes);
  }

  private onKeys(keys: DtlsKeys): void {
    clearTimeout(this.watchdog);
    const pair = this.agent.selected;
    if (!pair) return;
    const { address, port } = pair.base.candidate;
    this.connection = {
      ...keys,
      remoteAddress: hostAndPort(pair.address, pair.port),
      localAddress: hostAndPort(address, port),
    };
    const listener = this.connectedListener;
    this.connectedListener = undefined;
    listener?.(this.connection);
  }

  private end(reason: PeerCloseReason, cause?: Error): void {
    if (this.closing) return;
    this.closeReason = reason;
    this.closeCause = cause;
    clearTimeout(this.watchdog);
    this.dtls.close();
    this.agent.close();
    const closing = [this.queries.close(), ...this.bases.map(base => base.close())];
    this.closing = Promise.all(closing).then(() => {});
    const listener = this.closedListener;
    this.closedListener = undefined;
    this.connectedListener = undefined;
    this.datagramListener = undefined;
    listener?.(reason);
  }
}

/** A socket on each address that can be bound; an address that went away meanwhile is left out. */
async function openHostBases(addresses: readonly string[], receive: DatagramReceiver): Promise<UdpBase[]> {
  const opened = await Promise.allSettled(
    addresses.slice(0, localAddressesMax).map((address, index) => UdpBase.open(address, index, receive)),
  );
  const bases = opened.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
  if (bases.length > 0) return bases;
  const failure = opened.find(result => result.status === 'rejected');
  throw new CameraError(
    'internal',
    'The camera has no network address to offer.',
    { addresses: addresses.length },
    { cause: failure?.reason },
  );
}

/** Random ice-chars; 3 bytes give 4 of them. */
function randomText(bytes: number): string {
  return randomBytes(bytes).toString('base64');
}

function hostAndPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
