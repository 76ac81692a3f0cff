/**
 * Requests to one TURN server and their answers: transactions (RFC 8489 §6.2) and long-term credentials (§9.2), for
 * the methods of RFC 8656.
 *
 * Why not werift's: it takes data from any sender, waits for a signature on the errors that carry none (so a stale
 * nonce or a wrong password look like silence), cannot give an allocation back, refreshes channels after their
 * permission has ended, and its timers and streams cannot be stopped. Left out: following a redirection (300), which
 * would let a server choose where the camera sends to; SHA-256 credentials; TCP and IPv6 relays (RFC 6062, RFC 8656
 * §7.2). Live thread.
 */
import { createHash } from 'node:crypto';
import { newTransactionId } from './candidate-pair.ts';
import { turnRetransmitMs } from './peer-limits.ts';
import { readStunMessage, StunAttribute, type StunMessage, StunType, StunWriter } from './stun-message.ts';
import { openTurnTransport, type TurnTransport, type TurnTransportOptions } from './turn-transport.ts';

/** Methods of RFC 8656 §17. */
export const TurnMethod = { allocate: 3, refresh: 4, channelBind: 9 } as const;
type TurnMethod = (typeof TurnMethod)[keyof typeof TurnMethod];

const dataIndication = 0x0017;
/** Bits of {@link StunType} that tell the class. */
const classBits = 0x0110;

/** The server said no: `code` of ERROR-CODE, or undefined when it said nothing in time. The text has no secret. */
export class TurnError extends Error {
  readonly code: number | undefined;

  constructor(message: string, code?: number) {
    super(message);
    this.name = 'TurnError';
    this.code = code;
  }
}

export interface TurnClientOptions extends Omit<TurnTransportOptions, 'receive'> {
  /** Of the long-term credentials; a server that wants none needs none. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Data of a peer by its channel; borrowed for the call. */
  readonly onChannelData: (channel: number, bytes: Buffer) => void;
  /** Data of a peer by its address; borrowed for the call. */
  readonly onPeerData: (address: string, port: number, bytes: Buffer) => void;
}

interface Transaction {
  readonly method: TurnMethod;
  readonly resolve: (answer: StunMessage) => void;
  readonly reject: (error: Error) => void;
  timer: NodeJS.Timeout | undefined;
}

interface Session {
  readonly realm: Buffer;
  readonly nonce: Buffer;
  readonly key: Buffer;
}

export class TurnClient {
  readonly transport: TurnTransport;
  private readonly options: TurnClientOptions;
  private readonly transactions = new Map<string, Transaction>();
  private session: Session | undefined;
  private isClosed = false;

  constructor(options: TurnClientOptions) {
    this.options = options;
    this.transport = openTurnTransport({ ...options, receive: message => this.receive(message) });
  }

  /** Whether the server has asked for the credentials. */
  get isAuthenticated(): boolean {
    return this.session !== undefined;
  }

  /**
   * Sends a request until it is answered; gives the answer of success, whose signature was checked. Rejects with
   * TurnError. `fill` adds the method's attributes, anew for each try.
   */
  async request(method: TurnMethod, fill: (request: StunWriter) => StunWriter): Promise<StunMessage> {
    for (let hasRenewed = false; ; ) {
      const answer = await this.exchange(method, fill);
      if ((answer.type & classBits) === (StunType.success & classBits)) return answer;
      const code = answer.errorCode ?? 0;
      const isChallenge = code === 401 && !this.session;
      // The answer to a new nonce (stale: 438) must not be a newer one for ever.
      if ((!isChallenge && code !== 438) || hasRenewed) throw refusal(code);
      hasRenewed = code === 438;
      this.session = this.sessionOf(answer);
    }
  }

  /** Sends what a peer is to get. */
  sendChannelData(channel: number, bytes: Uint8Array): void {
    const header = Buffer.allocUnsafe(4);
    header.writeUInt16BE(channel, 0);
    header.writeUInt16BE(bytes.length, 2);
    this.transport.send(header, bytes);
  }

  /** Ends everything; requests that wait are rejected. Resolves when the socket is closed. */
  close(): Promise<void> {
    this.isClosed = true;
    this.fail(new TurnError('the way to the TURN server was closed'));
    return this.transport.close();
  }

  /** Rejects all requests that wait. */
  fail(error: Error): void {
    for (const { reject } of [...this.transactions.values()]) reject(error);
  }

  private sessionOf(challenge: StunMessage): Session {
    const { username, password } = this.options;
    const nonce = challenge.value(StunAttribute.nonce);
    const realm = challenge.value(StunAttribute.realm) ?? this.session?.realm;
    if (!nonce || !realm) throw new TurnError('the TURN server asks for credentials without saying how');
    if (username === undefined || password === undefined)
      throw new TurnError('the TURN server wants user name and password', 401);
    const key = createHash('md5').update(`${username}:`).update(realm).update(`:${password}`).digest();
    return { realm: Buffer.from(realm), nonce: Buffer.from(nonce), key };
  }

  private exchange(method: TurnMethod, fill: (request: StunWriter) => StunWriter): Promise<StunMessage> {
    if (this.isClosed) return Promise.reject(new TurnError('the way to the TURN server was closed'));
    const id = newTransactionId();
    const request = fill(new StunWriter(typeOf(method, StunType.request), id));
    const { session } = this;
    if (session)
      request
        .bytes(StunAttribute.username, Buffer.from(this.options.username!))
        .bytes(StunAttribute.realm, session.realm)
        .bytes(StunAttribute.nonce, session.nonce);
    const bytes = request.finish(session?.key);
    return new Promise((resolve, reject) => {
      const end = <T>(settle: (value: T) => void): ((value: T) => void) => {
        return value => {
          clearTimeout(transaction.timer);
          this.transactions.delete(id);
          settle(value);
        };
      };
      const transaction: Transaction = {
        method,
        resolve: end(resolve),
        reject: end(reject),
        timer: undefined,
      };
      this.transactions.set(id, transaction);
      this.transport.send(bytes);
      this.repeatLater(transaction, bytes, 0);
    });
  }

  private repeatLater(transaction: Transaction, bytes: Buffer, tries: number): void {
    const waitMs = turnRetransmitMs[tries];
    if (waitMs === undefined) {
      transaction.reject(new TurnError('the TURN server did not answer'));
      return;
    }
    transaction.timer = setTimeout(() => {
      if (!this.transport.isReliable && tries + 1 < turnRetransmitMs.length) this.transport.send(bytes);
      this.repeatLater(transaction, bytes, tries + 1);
    }, waitMs);
  }

  private receive(bytes: Buffer): void {
    if (this.isClosed || bytes.length < 4) return;
    if (bytes[0]! >= 0x40) {
      const end = 4 + bytes.readUInt16BE(2);
      if (bytes[0]! < 0x50 && end <= bytes.length)
        this.options.onChannelData(bytes.readUInt16BE(0), bytes.subarray(4, end));
      return;
    }
    const message = readStunMessage(bytes);
    if (message?.type === dataIndication) this.takeIndication(message);
    else if (message) this.takeAnswer(message);
  }

  private takeIndication(message: StunMessage): void {
    const peer = message.address(StunAttribute.xorPeerAddress);
    const data = message.value(StunAttribute.data);
    if (peer && data) this.options.onPeerData(peer.address, peer.port, data);
  }

  /** An answer of success must be signed as soon as there is a key; the errors that matter are not (§9.2.4). */
  private takeAnswer(message: StunMessage): void {
    const transaction = this.transactions.get(message.transactionId);
    if (!transaction) return;
    const isSuccess = message.type === typeOf(transaction.method, StunType.success);
    const isError = message.type === typeOf(transaction.method, StunType.error);
    if (isError || (isSuccess && (!this.session || message.isAuthentic(this.session.key))))
      transaction.resolve(message);
  }
}

/** The type of a message: the class of a binding message's type, the method's number. */
function typeOf(method: TurnMethod, bindingType: number): number {
  return (bindingType & classBits) | method;
}

function refusal(code: number): TurnError {
  switch (code) {
    case 300:
      return new TurnError('the TURN server sends to another server, which is not followed', code);
    case 401:
    case 441:
      return new TurnError('the TURN server refuses user name or password', code);
    case 486:
      return new TurnError('the TURN server has no allocation left for this user', code);
    default:
      return new TurnError(`the TURN server answers with error ${code}`, code);
  }
}
